// SPDX-License-Identifier: MIT
/// \file
/// The divergence of the network's outputs when one layer is quantized, averaged over samples, as ZeroQ measures it:
///
///   Omega = mean over samples of KL(softmax(outputs) || softmax(outputs with the layer quantized))
///
/// Source: ZeroQ (Cai et al., CVPR 2020), section 3.2. It needs no labels and no gradient, but a pass over the samples
/// for each cell of the table.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/sensitivity.hpp>
#include <bitwright/mixed_precision/sensitivity_metric.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// KL(softmax(reference) || softmax(outputs)) in nats, for one sample; never negative.
/// Throws invalid_argument for spans that differ in size or are empty, and for outputs that are not finite.
inline double output_divergence(std::span<const float> reference, std::span<const float> outputs) {
  require(!reference.empty(), "output_divergence: reference.size()", reference.size(), "at least 1");
  require(outputs.size() == reference.size(), "output_divergence: outputs.size()", outputs.size(),
          "that of the reference, ", reference.size());
  const auto log_total = [](std::span<const float> logits) {
    double total = 0;
    const double largest = *std::ranges::max_element(logits);
    for (const double logit : logits) {
      require(std::isfinite(logit), "output_divergence: output", logit, "a finite number");
      total += std::exp(logit - largest);
    }
    return largest + std::log(total);
  };
  const double reference_total = log_total(reference), total = log_total(outputs);
  double divergence = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double log_p = static_cast<double>(reference[i]) - reference_total;
    divergence += std::exp(log_p) * (log_p - (static_cast<double>(outputs[i]) - total));
  }
  return std::max(divergence, 0.0);  // Rounding makes it -1e-17 for equal outputs.
}

/// The metric, for a user's network: `forward(layer, values, outputs)` writes the outputs of all samples,
/// [samples][classes], with `values` in place of that layer's. The standard error is that of the mean over samples.
template <std::invocable<std::size_t, std::span<const float>, std::span<float>> Forward>
class output_divergence_metric {
 public:
  /// `reference` are the outputs of the float network, [samples][classes].
  /// Throws invalid_argument for 0 classes and for fewer than two samples.
  output_divergence_metric(std::vector<float> reference, std::size_t classes, Forward forward)
      : reference_(std::move(reference)), classes_(classes), forward_(std::move(forward)) {
    require(classes > 0, "output_divergence_metric: classes", classes, "at least 1");
    require(reference_.size() % classes == 0 && reference_.size() / classes >= 2,
            "output_divergence_metric: reference.size()", reference_.size(), "two samples or more of ", classes,
            " outputs");
  }

  /// Throws invalid_argument for outputs that are not finite.
  sensitivity operator()(std::size_t layer, std::span<const float>, std::span<const float> quantized) {
    std::vector<float> outputs(reference_.size(), std::numeric_limits<float>::quiet_NaN());
    forward_(layer, quantized, std::span<float>(outputs));
    sample_mean divergence;
    for (std::size_t first = 0; first < outputs.size(); first += classes_)
      divergence.add(output_divergence(std::span(reference_).subspan(first, classes_),
                                       std::span(outputs).subspan(first, classes_)));
    return {.omega = divergence.mean(), .standard_error = divergence.standard_error()};
  }

 private:
  std::vector<float> reference_;
  std::size_t classes_;
  Forward forward_;
};

}  // namespace bitwright
