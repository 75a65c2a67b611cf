// SPDX-License-Identifier: MIT
/// \file
/// What one call of a convolution kernel reads and writes.
#pragma once

#include <bitwright/kernels/sliding_window.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <cstddef>

namespace bitwright::kernels {

/// All that stays the same while a convolution runs. Weights are outputs x kernel height x kernel width x
/// group_channels, so that sums.inputs is the product of the last three.
struct convolution_constants {
  weighted_sum sums;
  sliding_window window;
  std::size_t groups;          ///< Group g joins input channels and output channels of the g-th part; divides both.
  std::size_t group_channels;  ///< Input channels of one group; 1 with as many groups as outputs is depthwise.

  constexpr std::size_t channels() const { return groups * group_channels; }
};

/// Images are height x width x channels, one after another, in and out.
template <class Activation, class Output>
struct convolution_arguments {
  convolution_constants constants;
  const std::byte* packed;  ///< Written by the same path's `pack` from the same constants; 64-byte aligned.
  const Activation* activations;
  Output* outputs;
  std::byte* workspace;  ///< As many bytes as the path asks for, of any alignment; of this call alone.
};

}  // namespace bitwright::kernels
