// SPDX-License-Identifier: MIT
/// \file
/// The tile of AVX-VNNI: that of 256-bit vectors, with vpdpbusd, which adds four products of bytes exactly.
#pragma once

#include <bitwright/kernels/avx2/tile.hpp>

#include <immintrin.h>

#include <cstddef>

namespace bitwright::kernels::avx_vnni {

/// vpdpbusd, for any weights.
template <class Activation>
struct dot_products : avx2::byte_operands<Activation> {
  static constexpr std::size_t max_vectors = 3;
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 3 ? 4 : vectors == 2 ? 6 : 8; }

  /// By name: as an intrinsic it would need a target of its own, and with that a copy of all of the tile's functions.
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i operands,
                                                                        __m256i weights) {
    __asm__("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(sums) : "x"(operands), "x"(weights));
    return sums;
  }
};

template <class Activation>
using tile = avx2::tile<Activation, dot_products<Activation>>;

}  // namespace bitwright::kernels::avx_vnni
