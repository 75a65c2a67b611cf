// SPDX-License-Identifier: MIT
/// \file
/// A sensitivity metric: what stands for the loss that quantizing one layer would cause.
#pragma once

#include <bitwright/core/distortion.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/sensitivity.hpp>
#include <bitwright/mixed_precision/top_eigenvalues.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

namespace bitwright {

/// `metric(layer, original, quantized)` is the sensitivity to replacing the layer's values by the quantized ones, all
/// other layers as they are. The values may be weights or, where the curvature (or the user's network) is by them,
/// activations. Omegas of one metric compare and add up between layers; those of two metrics do not compare.
template <class Metric>
concept sensitivity_metric = requires(Metric& metric, std::size_t layer, std::span<const float> original,
                                      std::span<const float> quantized) {
  { metric(layer, original, quantized) } -> std::convertible_to<sensitivity>;
};

/// (Tr(H_l) / n_l) |Q(W) - W|^2, as HAWQ-V2 and V3: see trace_sensitivity. The traces may be the Hessian's or
/// Gauss-Newton's.
struct mean_trace_metric {
  std::span<const trace_estimate> layers;

  sensitivity operator()(std::size_t layer, std::span<const float> original, std::span<const float> quantized) const {
    require(layer < layers.size(), "mean_trace_metric: layer", layer, "less than the number of layers measured, ",
            layers.size());
    return trace_sensitivity(layers[layer], measure_distortion(original, quantized).squared_error);
  }
};

/// |lambda_max(H_l)| |Q(W) - W|^2: the most that (Q(W) - W)'H_l(Q(W) - W) can be. HAWQ (Dong et al., ICCV 2019) orders
/// layers by this eigenvalue.
struct top_eigenvalue_metric {
  std::span<const eigenvalue_estimate> layers;  ///< Of each layer's block, as from layer_block.

  sensitivity operator()(std::size_t layer, std::span<const float> original, std::span<const float> quantized) const {
    require(layer < layers.size(), "top_eigenvalue_metric: layer", layer, "less than the number of layers measured, ",
            layers.size());
    const eigenvalue_estimate& eigenvalue = layers[layer];
    const double squared_error = measure_distortion(original, quantized).squared_error;
    const double size = std::abs(eigenvalue.value);
    return {.omega = std::max(size, eigenvalue.error_bound) * squared_error,
            .standard_error = eigenvalue.error_bound * squared_error,
            .at_noise_floor = size < eigenvalue.error_bound};
  }
};

/// |Q(W) - W|^2 alone: no curvature, so it says nothing of which layer the loss depends on.
struct distortion_metric {
  sensitivity operator()(std::size_t, std::span<const float> original, std::span<const float> quantized) const {
    return {.omega = measure_distortion(original, quantized).squared_error};
  }
};

static_assert(sensitivity_metric<mean_trace_metric> && sensitivity_metric<top_eigenvalue_metric> &&
              sensitivity_metric<distortion_metric>);

}  // namespace bitwright
