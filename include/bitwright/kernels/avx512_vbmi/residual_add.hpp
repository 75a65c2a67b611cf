// SPDX-License-Identifier: MIT
/// \file
/// The residual add, 64 elements at a time in 8-bit lanes: each branch's function is two tables, of low bytes and of
/// high ones, and the sum of high bytes takes a carry from the low. Without tables, the path of avx512_vnni runs.
#pragma once

#include <bitwright/kernels/avx512_vbmi/lookup.hpp>
#include <bitwright/kernels/avx512_vnni/residual_add.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/residual_functions.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vbmi {

/// A branch's function as tables of bytes, by a code's bits.
struct residual_bytes_of {
  std::uint8_t low[lookup_entries];
  std::uint8_t high[lookup_entries];

  /// `first` is the bits of the type's least code.
  static residual_bytes_of function(const residual_function& values, std::uint8_t first) {
    residual_bytes_of tables;
    for (std::size_t u = 0; u < lookup_entries; ++u) {
      const auto bits = static_cast<std::uint8_t>(u + first);
      tables.low[bits] = static_cast<std::uint8_t>(values[u]);
      tables.high[bits] = static_cast<std::uint8_t>(values[u] >> 8);
    }
    return tables;
  }
};

/// What this path packs.
struct residual_tables {
  bool fit;  ///< Whether there are tables; else nothing below counts.
  std::uint8_t below;
  std::uint8_t first;
  std::uint8_t most;
  std::uint8_t zero;
  bool odd;
  residual_bytes_of left;
  residual_bytes_of right;

  /// Of a call, whose pointers are not looked at.
  template <integer_rounding Rounding, class Left, class Right, class Output>
  static residual_tables of(const residual_add_arguments<Left, Right, Output>& call) {
    if constexpr (to_nearest<Rounding> && sizeof(Left) == 1 && sizeof(Right) == 1 && sizeof(Output) == 1)
      if (const auto functions = residual_functions::of<Rounding>(call))
        return {true,
                functions->below,
                functions->first,
                functions->most,
                functions->zero,
                functions->odd,
                residual_bytes_of::function(functions->left, least_bits<Left>()),
                residual_bytes_of::function(functions->right, least_bits<Right>())};
    return {};
  }

 private:
  template <class Code>
  static constexpr std::uint8_t least_bits() {
    return static_cast<std::uint8_t>(std::numeric_limits<Code>::min());
  }
};

/// Packs a call's tables into `packed`, of sizeof(residual_tables) bytes.
template <class Left, class Right, class Output, integer_rounding Rounding>
void pack_residual_tables(const residual_add_arguments<Left, Right, Output>& call, std::byte* packed) {
  ::new (packed) residual_tables(residual_tables::of<Rounding>(call));
}

/// Low and high bytes of 64 values.
struct value_bytes {
  __m512i low;
  __m512i high;
};

/// A branch's tables in registers.
struct function_tables {
  lookup_table low;
  lookup_table high;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] static function_tables of(
      const residual_bytes_of& tables) {
    return {lookup_table::of(tables.low), lookup_table::of(tables.high)};
  }
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] value_bytes values(
      __m512i codes) const {
    return {low.look_up(codes), high.look_up(codes)};
  }
};

/// Packed tables in registers. `Below` is whether sums begin below the first code.
template <to_nearest Rounding, bool Below>
struct residual_table_lanes {
  function_tables left;
  function_tables right;
  __m512i below;
  __m512i zero;
  __m512i first;
  __m512i most;
  __mmask64 even;  ///< All where half_to_even takes up indices that are even.

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] static residual_table_lanes of(
      const residual_tables& tables) {
    return {function_tables::of(tables.left),
            function_tables::of(tables.right),
            _mm512_set1_epi8(static_cast<char>(tables.below)),
            _mm512_set1_epi8(static_cast<char>(tables.zero)),
            _mm512_set1_epi8(static_cast<char>(tables.first)),
            _mm512_set1_epi8(static_cast<char>(tables.most)),
            tables.odd ? ~__mmask64{0} : __mmask64{0}};
  }

  /// 64 codes.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] __m512i add(
      __m512i left_codes, __m512i right_codes) const {
    const value_bytes a = left.values(left_codes), b = right.values(right_codes);
    const __m512i low = _mm512_add_epi8(a.low, b.low), one = _mm512_set1_epi8(1);
    const __mmask64 carries = _mm512_cmplt_epu8_mask(low, a.low);
    const __m512i high = _mm512_mask_add_epi8(b.high, carries, b.high, one);
    // Only one of the two differences is not 0, so that nothing saturates but the whole.
    const __m512i above = Below ? _mm512_subs_epu8(a.high, below) : a.high;
    const __m512i lacking = Below ? _mm512_subs_epu8(below, a.high) : _mm512_setzero_si512();
    const __m512i sums = _mm512_adds_epu8(high, above);
    const __mmask64 ties = rising_ties(less(sums, lacking), low);
    const __m512i indices = less(_mm512_mask_adds_epu8(sums, ties, sums, one), lacking);
    return _mm512_add_epi8(_mm512_min_epu8(indices, most), first);
  }

 private:
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] static __m512i less(
      __m512i sums, __m512i lacking) {
    return Below ? _mm512_subs_epu8(sums, lacking) : sums;
  }

  /// Those that the policy takes up.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] __mmask64 rising_ties(
      __m512i indices, __m512i low) const {
    const __m512i tie = _mm512_set1_epi8(-1);
    if constexpr (std::same_as<Rounding, half_to_even>)
      return _mm512_mask_cmpeq_epi8_mask(_mm512_test_epi8_mask(indices, _mm512_set1_epi8(1)) ^ even, low, tie);
    else if constexpr (std::same_as<Rounding, half_away_from_zero>)
      return _mm512_mask_cmpeq_epi8_mask(_mm512_cmpge_epu8_mask(indices, zero), low, tie);
    else
      return 0;
  }
};

/// Elements [first, last) of bytes, by tables that fit.
template <to_nearest Rounding, bool Below>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi")]] inline void add_by_tables(
    const residual_tables& tables, const std::uint8_t* left, const std::uint8_t* right, std::uint8_t* outputs,
    std::size_t first, std::size_t last) {
  const auto lanes = residual_table_lanes<Rounding, Below>::of(tables);
  std::size_t i = first;
  for (; i + 64 <= last; i += 64)
    _mm512_storeu_si512(outputs + i, lanes.add(_mm512_loadu_si512(left + i), _mm512_loadu_si512(right + i)));
  const __mmask64 rest = (__mmask64{1} << (last - i)) - 1;
  if (rest == 0) return;
  const __m512i codes = lanes.add(_mm512_maskz_loadu_epi8(rest, left + i), _mm512_maskz_loadu_epi8(rest, right + i));
  _mm512_mask_storeu_epi8(outputs + i, rest, codes);
}

/// Elements [first, last).
template <class Left, class Right, class Output, integer_rounding Rounding>
void residual_add(const residual_add_arguments<Left, Right, Output>& call, std::size_t first,
                  std::size_t last) noexcept {
  residual_add_arguments<Left, Right, Output> unpacked = call;
  unpacked.packed = nullptr;
  if constexpr (to_nearest<Rounding> && sizeof(Left) == 1 && sizeof(Right) == 1 && sizeof(Output) == 1) {
    const auto* const tables = reinterpret_cast<const residual_tables*>(call.packed);
    if (tables != nullptr && tables->fit) {
      const auto add = tables->below == 0 ? add_by_tables<Rounding, false> : add_by_tables<Rounding, true>;
      return add(*tables, reinterpret_cast<const std::uint8_t*>(call.left.codes),
                 reinterpret_cast<const std::uint8_t*>(call.right.codes), reinterpret_cast<std::uint8_t*>(call.outputs),
                 first, last);
    }
  }
  avx512_vnni::residual_add<Left, Right, Output, Rounding>(unpacked, first, last);
}

}  // namespace bitwright::kernels::avx512_vbmi

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
