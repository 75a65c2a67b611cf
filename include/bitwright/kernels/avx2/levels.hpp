// SPDX-License-Identifier: MIT
/// \file
/// Indices become levels by byte shuffles, 32 bytes at a time.
#pragma once

#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/weight_levels.hpp>

#include <immintrin.h>

#include <cstddef>

namespace bitwright::kernels::avx2 {

/// The level tables, each in both halves of a vector.
template <std::size_t Count>
struct level_shuffles {
  __m256i tables[Count];

  [[gnu::target("avx2"), gnu::always_inline]] static inline level_shuffles from(const level_tables& all) {
    level_shuffles shuffles;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < Count; ++i)
      shuffles.tables[i] =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(all[i].data())));
    return shuffles;
  }

  /// The levels of the i-th indices of half bytes.
  [[gnu::target("avx2"), gnu::always_inline]] inline __m256i of(std::size_t i, __m256i half_bytes) const {
    return _mm256_shuffle_epi8(tables[i], half_bytes);
  }
};

/// The lower or the upper half of each of 32 bytes.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i half_bytes(const std::byte* indices, std::size_t upper) {
  const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(indices));
  return _mm256_and_si256(upper == 0 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}

/// Writes the levels of a panel's indices as its steps.
template <std::size_t Bits>
[[gnu::target("avx2")]] void unpack(const packed_segment& panel) {
  constexpr std::size_t each = 4 / Bits;
  const auto levels = level_shuffles<each>::from(*panel.tables);
  const std::size_t step_bytes = panel.width * 32;
  const std::byte* indices = panel.indices;
  std::byte* weights = panel.weights;
  for (std::size_t left = panel.vectors; left > 0; left -= panel.width, weights += 2 * each * step_bytes)
    for (std::size_t v = 0; v < panel.width; ++v, indices += 32)
#pragma GCC unroll 2
      for (std::size_t upper = 0; upper < 2; ++upper) {
        const __m256i halves = half_bytes(indices, upper);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < each; ++i)
          _mm256_store_si256(reinterpret_cast<__m256i*>(weights + (upper * each + i) * step_bytes + v * 32),
                             levels.of(i, halves));
      }
}

}  // namespace bitwright::kernels::avx2
