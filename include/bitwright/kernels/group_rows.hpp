// SPDX-License-Identifier: MIT
/// \file
/// Activations of a group-wise gemm as its tiles read them: quantized row by row, to 8 bits.
///
///     scale[m] = max_k |a[m][k]| / 127      code[m][k] = round_half_to_even(a[m][k] * (127 / max_k |a[m][k]|))
///
/// each a single operation on floats. A row (token) has one scale: the sum over groups then needs no other factor than
/// the weights', and one product at its end gives the row its scale. Codes are in [-127, 127]: the product is at most
/// 127 (1 + 2^-23). A row so small that 127 / max is no float, all of it below 3.8e-37, counts as zeros. The scale of a row
/// with a NaN or an infinity is NaN, and so are its outputs.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels {

/// Where quantized rows lie in a workspace. Blocks of rows go through the weights together: group by group, a block has
/// its rows' codes of the group side by side.
struct group_rows {
  std::size_t rows;
  std::size_t groups;

  static constexpr std::size_t block = 16;

  /// Rows of the block that begins with row `first`.
  constexpr std::size_t block_rows(std::size_t first) const { return std::min(block, rows - first); }

  /// A scale for each row.
  constexpr std::size_t scales() const { return 0; }
  /// What a tile makes of the sums of codes: for each block groups x rows of it.
  constexpr std::size_t offsets(std::size_t first) const {
    return round_up(rows * sizeof(float), 64) + first * groups * sizeof(std::int32_t);
  }
  /// For each block groups x rows x group_size.
  constexpr std::size_t codes(std::size_t first) const {
    return round_up(offsets(rows), 64) + first * groups * group_size;
  }
  constexpr std::size_t bytes() const { return codes(rows); }
};

/// A row's codes on their way to a workspace. Codes of one group lie side by side.
struct row_codes {
  std::int8_t* codes;
  std::size_t code_stride;  ///< From one group to the next.
  std::int32_t*
      pair_sums;  ///< Of each group, two 16-bit sums: of codes with k mod 4 < 2 in the low half, of the others.
  std::size_t pair_sum_stride;
};

/// Two sums in 32 bits.
constexpr std::int32_t join_pair_sums(std::int32_t first, std::int32_t second) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xffff) | static_cast<std::uint32_t>(second)
                                                                                      << 16);
}
constexpr std::int32_t first_pair_sum(std::int32_t both) { return static_cast<std::int16_t>(both & 0xffff); }
constexpr std::int32_t second_pair_sum(std::int32_t both) { return static_cast<std::int16_t>(both >> 16); }
constexpr std::int32_t sum_of_pair_sums(std::int32_t both) { return first_pair_sum(both) + second_pair_sum(both); }

/// A path's part of quantizing: the bits of the greatest magnitude among `count` values, a NaN's being the greatest of
/// all; and the codes of `groups` groups by `inverse`, 127 / greatest magnitude.
struct row_quantizer {
  std::int32_t (*greatest_bits)(const float* values, std::size_t count);
  void (*quantize)(const float* values, std::size_t groups, float inverse, const row_codes& to);
};

/// Where row m's codes, and what is made of their sums, lie in the workspace.
inline row_codes codes_of_row(const group_rows& layout, std::byte* workspace, std::size_t m) {
  const std::size_t row = m % group_rows::block, start = m - row, count = layout.block_rows(start);
  return {packed_array<std::int8_t>(workspace, layout.codes(start)) + row * group_size, count * group_size,
          packed_array<std::int32_t>(workspace, layout.offsets(start)) + row, count};
}

inline void make_zeros(std::size_t groups, const row_codes& to) {
  for (std::size_t g = 0; g < groups; ++g) {
    std::fill_n(to.codes + g * to.code_stride, group_size, std::int8_t{});
    to.pair_sums[g * to.pair_sum_stride] = 0;
  }
}

/// Quantizes rows [first, last) into the call's workspace, with the offsets that `Tile` makes of the sums of codes.
template <class Tile>
void quantize_rows(const group_gemm_arguments& call, const row_quantizer& path, std::size_t first, std::size_t last) {
  const group_rows layout{call.rows, call.weights.groups()};
  float* const scales = packed_array<float>(call.workspace, layout.scales());
  for (std::size_t m = first; m < last; ++m) {
    const row_codes to = codes_of_row(layout, call.workspace, m);
    const float* const values = call.activations + m * call.activation_stride;
    const auto greatest = std::bit_cast<float>(path.greatest_bits(values, call.weights.inputs));
    const float inverse = 127 / greatest;
    scales[m] = std::isfinite(greatest) ? greatest / 127 : std::numeric_limits<float>::quiet_NaN();
    if (!std::isfinite(greatest) || !std::isfinite(inverse)) {
      make_zeros(layout.groups, to);
      continue;
    }
    path.quantize(values, layout.groups, inverse, to);
    for (std::size_t g = 0; g < layout.groups; ++g) {
      std::int32_t& offset = to.pair_sums[g * to.pair_sum_stride];
      offset = Tile::offset(offset);
    }
  }
}

}  // namespace bitwright::kernels
