// SPDX-License-Identifier: MIT
/// \file
/// An output cotangent: the vector u which, sent back through a network in place of the loss's gradient, samples the
/// curvature that the loss has at the network's outputs.
///
///   u = B z,   z Rademacher,   B B' = d^2 loss / d outputs^2   so that   E[u u'] is that curvature
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>

namespace bitwright {

/// `cotangent(outputs, probe, result)` writes u for one sample's outputs, drawing all chance from the probe. A user's
/// own loss fits: E[u u'] over probes must be the second derivative of the loss by its outputs (or a semidefinite part
/// of it).
template <class Cotangent, class Scalar>
concept output_cotangent = weight_scalar<Scalar> &&
    requires(const Cotangent& cotangent, std::span<const Scalar> outputs, const rademacher_probe& probe,
             std::span<Scalar> result) {
  cotangent(outputs, probe, result);
};

/// Cross-entropy of softmax(outputs): u = sqrt(p) z - p (sqrt(p)' z), so E[u u'] = diag(p) - p p'. No label is needed:
/// it does not enter the curvature.
struct cross_entropy_cotangent {
  /// Throws invalid_argument for spans that differ in size and for outputs with NaN or without a finite maximum.
  template <weight_scalar Scalar>
  void operator()(std::span<const Scalar> outputs, const rademacher_probe& probe, std::span<Scalar> result) const {
    require(outputs.size() == result.size(), "cross_entropy_cotangent: result.size()", result.size(),
            "that of the outputs, ", outputs.size());
    double largest = -std::numeric_limits<double>::infinity(), total = 0, projection = 0;
    for (const double output : outputs) {
      require(!std::isnan(output), "cross_entropy_cotangent: output", output, "a number");
      largest = std::max(largest, output);
    }
    require(outputs.empty() || std::isfinite(largest), "cross_entropy_cotangent: largest output", largest,
            "a finite number");
    for (const double output : outputs) total += std::exp(output - largest);
    const auto probability = [&](std::size_t i) { return std::exp(static_cast<double>(outputs[i]) - largest) / total; };
    for (std::size_t i = 0; i < outputs.size(); ++i) projection += std::sqrt(probability(i)) * probe[i];
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const double p = probability(i);
      result[i] = static_cast<Scalar>(std::sqrt(p) * probe[i] - p * projection);
    }
  }
};

/// Half the squared error, sum (output - target)^2 / 2: u = z, so E[u u'] = 1.
struct squared_error_cotangent {
  /// Throws invalid_argument for spans that differ in size.
  template <weight_scalar Scalar>
  void operator()(std::span<const Scalar> outputs, const rademacher_probe& probe, std::span<Scalar> result) const {
    require(outputs.size() == result.size(), "squared_error_cotangent: result.size()", result.size(),
            "that of the outputs, ", outputs.size());
    probe.fill(result);
  }
};

static_assert(output_cotangent<cross_entropy_cotangent, float> && output_cotangent<squared_error_cotangent, double>);

}  // namespace bitwright
