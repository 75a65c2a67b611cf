// SPDX-License-Identifier: MIT
/// \file
/// The tile of shift_add for AVX2. Its loops shift and add, and have no multiplication.
#pragma once

#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/term_panels.hpp>
#include <bitwright/kernels/tiled_shift_add.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// 32 rows of a byte each; or up to 4 rows beside 8 columns, in 32 bits.
struct term_tile {
  static constexpr std::size_t rows = 32, few_rows = 8, step_rows = 4, lanes = 8, depth = 1;
  using operand = std::int32_t;

  /// A 16-bit lane has rows i and i + 16.
  static constexpr std::size_t place_of(std::size_t row) { return row % 16 * 2 + row / 16; }

  /// The exponent and 16, with a sign: a slot's sign is that of the term, 0 where there is none.
  using slot = std::int8_t;
  static constexpr slot empty_slot = 0;
  static constexpr slot slot_of(int exponent, bool negative) {
    return static_cast<slot>(negative ? exponent + 16 - 128 : exponent + 16);
  }
  static constexpr int greatest_step_exponent = term_byte::greatest_exponent;
  static constexpr bool adds_complement = false;

  /// What a run's activations add up to, in 16 bits: the high byte of each lane, and the lane itself modulo 2^16, which
  /// is 256 times that and the low byte.
  struct run_sums {
    __m256i lanes;
    __m256i high;
  };

  [[gnu::target("avx2"), gnu::always_inline]] static inline run_sums add_run(const term_run& run,
                                                                             const std::uint16_t* inputs,
                                                                             const std::uint8_t* operands) {
    const auto* const from = reinterpret_cast<const __m256i*>(operands) + run.first_input;
    run_sums sums{_mm256_setzero_si256(), _mm256_setzero_si256()};
#pragma GCC unroll 4
    for (std::size_t i = 0; i < run.added; ++i) {
      const __m256i bytes = _mm256_load_si256(from + inputs[i]);
      sums.lanes = _mm256_add_epi16(sums.lanes, bytes);
      sums.high = _mm256_add_epi16(sums.high, _mm256_srli_epi16(bytes, 8));
    }
    inputs += run.added;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < run.subtracted; ++i) {
      const __m256i bytes = _mm256_load_si256(from + inputs[i]);
      sums.lanes = _mm256_sub_epi16(sums.lanes, bytes);
      sums.high = _mm256_sub_epi16(sums.high, _mm256_srli_epi16(bytes, 8));
    }
    return sums;
  }

  /// Adds 16 sums of 16 bits to as many totals, which are shifted then.
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_and_shift(__m256i* totals, __m256i sums,
                                                                               __m128i shift) {
    const __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sums));
    const __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sums, 1));
    totals[0] = _mm256_sll_epi32(_mm256_add_epi32(totals[0], low), shift);
    totals[1] = _mm256_sll_epi32(_mm256_add_epi32(totals[1], high), shift);
  }

  [[gnu::target("avx2")]] static void add_runs(const column_runs& task) {
    __m256i totals[4] = {};
    const std::uint16_t* inputs = task.inputs;
    for (const term_run* run = task.first; run != task.last; inputs += run->added + run->subtracted, ++run) {
      const run_sums sums = add_run(*run, inputs, task.operands);
      const __m128i shift = _mm_cvtsi32_si128(run->shift);
      add_and_shift(totals, _mm256_sub_epi16(sums.lanes, _mm256_slli_epi16(sums.high, 8)), shift);
      add_and_shift(totals + 2, sums.high, shift);
    }
    const __m256i initial = _mm256_set1_epi32(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i)
      _mm256_store_si256(reinterpret_cast<__m256i*>(task.sums) + i, _mm256_add_epi32(totals[i], initial));
  }

  template <std::size_t Rows>
  [[gnu::target("avx2")]] static void add_steps(const vector_steps<operand, slot>& task) {
    __m256i sums[Rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row) sums[row] = load_columns(task.initial);
    for (std::size_t step = 0; step < task.count; ++step) {
      const auto* const bytes = reinterpret_cast<const __m128i*>(task.slots + step * lanes);
      const __m256i slots = _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes));
      const __m256i exponents = _mm256_and_si256(slots, _mm256_set1_epi32(15));
      const operand* const operands = task.operands + task.inputs[step];
#pragma GCC unroll 4
      for (std::size_t row = 0; row < Rows; ++row) {
        const __m256i shifted = _mm256_sllv_epi32(_mm256_set1_epi32(operands[row * task.row_stride]), exponents);
        sums[row] = _mm256_add_epi32(sums[row], _mm256_sign_epi32(shifted, slots));
      }
    }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(task.sums + row * term_panel_columns), sums[row]);
  }
};

}  // namespace bitwright::kernels::avx2
