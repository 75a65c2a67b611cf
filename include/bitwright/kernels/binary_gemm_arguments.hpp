// SPDX-License-Identifier: MIT
/// \file
/// What binary gemm and binary convolution have in common, and what one call of a binary gemm reads and writes.
///
///     sum[n] = bias[n] + sum_k a[k] * w[n][k]         a[k], w[n][k] in {-1, +1}
///            = bias[n] + inputs - 2 * popcount(a ^ w[n])
///
/// A bit 1 is +1 and a bit 0 is -1; bit i of byte b is element 8 * b + i. Source: Rastegari et al., "XNOR-Net" (ECCV
/// 2016), section 3.2.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/code_types.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitwright::kernels {

/// The bytes that hold so many bits.
constexpr std::size_t bytes_of_bits(std::size_t bits) { return (bits + 7) / 8; }

/// What sums become. Codes of 8, 16 or 32 bits: requantized, as in kernels/gemm.hpp. float: the value
/// (sum * scales[n]) * row scale, rounded after each multiplication. bool: a bit, whether sum >= 0.
template <class Output>
concept binary_output = one_of<Output, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, float, bool>;

/// What outputs lie in memory as: bits in bytes, in which a row's last bits that no output has are 0.
template <binary_output Output>
using stored_output = std::conditional_t<std::is_same_v<Output, bool>, std::byte, Output>;

/// The stored elements of a row of so many outputs.
template <binary_output Output>
constexpr std::size_t stored_outputs(std::size_t outputs) {
  return std::is_same_v<Output, bool> ? bytes_of_bits(outputs) : outputs;
}

/// All that stays the same while a layer runs. Every array has one element for each output; those of other outputs'
/// types may be null.
///
/// Whoever fills it in guarantees that every bias fits 32 bits with any number up to `inputs()` added or taken.
struct binary_sum {
  std::size_t outputs;
  std::size_t taps;          ///< 1 for a gemm.
  std::size_t channels;      ///< Bits of a tap. Each tap begins with a byte; bits after its last are not looked at.
  const std::byte* weights;  ///< outputs x taps x bytes_of_bits(channels). Read by `pack` only.
  const std::int32_t* bias;  ///< In units of the sum: for bits, less a threshold.
  const dyadic* factors;     ///< For codes.
  std::int32_t output_zero_point;  ///< For codes.
  code_range output_codes;         ///< For codes, within their type.
  const float* scales;             ///< For floats: the mean magnitude of an output's weights.

  constexpr std::size_t inputs() const { return taps * channels; }
  constexpr std::size_t row_bytes() const { return taps * bytes_of_bits(channels); }
};

/// Row m of the outputs holds the sums of row m of the activations. Strides count stored elements.
template <binary_output Output>
struct binary_gemm_arguments {
  binary_sum sums;          ///< With one tap.
  const std::byte* packed;  ///< Written by the same path's `pack` from the same `sums`; 64-byte aligned.
  const std::byte* activations;
  std::size_t activation_stride;  ///< From one row to the next, at least sums.row_bytes().
  stored_output<Output>* outputs;
  std::size_t output_stride;  ///< From one row to the next, at least stored_outputs<Output>(sums.outputs).
  const float* row_scales;    ///< For floats, one for each row; null is 1 for all.
  std::byte* workspace;       ///< As many bytes as the path asks for, of any alignment; of this call alone.
};

}  // namespace bitwright::kernels
