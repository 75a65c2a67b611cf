// SPDX-License-Identifier: MIT
/// \file
/// The tiles of a group-wise gemm for AVX512-VNNI: 16 columns a panel, four codes of each a step, which vpdpbusd
/// multiplies by a row's four activations and adds, exactly.
#pragma once

#include <bitwright/kernels/avx_vnni/group_tile.hpp>
#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_rows.hpp>
#include <bitwright/kernels/tiled_group_gemm.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

template <group_format Format>
struct group_tile {
  using format = Format;
  using products = avx_vnni::group_products<Format>;  ///< What is stored of codes, and what of sums, is the same.
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t single_vectors = 4;
  static constexpr std::size_t many_vectors = 2;  ///< Two panels' groups fill half of the registers.
  static constexpr std::uint8_t flipped_bits = products::flipped_bits;
  static constexpr std::int32_t offset(std::int32_t pair_sums) { return products::offset(pair_sums); }

  static constexpr std::size_t steps = group_size / depth;
  static constexpr std::size_t stored = steps * Format::bits / 8;  ///< Vectors of a group in memory.

  /// The scales of a panel's group.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512 load_scales(
      const group_task& task, std::size_t v, std::size_t group) {
    const std::byte* const scales = task.panels + v * task.panel_bytes + task.scales;
    return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(scales) + group));
  }

  /// What a panel's group begins with.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i
  load_zero_points(const group_task& task, std::size_t v, std::size_t group) {
    if constexpr (!Format::has_zero_points) return _mm512_setzero_si512();
    const std::byte* const zero_points = task.panels + v * task.panel_bytes + task.zero_points;
    return _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(zero_points) + group));
  }
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i begin(
      std::int32_t offset, __m512i zero_points) {
    const __m512i offsets = _mm512_set1_epi32(offset);
    return Format::has_zero_points ? _mm512_madd_epi16(offsets, zero_points) : offsets;
  }

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i load(
      const group_task& task, std::size_t v, std::size_t group, std::size_t i) {
    return _mm512_load_si512(task.panels + v * task.panel_bytes + (group * stored + i) * 64);
  }

  /// The codes in the lower, or only, and in the upper half of a vector's bytes, these times 16.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i lower(
      __m512i vector) {
    return Format::bits == 8 ? vector : _mm512_and_si512(vector, _mm512_set1_epi8(15));
  }
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i upper_by_16(
      __m512i vector) {
    return _mm512_andnot_si512(_mm512_set1_epi8(15), vector);
  }

  /// A step's four activations, in every column. Behind the compiler's back: it would have every product read them anew,
  /// and a core loads as few vectors in a cycle as it multiplies.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i operands(
      const std::int8_t* codes, std::size_t step) {
    __m512i four = _mm512_set1_epi32(load_step(reinterpret_cast<const std::byte*>(codes) + step * depth));
    asm("" : "+v"(four));
    return four;
  }

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512 add_group(
      __m512 sums, __m512i dots, __m512 scales) {
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scales, sums);
  }

  /// Sums of a row in panel v of `Vectors`, as the task's outputs have them.
  template <std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void finish(
      const group_task& task, std::size_t row, std::size_t v, __m512 sums) {
    const __m512 scale = _mm512_set1_ps(task.row_scales[row]), bias = _mm512_load_ps(task.bias + v * lanes);
    _mm512_store_ps(task.outputs + (row * Vectors + v) * lanes, _mm512_fmadd_ps(sums, scale, bias));
  }

  /// One row. The upper halves of bytes are multiplied where they are, and their sum is divided by 16 once a group.
  template <std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] static void single(group_task task) {
    __m512 sums[Vectors];
#pragma GCC unroll 4
    for (__m512& sum : sums) sum = _mm512_setzero_ps();
    for (std::size_t g = 0; g < task.groups; ++g) {
      const std::int8_t* const codes = task.codes + g * group_size;
      __m512i dots[Vectors], second_dots[Vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        dots[v] = begin(task.offsets[g], load_zero_points(task, v, g));
        second_dots[v] = _mm512_setzero_si512();
      }
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        const __m512i first = operands(codes, i), second = operands(codes, i + 4);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
          __m512i vector = load(task, v, g, i);
          if constexpr (Format::bits == 4) asm("" : "+v"(vector));  // Or both halves' masks read it.
          dots[v] = _mm512_dpbusd_epi32(dots[v], lower(vector), first);
          const __m512i other = Format::bits == 8 ? load(task, v, g, i + 4) : upper_by_16(vector);
          second_dots[v] = _mm512_dpbusd_epi32(second_dots[v], other, second);
        }
      }
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        if constexpr (Format::bits == 4) second_dots[v] = _mm512_srai_epi32(second_dots[v], 4);
        sums[v] = add_group(sums[v], _mm512_add_epi32(dots[v], second_dots[v]), load_scales(task, v, g));
      }
    }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) finish<Vectors>(task, 0, v, sums[v]);
  }

  /// A group's weights, unpacked.
  template <std::size_t Vectors>
  struct registers {
    __m512i weights[Vectors][steps];
    __m512i zero_points[Vectors];
    __m512 scales[Vectors];
  };

  template <std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void unpack(
      const group_task& task, std::size_t group, registers<Vectors>& to) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < stored; ++i) {
        const __m512i vector = load(task, v, group, i);
        to.weights[v][i] = lower(vector);
        if constexpr (Format::bits == 4) to.weights[v][stored + i] = lower(_mm512_srli_epi16(vector, 4));
      }
      to.zero_points[v] = load_zero_points(task, v, group);
      to.scales[v] = load_scales(task, v, group);
    }
  }

  /// Asks for weights early: between two groups there is a whole block's work, too much for a processor to look ahead.
  template <std::size_t Vectors>
  static void prefetch(const group_task& task, std::size_t group) {
    for (std::size_t v = 0; v < Vectors; ++v) {
      const std::byte* const panel = task.panels + v * task.panel_bytes;
      for (std::size_t i = 0; i < stored; ++i) __builtin_prefetch(panel + (group * stored + i) * 64);
      __builtin_prefetch(panel + task.scales + group * lanes * sizeof(std::uint16_t));
    }
  }

  /// Several rows: a group's weights are unpacked once, and stay in registers for all of them.
  template <std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] static void many(const group_task& task) {
    constexpr std::size_t columns = Vectors * lanes;
    float* const end = task.outputs + task.rows * columns;
    for (float* sums = task.outputs; sums != end; sums += lanes) _mm512_store_ps(sums, _mm512_setzero_ps());
    const std::int8_t* codes = task.codes;
    const std::int32_t* offset = task.offsets;
    for (std::size_t g = 0; g < task.groups; ++g) {
      registers<Vectors> group;
      unpack(task, g, group);
      prefetch<Vectors>(task, std::min(g + 4, task.groups - 1));
      for (float* sums = task.outputs; sums != end; sums += columns, codes += group_size, ++offset) {
        __m512i dots[Vectors];
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Vectors; ++v) dots[v] = begin(*offset, group.zero_points[v]);
#pragma GCC unroll 8
        for (std::size_t step = 0; step < steps; ++step) {
          const __m512i four = operands(codes, step);
#pragma GCC unroll 2
          for (std::size_t v = 0; v < Vectors; ++v)
            dots[v] = _mm512_dpbusd_epi32(dots[v], group.weights[v][step], four);
        }
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Vectors; ++v)
          _mm512_store_ps(sums + v * lanes, add_group(_mm512_load_ps(sums + v * lanes), dots[v], group.scales[v]));
      }
    }
    for (std::size_t row = 0; row < task.rows; ++row)
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v)
        finish<Vectors>(task, row, v, _mm512_load_ps(task.outputs + row * columns + v * lanes));
  }
};

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
