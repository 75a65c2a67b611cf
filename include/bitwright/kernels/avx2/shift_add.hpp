// SPDX-License-Identifier: MIT
/// \file
/// shift_add for AVX2. Its loops shift and add, and have no multiplication.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/shift_add_arguments.hpp>
#include <bitwright/kernels/term_panels.hpp>
#include <bitwright/kernels/tiled_shift_add.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// 32 rows in 16 bits each, or up to 4 rows, each beside 8 columns of 32 bits.
struct term_tile {
  static constexpr std::size_t rows = 32, few_rows = 4, lanes = 8, depth = 1;
  using operand = std::int16_t;
  using few_operand = std::int32_t;

  /// The exponent and 16, with a sign: a slot's sign is that of the term, 0 where there is none.
  using slot = std::int8_t;
  static constexpr slot empty_slot = 0;
  static constexpr slot slot_of(int exponent, bool negative) {
    return static_cast<slot>(negative ? exponent + 16 - 128 : exponent + 16);
  }
  static constexpr int greatest_step_exponent = term_byte::greatest_exponent;
  static constexpr bool adds_complement = false;

  /// The eight of `sums` in 32 bits, added to a total that is shifted then.
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i widened(__m256i total, __m128i sums,
                                                                            __m128i shift) {
    return _mm256_sll_epi32(_mm256_add_epi32(total, _mm256_cvtepi16_epi32(sums)), shift);
  }

  [[gnu::target("avx2")]] static void add_runs(const column_runs<operand>& task) {
    __m256i totals[4] = {};
    const std::uint16_t* inputs = task.inputs;
    for (const term_run* run = task.first; run != task.last; ++run) {
      const operand* const from = task.operands + std::size_t{run->first_input} * rows;
      const auto load = reinterpret_cast<const __m256i*>(from);
      __m256i low = _mm256_setzero_si256(), high = low;
      for (const std::uint16_t* const last = inputs + run->added; inputs != last; ++inputs) {
        low = _mm256_add_epi16(low, _mm256_load_si256(load + std::size_t{*inputs} * 2));
        high = _mm256_add_epi16(high, _mm256_load_si256(load + std::size_t{*inputs} * 2 + 1));
      }
      for (const std::uint16_t* const last = inputs + run->subtracted; inputs != last; ++inputs) {
        low = _mm256_sub_epi16(low, _mm256_load_si256(load + std::size_t{*inputs} * 2));
        high = _mm256_sub_epi16(high, _mm256_load_si256(load + std::size_t{*inputs} * 2 + 1));
      }
      const __m128i shift = _mm_cvtsi32_si128(run->shift);
      totals[0] = widened(totals[0], _mm256_castsi256_si128(low), shift);
      totals[1] = widened(totals[1], _mm256_extracti128_si256(low, 1), shift);
      totals[2] = widened(totals[2], _mm256_castsi256_si128(high), shift);
      totals[3] = widened(totals[3], _mm256_extracti128_si256(high, 1), shift);
    }
    const __m256i initial = _mm256_set1_epi32(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i)
      _mm256_store_si256(reinterpret_cast<__m256i*>(task.sums) + i, _mm256_add_epi32(totals[i], initial));
  }

  template <std::size_t Rows>
  [[gnu::target("avx2")]] static void add_steps(const vector_steps<few_operand, slot>& task) {
    __m256i sums[Rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row) sums[row] = load_columns(task.initial);
    for (std::size_t step = 0; step < task.count; ++step) {
      const auto* const bytes = reinterpret_cast<const __m128i*>(task.slots + step * lanes);
      const __m256i slots = _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes));
      const __m256i exponents = _mm256_and_si256(slots, _mm256_set1_epi32(15));
      const few_operand* const operands = task.operands + task.inputs[step];
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

template <class Activation>
std::size_t shift_add_packed_bytes(const shift_add_constants& constants) {
  return term_panels<term_tile, Activation>(constants).bytes();
}

template <class Activation>
void shift_add_pack(const shift_add_constants& constants, std::byte* packed) {
  term_panels<term_tile, Activation>(constants).write(packed);
}

inline std::size_t shift_add_workspace_bytes(const shift_add_constants& constants) {
  return tiled_shift_add_workspace_bytes<term_tile>(constants.sums);
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void shift_add(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  shift_add_runner<term_tile, Activation, Output>(call, store_tile<Output, Rounding>).run(first, last);
}

}  // namespace bitwright::kernels::avx2
