// SPDX-License-Identifier: MIT
/// \file
/// The tiles of a group-wise gemm in 256-bit vectors: eight columns a panel, four codes of each a step.
///
/// A group's dot products begin with what zero points take from them, from the sum of the row's codes, and each step adds
/// four products to every column. The products are a type, so that AVX-VNNI differs in them alone.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_rows.hpp>
#include <bitwright/kernels/tiled_group_gemm.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::avx2 {

/// 4-bit codes in bytes times activations, added in 16 bits: two sums of a column, each of 16 products, fit.
/// An offset has two halves, one for each of the sums.
template <group_format Format>
struct group_products {
  static constexpr std::uint8_t flipped_bits = 0;
  static_assert(group_size / 2 * 15 * 127 <= std::numeric_limits<std::int16_t>::max());
  static_assert(group_size / 2 * 16 * 127 <= std::numeric_limits<std::int16_t>::max());

  static constexpr std::int32_t offset(std::int32_t sums) {
    constexpr std::int32_t factor = Format::has_zero_points ? 1 : Format::zero_point;
    return join_pair_sums(-factor * first_pair_sum(sums), -factor * second_pair_sum(sums));
  }
  /// A column's zero point in both of its halves.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i widen(__m256i zero_points) {
    return _mm256_or_si256(zero_points, _mm256_slli_epi32(zero_points, 16));
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i begin(__m256i offset,
                                                                                   __m256i zero_points) {
    return Format::has_zero_points ? _mm256_mullo_epi16(offset, zero_points) : offset;
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i weights,
                                                                                 __m256i activations) {
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(weights, activations));
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i end(__m256i sums) {
    return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
  }
};

/// 8-bit codes: the magnitude of a weight times the activation with the weight's sign. Two such products fit 16 bits, as
/// activations are never -128: of the weight -128 the magnitude is 128, and the activation's opposite a code.
template <>
struct group_products<eight_bit_groups> {
  static constexpr std::uint8_t flipped_bits = 0;
  static_assert(2 * 128 * 127 <= std::numeric_limits<std::int16_t>::max());

  static constexpr std::int32_t offset(std::int32_t) { return 0; }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i widen(__m256i zero_points) {
    return zero_points;
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i begin(__m256i, __m256i) {
    return _mm256_setzero_si256();
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i weights,
                                                                                 __m256i activations) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(activations, weights));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i end(__m256i sums) { return sums; }
};

template <group_format Format, class Products = group_products<Format>>
struct group_tile : Products {
  using format = Format;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t single_vectors = 4;
  static constexpr std::size_t many_vectors = 2;

  static constexpr std::size_t steps = group_size / depth;
  static constexpr std::size_t stored = steps * Format::bits / 8;  ///< Vectors of a group in memory.

  /// The scales of a panel's group.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256 load_scales(const group_task& task,
                                                                                        std::size_t v,
                                                                                        std::size_t group) {
    const std::byte* const scales = task.panels + v * task.panel_bytes + task.scales;
    return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(scales) + group));
  }

  /// Its zero points, as products take them.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i load_zero_points(const group_task& task,
                                                                                              std::size_t v,
                                                                                              std::size_t group) {
    if constexpr (!Format::has_zero_points) return _mm256_setzero_si256();
    const std::byte* const zero_points = task.panels + v * task.panel_bytes + task.zero_points + group * lanes;
    return Products::widen(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(zero_points))));
  }

  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i load(const group_task& task, std::size_t v,
                                                                                  std::size_t group, std::size_t i) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(task.panels + v * task.panel_bytes) + group * stored + i);
  }

  /// The codes of a step, of the vector that holds them.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i unpack(__m256i vector, std::size_t step) {
    if constexpr (Format::bits == 8) return vector;
    return _mm256_and_si256(step < stored ? vector : _mm256_srli_epi16(vector, 4), _mm256_set1_epi8(15));
  }

  /// A step's four activations, in every column.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i operands(const std::int8_t* codes,
                                                                                      std::size_t step) {
    return _mm256_set1_epi32(load_step(reinterpret_cast<const std::byte*>(codes) + step * depth));
  }

  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256 add_group(__m256 sums, __m256i dots,
                                                                                      __m256 scales) {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(Products::end(dots)), scales, sums);
  }

  /// Sums of a row in panel v of `Vectors`, as the task's outputs have them.
  template <std::size_t Vectors>
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline void finish(const group_task& task,
                                                                                 std::size_t row, std::size_t v,
                                                                                 __m256 sums) {
    const __m256 scale = _mm256_set1_ps(task.row_scales[row]), bias = _mm256_load_ps(task.bias + v * lanes);
    _mm256_store_ps(task.outputs + (row * Vectors + v) * lanes, _mm256_fmadd_ps(sums, scale, bias));
  }

  /// Keeps what follows from being begun before: g++ 12 makes all products first otherwise, and has no registers for them.
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline void keep_order(__m256i& dots) {
    asm volatile("" : "+x"(dots));
  }

  /// One row: weights are used as they are unpacked, each of the row's operands for all panels.
  template <std::size_t Vectors>
  [[gnu::target("avx2,fma,f16c")]] static void single(group_task task) {
    __m256 sums[Vectors] = {};
    for (std::size_t g = 0; g < task.groups; ++g) {
      const std::int8_t* const codes = task.codes + g * group_size;
      __m256i dots[Vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v)
        dots[v] = Products::begin(_mm256_set1_epi32(task.offsets[g]), load_zero_points(task, v, g));
#pragma GCC unroll 4
      for (std::size_t i = 0; i < steps / 2; ++i) {
        const __m256i first = operands(codes, i), second = operands(codes, i + steps / 2);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
          const __m256i vector = load(task, v, g, i), other = load(task, v, g, (i + steps / 2) % stored);
          dots[v] = Products::add(dots[v], unpack(vector, i), first);
          dots[v] = Products::add(dots[v], unpack(other, i + steps / 2), second);
          keep_order(dots[v]);
        }
      }
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) sums[v] = add_group(sums[v], dots[v], load_scales(task, v, g));
    }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) finish<Vectors>(task, 0, v, sums[v]);
  }

  /// What several rows' tile goes through, group by group.
  struct position {
    std::size_t group;
    const std::int8_t* codes;
    const std::int32_t* offsets;
    __m256i* dots;  ///< Of all rows, between two passes.
  };

  /// The pass of a group in which the weights of one of `Vectors` parts of its steps are in registers, unpacked once for
  /// all rows. Two panels thus share every load of a row's operands.
  template <std::size_t Vectors, std::size_t Pass>
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline void pass(const group_task& task,
                                                                               const position& at) {
    constexpr std::size_t count = steps / Vectors, first = Pass * count;
    __m256i weights[Vectors][count], zero_points[Vectors];
    __m256 scales[Vectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < count; ++i)
        weights[v][i] = unpack(load(task, v, at.group, (first + i) % stored), first + i);
      if constexpr (Pass == 0) zero_points[v] = load_zero_points(task, v, at.group);
      if constexpr (Pass + 1 == Vectors) scales[v] = load_scales(task, v, at.group);
    }
    float* const outputs = task.outputs;
    for (std::size_t row = 0, rows = task.rows; row < rows; ++row) {
      __m256i dots[Vectors];
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v)
        if constexpr (Pass == 0)
          dots[v] = Products::begin(_mm256_set1_epi32(at.offsets[row]), zero_points[v]);
        else
          dots[v] = at.dots[row * Vectors + v];
#pragma GCC unroll 8
      for (std::size_t i = 0; i < count; ++i) {
        const __m256i four = operands(at.codes + row * group_size, first + i);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Vectors; ++v) dots[v] = Products::add(dots[v], weights[v][i], four);
      }
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v)
        if constexpr (Pass + 1 == Vectors) {
          float* const sums = outputs + (row * Vectors + v) * lanes;
          _mm256_store_ps(sums, add_group(_mm256_load_ps(sums), dots[v], scales[v]));
        } else {
          at.dots[row * Vectors + v] = dots[v];
        }
    }
  }

  /// Several rows: a group's weights are unpacked once for all of them.
  template <std::size_t Vectors>
  [[gnu::target("avx2,fma,f16c")]] static void many(const group_task& task) {
    const std::size_t sums = task.rows * Vectors;
    for (std::size_t i = 0; i < sums; ++i) _mm256_store_ps(task.outputs + i * lanes, _mm256_setzero_ps());
    __m256i dots[group_rows::block * Vectors];
    for (std::size_t g = 0; g < task.groups; ++g) {
      const position at{g, task.codes + g * task.rows * group_size, task.offsets + g * task.rows, dots};
      pass<Vectors, 0>(task, at);
      if constexpr (Vectors == 2) pass<Vectors, 1>(task, at);
    }
    for (std::size_t i = 0; i < sums; ++i)
      finish<Vectors>(task, i / Vectors, i % Vectors, _mm256_load_ps(task.outputs + i * lanes));
  }
};

}  // namespace bitwright::kernels::avx2
