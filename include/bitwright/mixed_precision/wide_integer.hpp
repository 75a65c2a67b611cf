// SPDX-License-Identifier: MIT
/// \file
/// A signed 128-bit integer: what exact bounds are summed in, since multipliers times costs outgrow 64 bits.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>

namespace bitwright {

/// high * 2^64 + low, in two's complement. Results outside of [-2^127, 2^127) wrap; callers keep within.
class wide_integer {
 public:
  constexpr wide_integer() = default;
  constexpr wide_integer(std::int64_t value)  // NOLINT(google-explicit-constructor): every int64 is one.
      : high_(value < 0 ? -1 : 0), low_(static_cast<std::uint64_t>(value)) {}

  /// a * b, exactly.
  static constexpr wide_integer product(std::int64_t a, std::int64_t b) {
    const wide_integer magnitude = unsigned_product(magnitude_of(a), magnitude_of(b));
    return (a < 0) == (b < 0) ? magnitude : -magnitude;
  }

  friend constexpr wide_integer operator+(wide_integer a, wide_integer b) {
    const std::uint64_t low = a.low_ + b.low_;
    const std::uint64_t carry = low < a.low_ ? 1 : 0;
    return {static_cast<std::uint64_t>(a.high_) + static_cast<std::uint64_t>(b.high_) + carry, low};
  }
  friend constexpr wide_integer operator-(wide_integer a) {
    const std::uint64_t low = ~a.low_ + 1;
    return {~static_cast<std::uint64_t>(a.high_) + (low == 0 ? 1 : 0), low};
  }
  friend constexpr wide_integer operator-(wide_integer a, wide_integer b) { return a + -b; }
  constexpr wide_integer& operator+=(wide_integer other) { return *this = *this + other; }
  constexpr wide_integer& operator-=(wide_integer other) { return *this = *this - other; }

  friend constexpr bool operator==(const wide_integer&, const wide_integer&) = default;
  friend constexpr std::strong_ordering operator<=>(const wide_integer&, const wide_integer&) = default;

  /// floor(this / 2^bits) for bits in [0, 63].
  constexpr wide_integer shift_right(int bits) const {
    if (bits == 0) return *this;
    return {static_cast<std::uint64_t>(high_ >> bits),
            (low_ >> bits) | (static_cast<std::uint64_t>(high_) << (64 - bits))};
  }

  /// The nearest int64: saturates.
  constexpr std::int64_t saturated() const {
    const auto low = static_cast<std::int64_t>(low_);
    if (high_ == (low < 0 ? -1 : 0)) return low;
    return high_ < 0 ? INT64_MIN : INT64_MAX;
  }

  /// Within 2^-52 of its magnitude.
  double to_double() const {
    if (*this < wide_integer(0)) return -(-*this).to_double();
    return std::ldexp(static_cast<double>(high_), 64) + static_cast<double>(low_);
  }

 private:
  constexpr wide_integer(std::uint64_t high, std::uint64_t low) : high_(static_cast<std::int64_t>(high)), low_(low) {}

  static constexpr std::uint64_t magnitude_of(std::int64_t value) {
    return value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
  }

  static constexpr wide_integer unsigned_product(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t mask = 0xffffffff;
    const std::uint64_t low = (a & mask) * (b & mask);
    const std::uint64_t middle = (a >> 32) * (b & mask) + (low >> 32);  // At most (2^32 - 1) 2^32: fits.
    const std::uint64_t other = (a & mask) * (b >> 32) + (middle & mask);
    return {(a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32), (other << 32) | (low & mask)};
  }

  std::int64_t high_ = 0;
  std::uint64_t low_ = 0;  // After high_: comparison is by members in order.
};

}  // namespace bitwright
