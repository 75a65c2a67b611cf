// SPDX-License-Identifier: MIT
/// \file
/// The specification of group-wise gemm.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_panels.hpp>
#include <bitwright/kernels/group_rows.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

/// One column a panel, with its codes in order.
template <group_format Format>
struct group_tile {
  using format = Format;
  static constexpr std::size_t lanes = 1;
  static constexpr std::size_t depth = 1;
  static constexpr std::uint8_t flipped_bits = 0;
  static constexpr std::int32_t offset(std::int32_t pair_sums) { return pair_sums; }
};

/// Of magnitudes, floats have the order of their bits.
inline std::int32_t greatest_bits(const float* values, std::size_t count) {
  std::int32_t greatest = 0;
  for (std::size_t k = 0; k < count; ++k)
    greatest = std::max(greatest, std::bit_cast<std::int32_t>(values[k]) & 0x7fffffff);
  return greatest;
}

inline void quantize_row(const float* values, std::size_t groups, float inverse, const row_codes& to) {
  for (std::size_t g = 0; g < groups; ++g) {
    std::int32_t sums[2] = {0, 0};
    for (std::size_t k = 0; k < group_size; ++k) {
      const auto code = static_cast<std::int8_t>(std::nearbyint(values[g * group_size + k] * inverse));
      to.codes[g * to.code_stride + k] = code;
      sums[k % 4 / 2] += code;
    }
    to.pair_sums[g * to.pair_sum_stride] = join_pair_sums(sums[0], sums[1]);
  }
}

/// A finite fp16 number.
inline float half_value(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits} << 16 & 0x80000000, magnitude = bits & 0x7fff;
  const float value = magnitude < 0x400 ? static_cast<float>(magnitude) * 0x1p-24f
                                        : std::bit_cast<float>((magnitude << 13) + ((127 - 15) << 23));
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

/// The sum of a group's products, of codes less their zero points: at most 2^19, and exact as a float.
template <group_format Format>
std::int32_t group_dot(const group_panel_layout<group_tile<Format>>& layout, const std::byte* packed, std::size_t n,
                       std::size_t g, const std::int8_t* activations) {
  std::int32_t zero_point = Format::zero_point, sum = 0;
  if constexpr (Format::has_zero_points) zero_point = static_cast<std::int32_t>(packed[layout.zero_point(n, 0, g)]);
  for (std::size_t k = 0; k < group_size; ++k) sum += (layout.code(packed, n, g, k) - zero_point) * activations[k];
  return sum;
}

template <group_format Format>
std::size_t group_gemm_packed_bytes(const group_weights& weights) {
  return group_layout<group_tile<Format>>(weights).bytes();
}

template <group_format Format>
void group_gemm_pack(const group_weights& weights, std::byte* packed) {
  pack_group_panels<group_tile<Format>>(weights, packed);
}

/// Rows [first, last) of the activations.
template <group_format Format>
void group_gemm_quantize(const group_gemm_arguments& call, std::size_t first, std::size_t last) noexcept {
  quantize_rows<group_tile<Format>>(call, {greatest_bits, quantize_row}, first, last);
}

/// Columns [first, last) of the outputs.
template <group_format Format>
void group_gemm(const group_gemm_arguments& call, std::size_t first, std::size_t last) noexcept {
  const auto layout = group_layout<group_tile<Format>>(call.weights);
  const group_rows rows{call.rows, layout.groups};
  for (std::size_t m = 0; m < call.rows; ++m) {
    const std::size_t start = m - m % group_rows::block;
    for (std::size_t n = first; n < last; ++n) {
      float sum = 0;
      for (std::size_t g = 0; g < layout.groups; ++g) {
        const std::size_t position = g * rows.block_rows(start) + m - start;
        const std::int32_t dot =
            group_dot(layout, call.packed, n, g,
                      packed_array<std::int8_t>(call.workspace, rows.codes(start)) + position * group_size);
        const float scale = half_value(*packed_array<std::uint16_t>(call.packed, layout.scale(n, 0, g)));
        sum = std::fma(static_cast<float>(dot), scale, sum);
      }
      call.outputs[m * call.output_stride + n] =
          std::fma(sum, packed_array<float>(call.workspace, rows.scales())[m], packed_array<float>(call.packed, 0)[n]);
    }
  }
}

}  // namespace bitwright::kernels::scalar
