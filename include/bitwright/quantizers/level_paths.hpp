// SPDX-License-Identifier: MIT
/// \file
/// Paths of level tables: registers hold all borders and all levels, and a look into them is a permutation.
///
/// A level is found by bisection of the borders, so many values at once that every step is a look into as many borders as
/// it chooses between: of 16 levels 1, 2, 4, 8. A level is restored by one look into all. They give the bits of
/// level_table, for every value and every code; `Signed` says that the table has magnitudes and that codes have the signs
/// of their values.
#pragma once

#include <bitwright/quantizers/levels.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace bitwright {

/// A quantizer whose codes are those of its `table()`; where they are signed, the table is of magnitudes, and a code has the
/// sign of its value.
template <class Q>
concept level_quantizer = elementwise_quantizer<Q> && requires(const Q& q, float value) {
  { q.table().nearest(value) } -> std::same_as<std::uint8_t>;
  q.table().padded_levels();
};

/// Of the table of a level_quantizer.
template <level_quantizer Q>
inline constexpr std::size_t table_capacity = decltype(std::declval<const Q&>().table().padded_levels())::extent;

}  // namespace bitwright

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

namespace bitwright::paths {

/// What can be read as a register of up to 16 floats from each of `Entries` floats on.
template <std::size_t Entries>
using readable = std::array<float, Entries + 16>;

/// The borders as a tree: from element n on, the n borders between which a step chooses that has seen log2(n) others.
template <std::size_t Capacity>
readable<Capacity> border_tree(const level_table<Capacity>& table) {
  readable<Capacity> tree{};
  for (std::size_t size = 1, step = Capacity; size < Capacity; size *= 2, step /= 2)
    for (std::size_t i = 0; i < size; ++i) tree[size + i] = table.borders()[i * step + step / 2 - 1];
  return tree;
}

template <std::size_t Capacity>
readable<Capacity> levels_of(const level_table<Capacity>& table) {
  readable<Capacity> levels{};
  std::ranges::copy(table.padded_levels(), levels.begin());
  return levels;
}

namespace avx512 {

inline constexpr __mmask16 all = 0xffff;  // Masked instructions throughout: others make g++ 12 warn of its own header.

/// table[index modulo Entries], for 16 or more entries.
template <std::size_t Entries>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), gnu::always_inline]] inline __m512 entries_at(
    const float* table, __m512i index) {
  if constexpr (Entries <= 16) {
    return _mm512_maskz_permutexvar_ps(all, index, _mm512_loadu_ps(table));
  } else if constexpr (Entries == 32) {
    return _mm512_maskz_permutex2var_ps(all, _mm512_loadu_ps(table), index, _mm512_loadu_ps(table + 16));
  } else {
    const __mmask16 upper = _mm512_test_epi32_mask(index, _mm512_set1_epi32(Entries / 2));
    return _mm512_mask_mov_ps(entries_at<Entries / 2>(table, index), upper,
                              entries_at<Entries / 2>(table + Entries / 2, index));
  }
}

/// Goes down the tree from the borders of which `index` is the one to look at.
template <std::size_t Entries, std::size_t Capacity>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), gnu::always_inline]] inline __m512i descend(const float* tree,
                                                                                                      __m512 value,
                                                                                                      __m512i index) {
  if constexpr (Entries == Capacity) {
    return index;
  } else {
    const __m512 border = Entries == 1 ? _mm512_set1_ps(tree[1]) : entries_at<Entries>(tree + Entries, index);
    const __mmask16 above = _mm512_cmp_ps_mask(value, border, _CMP_GT_OQ);
    const __m512i twice = _mm512_maskz_add_epi32(all, index, index);
    return descend<2 * Entries, Capacity>(tree, value,
                                          _mm512_mask_add_epi32(twice, above, twice, _mm512_set1_epi32(1)));
  }
}

template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), gnu::always_inline]] inline __m128i nearest_of_16_values(
    const float* tree, __m512 read) {
  __m512 value = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(read, read, _CMP_ORD_Q), read);  // 0 for NaN
  if constexpr (Signed) value = _mm512_maskz_range_ps(all, value, value, 8);             // Without its sign.
  __m512i code = descend<1, Capacity>(tree, value, _mm512_setzero_si512());
  if constexpr (Signed)
    code = _mm512_mask_sub_epi32(code, _mm512_movepi32_mask(_mm512_castps_si512(read)), _mm512_setzero_si512(), code);
  return _mm512_maskz_cvtepi32_epi8(all, code);
}

template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void nearest_levels(const level_table<Capacity>& table,
                                                                               const float* values, void* codes,
                                                                               std::size_t count) noexcept {
  const readable<Capacity> tree = border_tree(table);
  auto* const bytes = static_cast<std::uint8_t*>(codes);
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + i),
                     nearest_of_16_values<Signed, Capacity>(tree.data(), _mm512_loadu_ps(values + i)));
  const auto inside = static_cast<__mmask16>((1 << (count - i)) - 1);
  _mm_mask_storeu_epi8(bytes + i, inside,
                       nearest_of_16_values<Signed, Capacity>(tree.data(), _mm512_maskz_loadu_ps(inside, values + i)));
}

/// Codes count modulo Capacity.
template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void restore_levels(const level_table<Capacity>& table,
                                                                               const void* codes, float* values,
                                                                               std::size_t count) noexcept {
  const readable<Capacity> levels = levels_of(table);
  const auto* const bytes = static_cast<const std::uint8_t*>(codes);
  for (std::size_t i = 0; i < count; i += 16) {
    const auto inside = static_cast<__mmask16>(count - i >= 16 ? 0xffff : (1 << (count - i)) - 1);
    const __m512i code = _mm512_maskz_cvtepi8_epi32(inside, _mm_maskz_loadu_epi8(inside, bytes + i));
    __m512i index = Signed ? _mm512_maskz_abs_epi32(all, code) : code;
    if constexpr (Capacity < 16) index = _mm512_and_si512(index, _mm512_set1_epi32(Capacity - 1));
    __m512 level = entries_at<Capacity>(levels.data(), index);
    if constexpr (Signed)
      level = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(level), code,
                                                            _mm512_set1_epi32(static_cast<int>(0x80000000)), 0xf8));
    _mm512_mask_storeu_ps(values + i, inside, level);
  }
}

template <level_quantizer Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void quantize_span(path, const Q& q, const float* values,
                                                                              typename Q::code_type* codes,
                                                                              std::size_t count) noexcept {
  nearest_levels<std::is_signed_v<typename Q::code_type>>(q.table(), values, codes, count);
}

template <level_quantizer Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void dequantize_span(path, const Q& q,
                                                                                const typename Q::code_type* codes,
                                                                                float* values,
                                                                                std::size_t count) noexcept {
  restore_levels<std::is_signed_v<typename Q::code_type>>(q.table(), codes, values, count);
}

}  // namespace avx512

namespace avx2 {

/// table[index modulo Entries], for 8 or more entries.
template <std::size_t Entries>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256 entries_at(const float* table, __m256i index) {
  if constexpr (Entries <= 8) {
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index);
  } else {
    const __m256i upper = _mm256_slli_epi32(index, 32 - std::countr_zero(Entries));  // The bit that says so on top.
    return _mm256_blendv_ps(entries_at<Entries / 2>(table, index), entries_at<Entries / 2>(table + Entries / 2, index),
                            _mm256_castsi256_ps(upper));
  }
}

/// Goes down the tree from the borders of which `index` is the one to look at.
template <std::size_t Entries, std::size_t Capacity>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i descend(const float* tree, __m256 value, __m256i index) {
  if constexpr (Entries == Capacity) {
    return index;
  } else {
    const __m256 border = Entries == 1 ? _mm256_set1_ps(tree[1]) : entries_at<Entries>(tree + Entries, index);
    const __m256i above = _mm256_castps_si256(_mm256_cmp_ps(value, border, _CMP_GT_OQ));
    return descend<2 * Entries, Capacity>(tree, value, _mm256_sub_epi32(_mm256_add_epi32(index, index), above));
  }
}

template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i nearest_of_8_values(const float* tree, const float* values) {
  const __m256 read = _mm256_loadu_ps(values);
  __m256 value = _mm256_and_ps(read, _mm256_cmp_ps(read, read, _CMP_ORD_Q));  // 0 for NaN
  if constexpr (Signed) value = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), value);
  const __m256i code = descend<1, Capacity>(tree, value, _mm256_setzero_si256());
  if constexpr (!Signed) return code;
  const __m256i sign = _mm256_srai_epi32(_mm256_castps_si256(read), 31);
  return _mm256_sub_epi32(_mm256_xor_si256(code, sign), sign);
}

template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2"), gnu::always_inline]] inline void nearest_of_32_values(const float* tree, const float* values,
                                                                             std::uint8_t* codes) {
  const __m256i a = nearest_of_8_values<Signed, Capacity>(tree, values),
                b = nearest_of_8_values<Signed, Capacity>(tree, values + 8),
                c = nearest_of_8_values<Signed, Capacity>(tree, values + 16),
                d = nearest_of_8_values<Signed, Capacity>(tree, values + 24);
  const __m256i lower = _mm256_packs_epi32(a, b), upper = _mm256_packs_epi32(c, d);
  const __m256i packed = Signed ? _mm256_packs_epi16(lower, upper) : _mm256_packus_epi16(lower, upper);
  const __m256i in_order = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes), in_order);
}

template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2")]] void nearest_levels(const level_table<Capacity>& table, const float* values, void* codes,
                                            std::size_t count) noexcept {
  const readable<Capacity> tree = border_tree(table);
  auto* const bytes = static_cast<std::uint8_t*>(codes);
  std::size_t i = 0;
  for (; i + 32 <= count; i += 32) nearest_of_32_values<Signed, Capacity>(tree.data(), values + i, bytes + i);
  if (i == count) return;
  float rest[32] = {};
  std::uint8_t rest_codes[32];
  std::copy_n(values + i, count - i, rest);
  nearest_of_32_values<Signed, Capacity>(tree.data(), rest, rest_codes);
  std::copy_n(rest_codes, count - i, bytes + i);
}

template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2"), gnu::always_inline]] inline void restore_8_levels(const float* levels, const std::uint8_t* codes,
                                                                         float* values) {
  const __m256i code = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes)));
  __m256i index = Signed ? _mm256_abs_epi32(code) : code;
  if constexpr (Capacity < 8) index = _mm256_and_si256(index, _mm256_set1_epi32(Capacity - 1));
  __m256 level = entries_at<Capacity>(levels, index);
  if constexpr (Signed) level = _mm256_or_ps(level, _mm256_and_ps(_mm256_castsi256_ps(code), _mm256_set1_ps(-0.0f)));
  _mm256_storeu_ps(values, level);
}

/// Codes count modulo Capacity.
template <bool Signed, std::size_t Capacity>
[[gnu::target("avx2")]] void restore_levels(const level_table<Capacity>& table, const void* codes, float* values,
                                            std::size_t count) noexcept {
  const readable<Capacity> levels = levels_of(table);
  const auto* const bytes = static_cast<const std::uint8_t*>(codes);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) restore_8_levels<Signed, Capacity>(levels.data(), bytes + i, values + i);
  if (i == count) return;
  std::uint8_t rest[8] = {};
  float rest_values[8];
  std::copy_n(bytes + i, count - i, rest);
  restore_8_levels<Signed, Capacity>(levels.data(), rest, rest_values);
  std::copy_n(rest_values, count - i, values + i);
}

template <level_quantizer Q>
[[gnu::target("avx2")]] void quantize_span(path, const Q& q, const float* values, typename Q::code_type* codes,
                                           std::size_t count) noexcept {
  nearest_levels<std::is_signed_v<typename Q::code_type>>(q.table(), values, codes, count);
}

/// Beyond 64 levels, reading each where it lies is faster.
template <level_quantizer Q>
requires(table_capacity<Q> <= 64)
    [[gnu::target("avx2")]] void dequantize_span(path, const Q& q, const typename Q::code_type* codes, float* values,
                                                 std::size_t count) noexcept {
  restore_levels<std::is_signed_v<typename Q::code_type>>(q.table(), codes, values, count);
}

}  // namespace avx2
}  // namespace bitwright::paths

#endif
