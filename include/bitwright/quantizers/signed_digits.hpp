// SPDX-License-Identifier: MIT
/// \file
/// Signed digits: a whole number as a sum of distinct powers of two, each added or subtracted.
///
///     value = sum_i d_i 2^i,   d_i in {-1, 0, 1}
///
/// A term is a digit that is not 0. The fewer terms, the fewer shifts and adds a product takes: 31 = 32 - 1 has two
/// where its five bits have five. Mean terms of the numbers below 2^bits:
///
///     bits           4       8      12
///     binary      2.00    4.00    6.00
///     hese        1.75    3.25    4.75
///     non_adjacent 1.75   3.109   4.444
///
/// Sources: non-adjacent form, Reitwiesner (Advances in Computers 1, 1960); HESE, Kung, McDanel and Zhang (SC 2020).
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

namespace bitwright {

/// The digits as two sets of exponents: bit i of `positive` stands for +2^i, bit i of `negative` for -2^i. No exponent
/// is in both.
struct signed_digits {
  std::uint32_t positive = 0;
  std::uint32_t negative = 0;

  /// Bit i says whether there is a term of exponent i.
  [[gnu::always_inline]] constexpr std::uint32_t exponents() const { return positive | negative; }

  /// How many terms there are.
  constexpr int terms() const { return std::popcount(exponents()); }

  /// The terms whose exponents are in `kept`.
  [[gnu::always_inline]] constexpr signed_digits only(std::uint32_t kept) const {
    return {positive & kept, negative & kept};
  }

  /// The sum of the terms.
  [[gnu::always_inline]] constexpr std::int32_t value() const { return static_cast<std::int32_t>(positive - negative); }

  /// The digits of value(), or of its opposite where `sign` is negative; without a branch.
  [[gnu::always_inline]] constexpr signed_digits with_sign_of(std::int32_t sign) const {
    const std::uint32_t exchanged = (positive ^ negative) & (sign < 0 ? ~std::uint32_t{0} : 0);
    return {positive ^ exchanged, negative ^ exchanged};
  }

  /// The digits of -value().
  constexpr signed_digits operator-() const { return {negative, positive}; }

  friend constexpr bool operator==(signed_digits, signed_digits) = default;
};

/// A policy that writes numbers in signed digits: encode(v).value() = v and encode(-v) = -encode(v), for |v| <= 2^30.
template <class Policy>
concept signed_digit_encoding = requires(std::int32_t value) {
  { Policy::encode(value) } -> std::same_as<signed_digits>;
};

/// |value|, without a branch.
[[gnu::always_inline]] constexpr std::uint32_t magnitude_of(std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  return value < 0 ? 0 - bits : bits;
}

/// The bits of |value|, each with the value's sign: the only digits that never overshoot when the smallest are dropped.
struct binary_digits {
  [[gnu::always_inline]] static constexpr signed_digits encode(std::int32_t value) {
    return signed_digits{magnitude_of(value), 0}.with_sign_of(value);
  }
};

/// The non-adjacent form: no two neighbouring digits are both terms. There is one for each number, and no signed digits
/// have fewer terms; on average a third of the digits are.
struct non_adjacent {
  [[gnu::always_inline]] static constexpr signed_digits encode(std::int32_t value) {
    // The digits of v are those of (3v - v) / 2: 1 where 3v has a bit and v has none, -1 where it is the other way
    // round.
    const std::uint32_t magnitude = magnitude_of(value), half = magnitude >> 1, sum = magnitude + half;
    return signed_digits{sum & ~half, half & ~sum}.with_sign_of(value);
  }
};

/// One pass over the bits: a single 1 stays, a run of two and more from exponent a to b becomes 2^(b+1) - 2^a. Runs
/// that one 0 parts are not joined, so that some numbers have a term more than need be: 27 = 32 - 8 + 4 - 1, where the
/// non-adjacent form has 32 - 4 - 1.
struct hese {
  [[gnu::always_inline]] static constexpr signed_digits encode(std::int32_t value) {
    const std::uint32_t bits = magnitude_of(value);
    const std::uint32_t single = bits & ~(bits << 1) & ~(bits >> 1), runs = bits & ~single;
    return signed_digits{single | ((runs << 1) & ~runs), runs & ~(runs << 1)}.with_sign_of(value);
  }
};

static_assert(signed_digit_encoding<binary_digits> && signed_digit_encoding<non_adjacent> &&
              signed_digit_encoding<hese>);

}  // namespace bitwright
