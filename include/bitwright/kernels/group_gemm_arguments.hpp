// SPDX-License-Identifier: MIT
/// \file
/// What a group-wise gemm is made of, and what one call of its kernels reads and writes.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/code_types.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// Weights of a row that share a scale, and the activations that meet them.
inline constexpr std::size_t group_size = 32;

/// As `Format`: codes from 0 to 15, of which 8 stands for 0, as in ggml's Q4_0.
struct four_bit_groups {
  static constexpr int bits = 4;
  static constexpr code_range codes{0, 15};
  static constexpr std::int32_t zero_point = 8;
  static constexpr bool has_zero_points = false;
};

/// As `Format`: codes from 0 to 15 and a zero point for each group, from 0 to 16.
struct four_bit_groups_with_zero_points {
  static constexpr int bits = 4;
  static constexpr code_range codes{0, 15};
  static constexpr std::int32_t zero_point = 0;
  static constexpr std::int32_t greatest_zero_point = 16;
  static constexpr bool has_zero_points = true;
};

/// As `Format`: codes from -128 to 127, as in ggml's Q8_0.
struct eight_bit_groups {
  static constexpr int bits = 8;
  static constexpr code_range codes{-128, 127};
  static constexpr std::int32_t zero_point = 0;
  static constexpr bool has_zero_points = false;
};

template <class Format>
concept group_format = one_of<Format, four_bit_groups, four_bit_groups_with_zero_points, eight_bit_groups>;

/// Weights as packing reads them; running needs the numbers of outputs and inputs alone.
struct group_weights {
  std::size_t outputs;
  std::size_t inputs;               ///< A multiple of group_size.
  const std::int8_t* codes;         ///< Outputs x inputs.
  const std::uint16_t* scales;      ///< fp16, finite: outputs x groups.
  const std::uint8_t* zero_points;  ///< Outputs x groups where the format has them.
  const float* bias;                ///< One for each output, finite; none where it is null.

  constexpr std::size_t groups() const { return inputs / group_size; }
};

/// Row m of the outputs holds the sums of row m of the activations. Strides count elements.
struct group_gemm_arguments {
  group_weights weights;
  const std::byte* packed;  ///< Written by the same path's `pack` from the same weights; 64-byte aligned.
  std::size_t rows;
  const float* activations;
  std::size_t activation_stride;  ///< From one row to the next, at least weights.inputs.
  float* outputs;
  std::size_t output_stride;  ///< From one row to the next, at least weights.outputs.
  std::byte* workspace;       ///< As many bytes as the path asks for, 64-byte aligned; of this call alone.
};

}  // namespace bitwright::kernels
