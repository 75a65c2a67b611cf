// SPDX-License-Identifier: MIT
/// \file
/// Bias correction: the bias takes back the shift of a layer's mean outputs that quantized weights cause.
///
///     epsilon = W' - W        E[(W + epsilon) x] - E[W x] = epsilon E[x]        b' = b - epsilon E[x]
///
/// for every output channel, with the mean inputs E[x] over calibration data. It costs nothing at run time. Few bits and
/// clipped ranges shift most: the rounding errors of a channel do not cancel, and inputs behind a ReLU are never negative.
/// Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (ICCV 2019), section 4.2.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bitwright {

/// Corrects `bias`, one entry an output channel, in place for a layer that runs with `quantized` instead of `weights`: both
/// are output channels x any dimensions of a kernel x input channels of a group. `input_means` has an entry for each input
/// channel, those of `groups` groups one after another. All positions of a kernel see the same mean: exact where nothing is
/// padded, and where the padding's share is small nearly so.
/// Throws invalid_argument, and changes nothing, unless all sizes agree and every new bias is finite.
inline void correct_bias(tensor_view<const float> weights, tensor_view<const float> quantized,
                         std::span<const double> input_means, std::span<float> bias, std::size_t groups = 1) {
  const shape& extent = weights.shape();
  require(extent.rank() >= 2, "correct_bias: weights.shape()", extent, "at least two dimensions");
  require(quantized.shape() == extent, "correct_bias: quantized.shape()", quantized.shape(), "that of the weights, ",
          extent);
  require(bias.size() == extent[0], "correct_bias: bias.size()", bias.size(), "one for each output channel, ",
          extent[0]);
  require(groups > 0 && extent[0] % groups == 0, "correct_bias: groups", groups, "a divisor of the output channels, ",
          extent[0]);
  const std::size_t channels = extent[extent.rank() - 1];
  require(input_means.size() == groups * channels, "correct_bias: input_means.size()", input_means.size(),
          "one for each input channel, ", groups * channels);
  std::vector<float> corrected(bias.begin(), bias.end());
  for (std::size_t output = 0; output < bias.size(); ++output) {
    const auto means = input_means.subspan(output / (extent[0] / groups) * channels, channels);
    const auto original = weights[output].values(), stored = quantized[output].values();
    double shift = 0;
    for (std::size_t i = 0; i < original.size(); ++i)
      shift += (static_cast<double>(stored[i]) - original[i]) * means[i % channels];
    corrected[output] = static_cast<float>(bias[output] - shift);
    require(std::isfinite(corrected[output]), "correct_bias: corrected bias", corrected[output],
            "a finite number for channel ", output);
  }
  std::ranges::copy(corrected, bias.begin());
}

}  // namespace bitwright
