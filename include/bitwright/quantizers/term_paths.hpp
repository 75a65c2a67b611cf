// SPDX-License-Identifier: MIT
/// \file
/// Paths that keep the largest terms of groups of integers: eight groups of eight at a time, each a word of eight bytes.
///
/// A byte holds the exponents of one integer's terms. From the highest exponent down, the terms of that exponent are counted
/// in all bytes at once, each with those of the integers before it, and stay while the count is within the budget. That is
/// shifts, sums and masks of whole words, without a branch: compilers make vectors of words of it.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/quantizers/signed_digits.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace bitwright {

/// How many terms the values of a group may have together.
struct term_budget {
  std::size_t group_size = 8;  ///< Consecutive values of a group; the last group of a span may have fewer.
  std::size_t terms = 16;      ///< The most terms of a group, also of the last one. With 0, every code is 0.

  friend bool operator==(const term_budget&, const term_budget&) = default;
};

/// Keeps the `terms` largest terms of a group of integers, |integer| < 2^30, in place.
template <signed_digit_encoding Encoding, std::integral Integer>
constexpr void keep_largest_terms(std::span<Integer> group, std::size_t terms) {
  std::uint32_t all = 0;
  for (const Integer integer : group) all |= Encoding::encode(integer).exponents();
  // From the largest exponent downwards: all of its terms while they fit, then some of the next one, and no others.
  int exponent = static_cast<int>(std::bit_width(all)) - 1;
  for (; exponent >= 0; --exponent) {
    const auto at_exponent = static_cast<std::size_t>(std::ranges::count_if(
        group, [exponent](Integer integer) { return Encoding::encode(integer).exponents() >> exponent & 1; }));
    if (at_exponent > terms) break;
    terms -= at_exponent;
  }
  if (exponent < 0) return;
  const std::uint32_t partly = std::uint32_t{1} << exponent, above = ~(partly | (partly - 1));
  for (Integer& integer : group) {
    const signed_digits digits = Encoding::encode(integer);
    const bool fits = terms > 0 && (digits.exponents() & partly) != 0;
    terms -= fits ? 1 : 0;
    integer = static_cast<Integer>(digits.only(fits ? above | partly : above).value());
  }
}

/// One instruction set's way to keep the largest terms of each group of `count` integers of at most 2^14 in magnitude.
struct term_path {
  std::string_view name;
  bool (*available)();
  void (*keep)(std::int16_t* integers, std::size_t count, term_budget budget) noexcept;
};

namespace paths {

namespace scalar {  // The definition of correct, and what every other path does with other groups.

template <signed_digit_encoding Encoding>
void keep_terms(std::int16_t* integers, std::size_t count, term_budget budget) noexcept {
  for (std::size_t first = 0; first < count; first += std::min(budget.group_size, count - first))
    keep_largest_terms<Encoding>(std::span(integers + first, std::min(budget.group_size, count - first)), budget.terms);
}

}  // namespace scalar

/// Integers in eight groups of eight.
inline constexpr std::size_t term_block = 64;

/// A number in each byte.
constexpr std::uint64_t in_each_byte(std::uint64_t number) { return number * 0x0101010101010101; }

/// Each byte with all below it, for sums under 2^8.
[[gnu::always_inline]] constexpr std::uint64_t sums_from_below(std::uint64_t bytes) {
  bytes += bytes << 8;
  bytes += bytes << 16;
  return bytes + (bytes << 32);
}

/// Of the bits 2^Exponent of all bytes, adds those to `kept` for which `left`, 128 more in each byte than there may still
/// be, has room; the lowest bytes' first.
template <int Exponent>
[[gnu::always_inline]] constexpr void keep_exponent(std::uint64_t bytes, std::uint64_t& left, std::uint64_t& kept) {
  const std::uint64_t bits = bytes >> Exponent & in_each_byte(1), counts = sums_from_below(bits);
  kept |= ((left - counts) >> 7 & bits) << Exponent;
  left -= sums_from_below(counts >> 56);  // The count of all, in each byte.
}

/// The highest bits of eight bytes.
[[gnu::always_inline]] constexpr std::uint64_t keep_highest(std::uint64_t bytes, std::uint64_t& left) {
  std::uint64_t kept = 0;
  keep_exponent<7>(bytes, left, kept);
  keep_exponent<6>(bytes, left, kept);
  keep_exponent<5>(bytes, left, kept);
  keep_exponent<4>(bytes, left, kept);
  keep_exponent<3>(bytes, left, kept);
  keep_exponent<2>(bytes, left, kept);
  keep_exponent<1>(bytes, left, kept);
  keep_exponent<0>(bytes, left, kept);
  return kept;
}

/// Of each group of a block, whose `exponents` are bytes; `left` as above, a word for each group.
[[gnu::always_inline]] inline void keep_highest(std::uint8_t* __restrict exponents, std::uint64_t* __restrict left) {
  std::uint64_t words[term_block / 8];
  std::memcpy(words, exponents, sizeof words);
#pragma GCC unroll 1
  for (std::size_t i = 0; i < term_block / 8; ++i) words[i] = keep_highest(words[i], left[i]);
  std::memcpy(exponents, words, sizeof words);
}

template <signed_digit_encoding Encoding>
[[gnu::always_inline]] inline void keep_terms_of_block(std::int16_t* __restrict integers, std::uint64_t budget) {
  std::uint8_t low[term_block], high[term_block];  // The exponents below 8, and the others.
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < term_block; ++i) {
    const std::uint32_t exponents = Encoding::encode(integers[i]).exponents();
    seen |= exponents;
    low[i] = static_cast<std::uint8_t>(exponents);
    high[i] = static_cast<std::uint8_t>(exponents >> 8);
  }
  std::uint64_t left[term_block / 8];
  std::fill_n(left, term_block / 8, budget);
  if (seen > 255) keep_highest(high, left);
  keep_highest(low, left);
  for (std::size_t i = 0; i < term_block; ++i) {
    const std::uint32_t kept = low[i] | std::uint32_t{high[i]} << 8;
    integers[i] = static_cast<std::int16_t>(Encoding::encode(integers[i]).only(kept).value());
  }
}

/// Whole blocks of groups of eight, the rest as scalar.
template <signed_digit_encoding Encoding>
[[gnu::always_inline]] inline void keep_terms_of_blocks(std::int16_t* integers, std::size_t count, term_budget budget) {
  const std::uint64_t most = in_each_byte(128 + std::min(budget.terms, std::size_t{120}));  // 15 terms each, at most.
  std::size_t i = 0;
  if (budget.group_size == 8)
    for (; i + term_block <= count; i += term_block) keep_terms_of_block<Encoding>(integers + i, most);
  scalar::keep_terms<Encoding>(integers + i, count - i, budget);
}

namespace baseline {  // What every processor of the architecture has, SSE2 or NEON: no attribute is needed.

template <signed_digit_encoding Encoding>
void keep_terms(std::int16_t* integers, std::size_t count, term_budget budget) noexcept {
  keep_terms_of_blocks<Encoding>(integers, count, budget);
}

}  // namespace baseline

#if defined(__x86_64__) && defined(__GNUC__)

namespace avx2 {

template <signed_digit_encoding Encoding>
[[gnu::target("avx2")]] void keep_terms(std::int16_t* integers, std::size_t count, term_budget budget) noexcept {
  keep_terms_of_blocks<Encoding>(integers, count, budget);
}

}  // namespace avx2

namespace avx512 {

template <signed_digit_encoding Encoding>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void keep_terms(std::int16_t* integers, std::size_t count,
                                                                           term_budget budget) noexcept {
  keep_terms_of_blocks<Encoding>(integers, count, budget);
}

}  // namespace avx512

#endif

}  // namespace paths

/// Best first; scalar closes the list.
template <signed_digit_encoding Encoding>
inline constexpr auto term_paths = std::to_array<term_path>({
#if defined(__x86_64__) && defined(__GNUC__)
  {"avx512", cpu::has_avx512, paths::avx512::keep_terms<Encoding>},
      {"avx2", cpu::has_avx2, paths::avx2::keep_terms<Encoding>},
      {"sse2", always_available, paths::baseline::keep_terms<Encoding>},
#elif defined(__aarch64__)
  {"neon", always_available, paths::baseline::keep_terms<Encoding>},
#endif
      {"scalar", always_available, paths::scalar::keep_terms<Encoding>},
});

}  // namespace bitwright
