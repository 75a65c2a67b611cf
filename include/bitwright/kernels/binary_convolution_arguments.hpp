// SPDX-License-Identifier: MIT
/// \file
/// What one call of a binary convolution reads and writes.
#pragma once

#include <bitwright/kernels/binary_gemm_arguments.hpp>
#include <bitwright/kernels/sliding_window.hpp>

#include <cstddef>

namespace bitwright::kernels {

/// All that stays the same while a binary convolution runs. Weights are outputs x kernel height x kernel width x bytes of
/// the channels. Taps outside of the image are 0, which no bit is: they add nothing to a sum, whose other taps alone count.
struct binary_convolution_constants {
  binary_sum sums;  ///< With as many taps as the window.
  sliding_window window;
};

/// Images are height x width x bytes of their channels, one after another, and so are outputs.
template <binary_output Output>
struct binary_convolution_arguments {
  binary_convolution_constants constants;
  const std::byte* packed;  ///< Written by the same path's `pack` from the same sums; 64-byte aligned.
  const std::byte* activations;
  stored_output<Output>* outputs;
  const float* pixel_scales;  ///< For floats, one for each pixel of the outputs; null is 1 for all.
  std::byte* workspace;       ///< As many bytes as the path asks for, of any alignment; of this call alone.
};

}  // namespace bitwright::kernels
