// SPDX-License-Identifier: MIT
/// \file
/// The tiles of a group-wise gemm for AVX-VNNI: those of 256-bit vectors, with vpdpbusd, which adds four products of bytes
/// exactly.
#pragma once

#include <bitwright/kernels/avx2/group_tile.hpp>
#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_rows.hpp>

#include <immintrin.h>

#include <cstdint>

namespace bitwright::kernels::avx_vnni {

/// Codes as unsigned bytes times activations: of 8-bit codes the sign bit is flipped, which adds 128. An offset is the
/// sum of the row's codes times what is to be taken from every code, or -1 where the zero point follows.
template <group_format Format>
struct group_products {
  static constexpr std::uint8_t flipped_bits = Format::bits == 8 ? 128 : 0;
  static constexpr std::int32_t taken = Format::has_zero_points ? 1 : Format::zero_point + flipped_bits;

  /// Where a zero point follows, 16 bits of it multiply: the sum of 32 codes fits them.
  static constexpr std::int32_t offset(std::int32_t sums) {
    const std::int32_t product = -taken * sum_of_pair_sums(sums);
    return Format::has_zero_points ? join_pair_sums(product, 0) : product;
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i widen(__m256i zero_points) {
    return zero_points;
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i begin(__m256i offset,
                                                                                   __m256i zero_points) {
    return Format::has_zero_points ? _mm256_madd_epi16(offset, zero_points) : offset;
  }
  /// By name: as an intrinsic it would need a target of its own, and with that a copy of all of the tile's functions.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i weights,
                                                                                 __m256i activations) {
    __asm__("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(sums) : "x"(weights), "x"(activations));
    return sums;
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i end(__m256i sums) { return sums; }
};

template <group_format Format>
using group_tile = avx2::group_tile<Format, group_products<Format>>;

}  // namespace bitwright::kernels::avx_vnni
