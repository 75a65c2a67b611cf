// SPDX-License-Identifier: MIT
/// \file
/// The residual add, 64 elements at a time in 16-bit lanes where residual_bytes knows that to be exact, else 16 at a time
/// in 32-bit lanes.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/residual_bytes.hpp>
#include <bitwright/kernels/residual_lines.hpp>
#include <bitwright/kernels/scalar/residual_add.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <immintrin.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// 32 codes in 16 bits.
template <class Code>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i load_wide(
    const Code* codes) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  return std::same_as<Code, std::uint8_t> ? _mm512_cvtepu8_epi16(bytes) : _mm512_cvtepi8_epi16(bytes);
}

/// 32 numbers of 32 bits, in the order in which interleaving leaves them.
struct wide_pair {
  __m512i low;
  __m512i high;
};

/// A branch's constants, in all lanes.
struct branch_lanes {
  __m512i zero_points;
  __m512i low;
  __m512i high_and_one;
  __m512i addends;
  __m512i shifts;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static branch_lanes of(
      const residual_branch_lanes& branch) {
    return {_mm512_set1_epi16(branch.zero_point), _mm512_set1_epi16(branch.low),
            _mm512_set1_epi32((1 << 16) | static_cast<std::uint16_t>(branch.high)), _mm512_set1_epi32(branch.addend),
            _mm512_set1_epi32(branch.shift)};
  }

  /// 32 codes on the finer grid.
  template <class Code>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] wide_pair rounded(
      const Code* codes) const {
    const __m512i differences = _mm512_sub_epi16(load_wide(codes), zero_points);
    const __m512i floors = _mm512_mulhi_epi16(differences, low);
    return {shifted(_mm512_unpacklo_epi16(differences, floors)), shifted(_mm512_unpackhi_epi16(differences, floors))};
  }

 private:
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i shifted(
      __m512i pairs) const {
    return _mm512_srav_epi32(_mm512_dpwssd_epi32(addends, pairs, high_and_one), shifts);
  }
};

/// A residual add's constants, in all lanes.
template <to_nearest Rounding>
struct residual_lanes {
  branch_lanes left;
  branch_lanes right;
  __m512i zeros;
  __m512i odd;
  __m512i most;
  __m512i back;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static residual_lanes of(
      const residual_bytes& add) {
    return {branch_lanes::of(add.left),         branch_lanes::of(add.right), _mm512_set1_epi16(add.zero),
            _mm512_set1_epi16(add.odd ? 1 : 0), _mm512_set1_epi8(add.most),  _mm512_set1_epi8(add.back)};
  }

  /// 32 sums, moved, as codes in 16 bits.
  template <class Left, class Right>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i sums(
      const Left* left_codes, const Right* right_codes) const {
    const wide_pair a = left.rounded(left_codes), b = right.rounded(right_codes);
    // Packing puts back in order what interleaving took apart.
    const __m512i sum = _mm512_packs_epi32(_mm512_add_epi32(a.low, b.low), _mm512_add_epi32(a.high, b.high));
    const __m512i half = _mm512_set1_epi16(1 << (residual_guard_bits - 1));
    return _mm512_srai_epi16(_mm512_adds_epi16(_mm512_adds_epi16(sum, half), tie_steps(sum)), residual_guard_bits);
  }

  /// What a half more leaves to add for the policy's ties: -1 to those that go down.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i tie_steps(
      __m512i sum) const {
    if constexpr (std::same_as<Rounding, half_to_even>) {
      const __m512i one = _mm512_set1_epi16(1),
                    quotient = _mm512_xor_si512(_mm512_srli_epi16(sum, residual_guard_bits), odd);
      return _mm512_sub_epi16(_mm512_and_si512(quotient, one), one);
    } else if constexpr (std::same_as<Rounding, half_away_from_zero>) {
      return _mm512_movm_epi16(_mm512_cmpgt_epi16_mask(zeros, sum));
    } else {
      return _mm512_setzero_si512();
    }
  }

  /// 64 codes.
  template <class Left, class Right>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void add(
      const Left* left_codes, const Right* right_codes, std::uint8_t* outputs) const {
    const __m512i first = sums(left_codes, right_codes);
    const __m512i second = sums(left_codes + 32, right_codes + 32);
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512i bytes = _mm512_permutexvar_epi64(order, _mm512_packs_epi16(first, second));
    _mm512_storeu_si512(outputs, _mm512_add_epi8(_mm512_min_epi8(bytes, most), back));
  }
};

/// 64 values of a branch's line, in the order in which interleaving leaves them.
struct line_values {
  __m512i low;
  __m512i high;
};

/// A branch's line, in all lanes.
struct line_lanes {
  __m512i steps;
  __m512i fractions;
  __m512i starts;
  __m512i addends;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static line_lanes of(
      const residual_line& line) {
    return {_mm512_set1_epi16(line.steps), _mm512_set1_epi16(line.fraction),
            _mm512_set1_epi8(static_cast<char>(line.start)), _mm512_set1_epi16(static_cast<std::int16_t>(line.addend))};
  }

  /// Of 64 codes.
  template <class Code>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] line_values values(
      const Code* codes) const {
    __m512i numbers = _mm512_loadu_si512(codes);
    if constexpr (std::same_as<Code, std::int8_t>)
      numbers = _mm512_xor_si512(numbers, _mm512_set1_epi8(static_cast<char>(0x80)));
    return {value(_mm512_unpacklo_epi8(numbers, starts)), value(_mm512_unpackhi_epi8(numbers, starts))};
  }

 private:
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i value(__m512i x) const {
    const __m512i products = _mm512_add_epi16(_mm512_mullo_epi16(x, steps), _mm512_mulhi_epi16(x, fractions));
    return _mm512_add_epi16(products, addends);
  }
};

/// Packed lines, in all lanes. `Below` is whether sums begin below the first code.
template <to_nearest Rounding, bool Below>
struct residual_line_lanes {
  line_lanes left;
  line_lanes right;
  __m512i below;
  __m512i tie;
  __m512i zero;
  __m512i first;
  __m512i most;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static residual_line_lanes of(
      const residual_lines& lines) {
    // A tie's low byte; for half_to_even the bit above it, too, that goes up.
    const int tie = std::same_as<Rounding, half_to_even> && !lines.odd ? 0x1ff : 0xff;
    return {line_lanes::of(lines.left),
            line_lanes::of(lines.right),
            _mm512_set1_epi16(static_cast<std::int16_t>(lines.below)),
            _mm512_set1_epi16(static_cast<std::int16_t>(tie)),
            _mm512_set1_epi16(static_cast<std::int16_t>(lines.zero)),
            _mm512_set1_epi8(static_cast<char>(lines.first)),
            _mm512_set1_epi8(static_cast<char>(lines.most))};
  }

  /// 64 codes.
  template <class Left, class Right>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void add(
      const Left* left_codes, const Right* right_codes, std::uint8_t* outputs) const {
    const line_values a = left.values(left_codes), b = right.values(right_codes);
    // Packing puts back in order what interleaving took apart.
    const __m512i packed = _mm512_packus_epi16(indices(a.low, b.low), indices(a.high, b.high));
    _mm512_storeu_si512(outputs, _mm512_add_epi8(_mm512_min_epu8(packed, most), first));
  }

 private:
  /// 32 indices.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i indices(__m512i a,
                                                                                                   __m512i b) const {
    __m512i sums;
    if constexpr (Below)  // Only one of the two differences is not 0, so that nothing saturates but the whole.
      sums = _mm512_subs_epu16(_mm512_adds_epu16(b, _mm512_subs_epu16(a, below)), _mm512_subs_epu16(below, a));
    else
      sums = _mm512_adds_epu16(a, b);
    const __m512i floors = _mm512_srli_epi16(sums, residual_guard_bits);
    return _mm512_mask_add_epi16(floors, rising_ties(sums), floors, _mm512_set1_epi16(1));
  }

  /// Those that the policy takes up.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __mmask32 rising_ties(
      __m512i sums) const {
    if constexpr (std::same_as<Rounding, half_to_even>)
      return _mm512_cmpeq_epi16_mask(_mm512_and_si512(sums, _mm512_set1_epi16(0x1ff)), tie);
    else if constexpr (std::same_as<Rounding, half_away_from_zero>)
      return _mm512_mask_cmpeq_epi16_mask(_mm512_cmpge_epu16_mask(sums, zero), _mm512_and_si512(sums, tie), tie);
    else
      return 0;
  }
};

/// Elements [first, last) by lanes that add 64 at a time.
template <class Lanes, class Left, class Right>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void add_blocks(
    const Lanes& lanes, const Left* left, const Right* right, std::uint8_t* outputs, std::size_t first,
    std::size_t last) {
  std::size_t i = first;
  for (; i + 64 <= last; i += 64) lanes.add(left + i, right + i, outputs + i);
  if (i == last) return;
  Left left_tail[64] = {};
  Right right_tail[64] = {};
  std::uint8_t output_tail[64];
  std::copy_n(left + i, last - i, left_tail), std::copy_n(right + i, last - i, right_tail);
  lanes.add(left_tail, right_tail, output_tail);
  std::copy_n(output_tail, last - i, outputs + i);
}

/// Elements [first, last) of a residual add to 8-bit codes; those of signed ones have the same bits.
template <to_nearest Rounding, class Left, class Right>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void add_bytes(const residual_bytes& constants,
                                                                                   const Left* left, const Right* right,
                                                                                   std::uint8_t* outputs,
                                                                                   std::size_t first,
                                                                                   std::size_t last) {
  add_blocks(residual_lanes<Rounding>::of(constants), left, right, outputs, first, last);
}

/// Elements [first, last) by packed lines that fit; likewise.
template <to_nearest Rounding, class Left, class Right>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void add_lines(const residual_lines& lines,
                                                                                   const Left* left, const Right* right,
                                                                                   std::uint8_t* outputs,
                                                                                   std::size_t first,
                                                                                   std::size_t last) {
  if (lines.below == 0)
    add_blocks(residual_line_lanes<Rounding, false>::of(lines), left, right, outputs, first, last);
  else
    add_blocks(residual_line_lanes<Rounding, true>::of(lines), left, right, outputs, first, last);
}

/// The sums of two rounded branches, which have room, rounded to whole codes.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i drop_guard_bits(
    __m512i sums) {
  const __m512i negative = _mm512_srli_epi32(sums, 31), one = _mm512_set1_epi32(1);
  const __m512i half = _mm512_set1_epi32(1 << (residual_guard_bits - 1));
  __m512i addend = half;  // Also gemmlowp_double's: so few bits are one rounding.
  if constexpr (std::same_as<Rounding, bitwright::floor>)
    addend = _mm512_setzero_si512();
  else if constexpr (std::same_as<Rounding, toward_zero>)
    addend = _mm512_sub_epi32(_mm512_slli_epi32(negative, residual_guard_bits), negative);
  else if constexpr (std::same_as<Rounding, half_away_from_zero>)
    addend = _mm512_sub_epi32(half, negative);
  else if constexpr (std::same_as<Rounding, half_to_even>)
    addend = _mm512_add_epi32(_mm512_sub_epi32(half, one),
                              _mm512_and_si512(_mm512_srli_epi32(sums, residual_guard_bits), one));
  return _mm512_srai_epi32(_mm512_add_epi32(sums, addend), residual_guard_bits);
}

/// Codes as 32-bit numbers less their zero point; a whole number of registers, of which `count` are asked for.
template <class Code>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void widen(const Code* codes, std::size_t count,
                                                                               std::int32_t zero_point,
                                                                               std::int32_t* wide) {
  for (std::size_t i = 0; i < count; ++i) wide[i] = codes[i] - zero_point;
}

/// The codes of `count` pairs of branches, both of which have room, in place of the left ones.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void add_wide(
    dyadic left_factor, dyadic right_factor, code_window window, std::int32_t* left, const std::int32_t* right,
    std::size_t count) {
  const __m512i left_multiplier = _mm512_set1_epi32(left_factor.multiplier),
                left_shift = _mm512_set1_epi32(left_factor.shift);
  const __m512i right_multiplier = _mm512_set1_epi32(right_factor.multiplier),
                right_shift = _mm512_set1_epi32(right_factor.shift);
  for (std::size_t i = 0; i < count; i += 16) {
    const __m512i a = _mm512_load_si512(left + i), b = _mm512_load_si512(right + i);
    const __m512i sums = _mm512_add_epi32(requantize<Rounding>(a, left_multiplier, left_shift),
                                          requantize<Rounding>(b, right_multiplier, right_shift));
    _mm512_store_si512(left + i, codes_of(drop_guard_bits<Rounding>(sums), window));
  }
}

/// Elements [first, last) of a call both of whose branches have room, by add_wide of any rounding.
template <class Left, class Right, class Output>
void add_generally(const residual_add_arguments<Left, Right, Output>& call, decltype(add_wide<half_up>)& add,
                   std::size_t first, std::size_t last) {
  alignas(64) std::int32_t left[128] = {}, right[128] = {};
  const code_window window = code_window::of(call.output_zero_point, call.output_codes);
  for (std::size_t i = first; i < last; i += 128) {
    const std::size_t count = std::min<std::size_t>(128, last - i);
    widen(call.left.codes + i, count, call.left.zero_point, left);
    widen(call.right.codes + i, count, call.right.zero_point, right);
    add(call.left.factor, call.right.factor, window, left, right, count);
    for (std::size_t k = 0; k < count; ++k) call.outputs[i + k] = static_cast<Output>(left[k]);
  }
}

/// Elements [first, last).
template <class Left, class Right, class Output, integer_rounding Rounding>
void residual_add(const residual_add_arguments<Left, Right, Output>& call, std::size_t first,
                  std::size_t last) noexcept {
  const auto left = residual_input::of(call.left), right = residual_input::of(call.right);
  if constexpr (to_nearest<Rounding> && sizeof(Left) == 1 && sizeof(Right) == 1 && sizeof(Output) == 1) {
    auto* const outputs = reinterpret_cast<std::uint8_t*>(call.outputs);
    const auto* const lines = reinterpret_cast<const residual_lines*>(call.packed);
    if (lines != nullptr && lines->fit)
      return add_lines<Rounding>(*lines, call.left.codes, call.right.codes, outputs, first, last);
    if (std::same_as<Rounding, half_up> || (!left.has_ties() && !right.has_ties()))
      if (const auto constants = residual_bytes::of(left, right, call.output_zero_point, call.output_codes))
        return add_bytes<Rounding>(*constants, call.left.codes, call.right.codes, outputs, first, last);
  }
  if constexpr (vectorized_rounding<Rounding>)
    if (left.has_room() && right.has_room()) return add_generally(call, add_wide<Rounding>, first, last);
  scalar::residual_add<Left, Right, Output, Rounding>(call, first, last);
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
