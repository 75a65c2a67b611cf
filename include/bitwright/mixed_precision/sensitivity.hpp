// SPDX-License-Identifier: MIT
/// \file
/// Sensitivity: what quantizing a layer costs the loss, by the curvature of the loss and the layer's distortion.
///
///   Omega = (Tr(H_l) / n_l) |Q(W_l) - W_l|^2
///
/// where H_l is layer l's n_l x n_l block of the Hessian. It is a second-order Taylor term, but for the factor 1/2,
/// under the assumption that the distortion lies in no special direction. Omegas of different layers compare and add
/// up. Source: HAWQ-V2 (Dong et al., NeurIPS 2020), section 3; HAWQ-V3 (Yao et al., ICML 2021), section 3.3.
#pragma once

#include <bitwright/core/distortion.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace bitwright {

/// A layer's sensitivity at one bit width, with the standard error it inherits from the trace.
struct sensitivity {
  double omega = 0;           ///< In units of the loss; never negative.
  double standard_error = 0;  ///< Of omega.
  /// The trace was below its own standard error, or negative, and the standard error stands in for it.
  bool at_noise_floor = false;

  friend bool operator==(const sensitivity&, const sensitivity&) = default;
};

/// Omega from a layer's trace and its `squared_error` |Q(W) - W|^2, in weight^2 (distortion::squared_error).
/// Noise must not make a layer look free: a trace below its own standard error enters as that standard error, and
/// `at_noise_floor` says so. Throws invalid_argument for a standard error that is not known (one probe), and for a
/// squared error that is negative, NaN or infinite.
inline sensitivity trace_sensitivity(const trace_estimate& estimate, double squared_error) {
  require(estimate.weights > 0, "trace_sensitivity: estimate.weights", estimate.weights, "at least 1");
  require(std::isfinite(estimate.trace), "trace_sensitivity: estimate.trace", estimate.trace, "a finite number");
  require(estimate.standard_error >= 0 && std::isfinite(estimate.standard_error),
          "trace_sensitivity: estimate.standard_error", estimate.standard_error,
          "a finite number of at least 0: a trace of two probes or more");
  require(squared_error >= 0 && std::isfinite(squared_error), "trace_sensitivity: squared_error", squared_error,
          "a finite number of at least 0");
  const double standard_error = estimate.mean_trace_standard_error();
  return {.omega = std::max(estimate.mean_trace(), standard_error) * squared_error,
          .standard_error = standard_error * squared_error,
          .at_noise_floor = estimate.trace < estimate.standard_error};
}

/// What a quantizer makes of `values`: through its codes and back.
std::vector<float> quantized_values(const quantizer auto& quantizer, std::span<const float> values) {
  using code_type = typename std::remove_cvref_t<decltype(quantizer)>::code_type;
  std::vector<code_type> codes(values.size());
  std::vector<float> dequantized(values.size());
  quantizer.quantize(values, std::span<code_type>(codes));
  quantizer.dequantize(std::span<const code_type>(codes), std::span<float>(dequantized));
  return dequantized;
}

/// What `values` lose on their way through a quantizer's codes and back.
distortion quantization_distortion(const quantizer auto& quantizer, std::span<const float> values) {
  return measure_distortion(values, quantized_values(quantizer, values));
}

}  // namespace bitwright
