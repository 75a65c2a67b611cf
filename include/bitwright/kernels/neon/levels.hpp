// SPDX-License-Identifier: MIT
/// \file
/// Indices become levels by table lookups, 16 bytes at a time.
#pragma once

#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/weight_levels.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// The level tables, each in a register.
template <std::size_t Count>
struct level_lookups {
  int8x16_t tables[Count];

  [[gnu::always_inline]] static inline level_lookups from(const level_tables& all) {
    level_lookups lookups;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < Count; ++i) lookups.tables[i] = vld1q_s8(all[i].data());
    return lookups;
  }

  /// The levels of the i-th indices of half bytes.
  [[gnu::always_inline]] inline int8x16_t of(std::size_t i, uint8x16_t half_bytes) const {
    return vqtbl1q_s8(tables[i], half_bytes);
  }
};

[[gnu::always_inline]] inline uint8x16_t load_indices(const std::byte* indices) {
  return vld1q_u8(reinterpret_cast<const std::uint8_t*>(indices));
}

/// The lower or the upper half of each byte.
[[gnu::always_inline]] inline uint8x16_t half_bytes(uint8x16_t bytes, std::size_t upper) {
  return upper == 0 ? vandq_u8(bytes, vdupq_n_u8(15)) : vshrq_n_u8(bytes, 4);
}

/// Operands that lie side by side.
template <std::size_t Count>
[[gnu::always_inline]] inline void load_operands(int8x16_t (&operands)[Count], const std::byte* bytes) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Count; ++i) operands[i] = vld1q_s8(reinterpret_cast<const std::int8_t*>(bytes) + 16 * i);
}

/// The last `left` < 16 * Count operands of a segment of `length`, which lie at `bytes`, and zeros.
template <std::size_t Count>
[[gnu::always_inline]] inline void load_last_operands(int8x16_t (&operands)[Count], const std::byte* bytes,
                                                      std::size_t left, std::size_t length) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Count; ++i)
    if (left >= 16 * (i + 1))
      operands[i] = vld1q_s8(reinterpret_cast<const std::int8_t*>(bytes) + 16 * i);
    else
      operands[i] = load_padded(bytes + left, left > 16 * i ? left - 16 * i : 0, length);
}

/// Writes the levels of a panel's indices as its steps. A path's vector has `vector_bytes`, a multiple of 16.
template <std::size_t Bits>
void unpack(const packed_segment& panel, std::size_t vector_bytes) {
  constexpr std::size_t each = 4 / Bits;
  const auto levels = level_lookups<each>::from(*panel.tables);
  const std::size_t step_bytes = panel.width * vector_bytes;
  const std::byte* indices = panel.indices;
  auto* weights = reinterpret_cast<std::int8_t*>(panel.weights);
  for (std::size_t left = panel.vectors; left > 0; left -= panel.width, weights += 2 * each * step_bytes)
    for (std::size_t at = 0; at < step_bytes; at += 16, indices += 16) {
      const uint8x16_t bytes = load_indices(indices);
#pragma GCC unroll 2
      for (std::size_t upper = 0; upper < 2; ++upper) {
        const uint8x16_t halves = half_bytes(bytes, upper);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < each; ++i)
          vst1q_s8(weights + (upper * each + i) * step_bytes + at, levels.of(i, halves));
      }
    }
}

}  // namespace bitwright::kernels::neon
