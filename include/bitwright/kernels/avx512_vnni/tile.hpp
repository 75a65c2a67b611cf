// SPDX-License-Identifier: MIT
/// \file
/// The tile of AVX512-VNNI: vpdpbusd adds four products of 8-bit activations and weights to each of 16 columns, exactly.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// Operands are unsigned: a signed activation has 128 added, which flips its sign bit.
template <one_of<std::uint8_t, std::int8_t> Activation>
struct tile {
  using operand = Activation;
  using weight = std::int8_t;
  static constexpr bool converts = false;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t max_vectors = 4;

  /// So many sums, up to 24, that registers are left for a panel's step and a row's, and fewer loads than products.
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 4 ? 6 : 8; }
  static constexpr std::int32_t activation_offset(std::int32_t) { return std::is_signed_v<Activation> ? -128 : 0; }
  static constexpr std::int32_t weight_offset(std::int32_t) { return 0; }

  /// The next four operands of a row, in every column.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i broadcast(
      std::int32_t four_codes) {
    const __m512i codes = _mm512_set1_epi32(four_codes);
    if constexpr (std::is_signed_v<Activation>)
      return _mm512_xor_si512(codes, _mm512_set1_epi32(static_cast<int>(0x80808080u)));
    return codes;
  }

  /// Sums of Rows x Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  struct registers {
    __m512i of[Rows][Vectors];

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void set(
        const std::int32_t* columns) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm512_loadu_si512(columns + v * lanes);
    }

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void set_zero() {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm512_setzero_si512();
    }

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void add(const registers& other) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm512_add_epi32(of[row][v], other.of[row][v]);
    }

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void write(
        std::int32_t* sums) const {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) _mm512_storeu_si512(sums + (row * Vectors + v) * lanes, of[row][v]);
    }
  };

  /// Adds one step, of four bytes a row.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void add_step(
      registers<Rows, Vectors>& sums, const std::byte* const* operands, std::size_t k, const std::byte* weights) {
    __m512i panel[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) panel[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      const __m512i step = broadcast(load_step(operands[row] + k));
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) sums.of[row][v] = _mm512_dpbusd_epi32(sums.of[row][v], step, panel[v]);
    }
  }

  /// A tile with few sums begins further steps, with sums of their own, before its products are there.
  static constexpr std::size_t steps_in_flight(std::size_t sums) { return sums >= 8 ? 1 : sums >= 4 ? 2 : 4; }

  /// Adds a segment of `length` bytes a row.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void add_segment(
      registers<Rows, Vectors>* sums, const std::byte* const* rows, std::size_t offset, std::size_t length,
      const std::byte* weights) {
    constexpr std::size_t count = steps_in_flight(Rows * Vectors), step_bytes = Vectors * 64;
    const std::byte* from[Rows];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row] + offset;
    // The bytes that fill no step are a second round, of one step from a copy: the loops stand here once.
    std::int32_t tails[Rows];
    for (std::size_t tail = length % 4, steps = length / 4;; steps = 1, tail = 0) {
      std::size_t k = 0;
      for (; count > 1 && steps >= count; steps -= count, k += count * 4, weights += count * step_bytes)
#pragma GCC unroll 4
        for (std::size_t chain = 0; chain < count; ++chain)
          add_step<Rows, Vectors>(sums[chain], from, k + chain * 4, weights + chain * step_bytes);
      for (; steps > 0; --steps, k += 4, weights += step_bytes) add_step<Rows, Vectors>(sums[0], from, k, weights);
      if (tail == 0) return;
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        tails[row] = load_tail(from[row] + length, tail, length);
        from[row] = reinterpret_cast<const std::byte*>(tails + row);
      }
    }
  }

  /// The sums of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] static void accumulate(const tile_sums& task) {
    constexpr std::size_t count = steps_in_flight(Rows * Vectors);
    registers<Rows, Vectors> sums[count];
    sums[0].set(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 1; i < count; ++i) sums[i].set_zero();
    const segment_box box = task.box;
    const std::size_t length = task.length;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t segment = i * box.width + box.first_column; segment < i * box.width + box.last_column; ++segment)
        add_segment<Rows, Vectors>(sums, task.rows + segment * task.segment_stride, task.offset, length,
                                   task.weights + segment * task.segment_bytes);
#pragma GCC unroll 4
    for (std::size_t i = 1; i < count; ++i) sums[0].add(sums[i]);
    sums[0].write(task.sums);
  }
};

/// Writes the first Vectors x 16 of 64 codes, or `columns` of them.
template <std::size_t Vectors>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_bytes(
    __m512i codes, std::size_t columns, void* outputs) {
  auto* const at = static_cast<std::byte*>(outputs);
  if (columns < Vectors * 16) return _mm512_mask_storeu_epi8(at, (std::uint64_t{1} << columns) - 1, codes);
  if constexpr (Vectors == 4) return _mm512_storeu_si512(at, codes);
  if constexpr (Vectors == 1) return _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm512_castsi512_si128(codes));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_castsi512_si256(codes));
  if constexpr (Vectors == 3)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at + 32), _mm512_extracti32x4_epi32(codes, 2));
}

/// A tile's sums become 8-bit codes, if `suits_bytes`.
template <std::size_t Vectors, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void store_byte_tile(const tile_codes& task) {
  quarter_factors factors[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v)
    factors[v] =
        quarter_factors::of(_mm512_loadu_si512(task.multipliers + v * 16), _mm512_loadu_si512(task.shifts + v * 16));
  const auto window = byte_lanes<Output>::of(task.zero_point, task.output_codes);
  for (std::size_t row = 0; row < task.rows; ++row) {
    __m512i rounded[4];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v)
      rounded[v] = v < Vectors ? factors[v].requantize(_mm512_load_si512(task.sums + (row * Vectors + v) * 16))
                               : _mm512_setzero_si512();
    const __m512i codes = window.codes(rounded[0], rounded[1], rounded[2], rounded[3]);
    store_bytes<Vectors>(codes, task.columns, reinterpret_cast<Output*>(task.outputs[row]) + task.first_output);
  }
}

/// Whether all columns' factors round as half_up does, to codes that byte_lanes make.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] bool suits_bytes(const tile_codes& task) {
  bool suits = suits_byte_lanes(task.zero_point);
  for (std::size_t column = 0; column < task.padded_columns; column += 16)
    suits = suits && all_round_as_half_up<Rounding>(_mm512_loadu_si512(task.multipliers + column),
                                                    _mm512_loadu_si512(task.shifts + column));
  return suits;
}

/// A tile's sums become codes of type Output.
template <class Output, integer_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void store_tile(const tile_codes& task) {
  if constexpr (sizeof(Output) == 1 && vectorized_rounding<Rounding>)
    if (suits_bytes<Rounding>(task)) {
      constexpr std::array stores{store_byte_tile<1, Output>, store_byte_tile<2, Output>, store_byte_tile<3, Output>,
                                  store_byte_tile<4, Output>};
      return stores[task.padded_columns / 16 - 1](task);
    }
  for (std::size_t column = 0; column < task.columns; column += 16) {
    const __m512i multipliers = _mm512_loadu_si512(task.multipliers + column);
    const __m512i shifts = _mm512_loadu_si512(task.shifts + column);
    for (std::size_t row = 0; row < task.rows; ++row) {
      const __m512i sums = _mm512_loadu_si512(task.sums + row * task.padded_columns + column);
      const __m512i codes = codes_of(requantize<Rounding>(sums, multipliers, shifts), task.window);
      store_codes(codes, reinterpret_cast<Output*>(task.outputs[row]) + task.first_output + column,
                  task.columns - column);
    }
  }
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
