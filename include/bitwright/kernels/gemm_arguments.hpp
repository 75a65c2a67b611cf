// SPDX-License-Identifier: MIT
/// \file
/// What one call of a gemm kernel reads and writes.
#pragma once

#include <bitwright/kernels/weighted_sum.hpp>

#include <cstddef>

namespace bitwright::kernels {

/// Row m of the outputs holds the weighted sums of row m of the activations. Strides count elements.
template <class Activation, class Output>
struct gemm_arguments {
  weighted_sum sums;
  const std::byte* packed;  ///< Written by the same path's `pack` from the same `sums`; 64-byte aligned.
  const Activation* activations;
  std::size_t activation_stride;  ///< From one row to the next, at least sums.inputs.
  Output* outputs;
  std::size_t output_stride;  ///< From one row to the next, at least sums.outputs.
  std::byte* workspace;       ///< As many bytes as the path asks for, of any alignment; of this call alone.
};

}  // namespace bitwright::kernels
