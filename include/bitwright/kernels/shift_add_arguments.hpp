// SPDX-License-Identifier: MIT
/// \file
/// What stays the same while a layer of shifts and additions runs. A call is gemm's: kernels/gemm_arguments.hpp.
#pragma once

#include <bitwright/core/term_byte.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// Weighted sums whose weights are terms. The guarantee is that of weighted_sum, for the weights that the terms add up to:
/// every sum of any of an output's products, with the bias or without, fits 32 bits. Sums of some terms may not, as a
/// weight's terms can be larger than the weight (127 = 128 - 1): paths add modulo 2^32, in any order. For activations of 8
/// bits, |weight| <= 2^15 and no bias, up to 2^31 / (255 * 2^15) = 256 inputs always fit; with |weight| <= 128, 65793.
struct shift_add_constants {
  weighted_sum sums;              ///< Neither its weights nor their zero points are read.
  const std::uint32_t* row_ends;  ///< Where each output's bytes end, the next one's begin; outputs elements.
  const term_byte* bytes;  ///< Of all outputs, as core/term_byte.hpp has them. With row_ends, read by `pack` only.

  const term_byte* row_begin(std::size_t n) const { return bytes + (n == 0 ? 0 : row_ends[n - 1]); }
  const term_byte* row_end(std::size_t n) const { return bytes + row_ends[n]; }
  std::size_t byte_count() const { return sums.outputs == 0 ? 0 : row_ends[sums.outputs - 1]; }
};

}  // namespace bitwright::kernels
