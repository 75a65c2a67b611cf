// SPDX-License-Identifier: MIT
/// \file
/// Batch-norm folding: a batch norm behind a convolution or linear layer becomes part of its weights and bias.
///
///     gain = gamma / sqrt(variance + epsilon)      W' = gain * W      b' = beta + gain * (b - mean)
///
/// for each output channel. The folded layer computes the same function, up to float rounding.
/// Source: Jacob et al. (CVPR 2018), section 3.2; HAWQ-V3 (Yao et al., ICML 2021), section 3.2.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace bitwright {

/// A trained batch norm: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, one entry an output channel.
struct batch_norm {
  std::span<const float> gamma;
  std::span<const float> beta;
  std::span<const float> mean;      ///< The running mean of training.
  std::span<const float> variance;  ///< The running variance of training.
  float epsilon = 1e-5f;
};

/// Folds `norm` into `weights` (output channels in dimension 0) and `bias` (one entry an output channel; zeros where
/// the layer had none), in place.
/// Throws invalid_argument, and changes nothing, unless all sizes agree, no variance is negative, and every gain, new
/// weight and new bias is finite.
inline void fold_batch_norm(tensor_view<float> weights, std::span<float> bias, const batch_norm& norm) {
  require(weights.shape().rank() > 0, "fold_batch_norm: weights.shape()", weights.shape(), "at least one dimension");
  const std::size_t channels = weights.size(0);
  const auto require_channels = [channels](std::span<const float> values, const char* name) {
    require(values.size() == channels, name, values.size(), "one entry for each of the ", channels, " output channels");
  };
  require_channels(bias, "fold_batch_norm: bias.size()");
  require_channels(norm.gamma, "fold_batch_norm: norm.gamma.size()");
  require_channels(norm.beta, "fold_batch_norm: norm.beta.size()");
  require_channels(norm.mean, "fold_batch_norm: norm.mean.size()");
  require_channels(norm.variance, "fold_batch_norm: norm.variance.size()");

  // In double: the only rounding is the last one, to the float that is stored.
  const auto gain = [&norm](std::size_t c) {
    return norm.gamma[c] / std::sqrt(static_cast<double>(norm.variance[c]) + norm.epsilon);
  };
  const auto folded_bias = [&](std::size_t c) {
    return static_cast<float>(norm.beta[c] + gain(c) * (static_cast<double>(bias[c]) - norm.mean[c]));
  };
  const auto folded_weight = [&gain](std::size_t c, float weight) { return static_cast<float>(gain(c) * weight); };
  for (std::size_t c = 0; c < channels; ++c) {
    require(norm.variance[c] >= 0, "fold_batch_norm: norm.variance", norm.variance[c], "at least 0 for channel ", c);
    require(std::isfinite(gain(c)), "fold_batch_norm: gamma / sqrt(variance + epsilon)", gain(c),
            "a finite number for channel ", c);
    require(std::isfinite(folded_bias(c)), "fold_batch_norm: folded bias", folded_bias(c),
            "a finite number for channel ", c);
    for (const float weight : weights[c].values())
      require(std::isfinite(folded_weight(c, weight)), "fold_batch_norm: folded weight", folded_weight(c, weight),
              "a finite number for channel ", c);
  }
  for (std::size_t c = 0; c < channels; ++c) {
    bias[c] = folded_bias(c);
    for (float& weight : weights[c].values()) weight = folded_weight(c, weight);
  }
}

}  // namespace bitwright
