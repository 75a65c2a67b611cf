// SPDX-License-Identifier: MIT
/// \file
/// The codes that a bit width allows: a closed interval of integers.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>

namespace bitwright {

/// All codes c with min <= c <= max.
struct code_range {
  std::int32_t min;
  std::int32_t max;

  /// Two's complement: [-2^(bits-1), 2^(bits-1) - 1]. Throws invalid_argument unless bits is in [1, 16].
  static constexpr code_range signed_bits(int bits) {
    check(bits);
    return {-(1 << (bits - 1)), (1 << (bits - 1)) - 1};
  }

  /// [0, 2^bits - 1]. Throws invalid_argument unless bits is in [1, 16].
  static constexpr code_range unsigned_bits(int bits) {
    check(bits);
    return {0, (1 << bits) - 1};
  }

  /// Signed codes without the one that has no opposite: [-(2^(bits-1) - 1), 2^(bits-1) - 1].
  /// Throws invalid_argument unless bits is in [2, 16]: a single bit leaves no code but 0.
  static constexpr code_range symmetric_bits(int bits) {
    require(bits >= 2 && bits <= 16, "code_range::symmetric_bits: bits", bits, "[2, 16]");
    return {1 - (1 << (bits - 1)), (1 << (bits - 1)) - 1};
  }

  /// All values of the integer type `Code` (at most 32 bits signed).
  template <std::integral Code>
  requires(sizeof(Code) < 4 || std::same_as<Code, std::int32_t>) static constexpr code_range all_of() {
    return {std::numeric_limits<Code>::min(), std::numeric_limits<Code>::max()};
  }

  /// How many codes there are.
  constexpr std::int64_t size() const { return std::int64_t{max} - min + 1; }

  /// The bits that number the codes: ceil(log2(size)).
  constexpr int bits() const { return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(size() - 1))); }

  constexpr bool contains(std::int64_t code) const { return min <= code && code <= max; }
  constexpr bool contains(code_range other) const { return contains(other.min) && contains(other.max); }

  /// The code nearest to `value`.
  constexpr std::int32_t clamp(std::int64_t value) const {
    return static_cast<std::int32_t>(std::clamp(value, std::int64_t{min}, std::int64_t{max}));
  }

  friend constexpr bool operator==(code_range, code_range) = default;

 private:
  static constexpr void check(int bits) { require(bits >= 1 && bits <= 16, "code_range: bits", bits, "[1, 16]"); }
};

}  // namespace bitwright
