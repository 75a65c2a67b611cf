// SPDX-License-Identifier: MIT
/// \file
/// Overflow policies: what becomes of a whole number that no code of the range stands for.
#pragma once

#include <bitwright/core/code_range.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

namespace bitwright {

/// A policy maps integers into a code range, and whole floats (NaN and infinity included) to integers that the same
/// policy then maps as it would map the float itself:
/// `fit(value, codes)` for |value| <= 2^62, and `to_integer(whole)`, with |result| <= 2^30. `reach(codes)` holds all
/// that fit can return, so that storage can be checked.
template <class Policy>
concept overflow_policy = requires(std::int64_t value, float whole, code_range codes) {
  { Policy::fit(value, codes) } -> std::same_as<std::int32_t>;
  { Policy::to_integer(whole) } -> std::same_as<std::int32_t>;
  { Policy::reach(codes) } -> std::same_as<code_range>;
};

/// The nearest code. NaN becomes the integer 0 (a quantizer's zero), infinity the outermost code.
struct saturate {
  static constexpr std::int32_t fit(std::int64_t value, code_range codes) { return codes.clamp(value); }
  static constexpr std::int32_t to_integer(float whole) {
    if (whole != whole) return 0;
    // 2^30 lies outside every code range, and a zero point added to it still fits 32 bits.
    return static_cast<std::int32_t>(std::clamp(whole, -0x1p30f, 0x1p30f));
  }
  static constexpr code_range reach(code_range codes) { return codes; }
};

/// The code nearest to 0 for everything outside the range ("nulling"): an outlier is dropped, not clipped. NaN is 0
/// too.
struct saturate_to_zero {
  static constexpr std::int32_t fit(std::int64_t value, code_range codes) {
    return codes.contains(value) ? static_cast<std::int32_t>(value) : codes.clamp(0);
  }
  static constexpr std::int32_t to_integer(float whole) { return saturate::to_integer(whole); }
  static constexpr code_range reach(code_range codes) { return codes; }
};

/// Modulo 2^bits, as two's complement registers do: wrap(a) - wrap(b) = wrap(a - b) modulo 2^bits. NaN and infinity
/// become 0. A range of fewer than 2^bits codes wraps in the full register that ends at its highest code: the lowest
/// code that a symmetric range leaves out can appear.
struct wrap {
  static constexpr std::int32_t fit(std::int64_t value, code_range codes) {
    return static_cast<std::int32_t>(codes.max - ((codes.max - value) & mask(codes)));
  }
  static std::int32_t to_integer(float whole) {
    // Every register has at most 16 bits, so the remainder modulo 2^16 wraps alike; fmod is exact.
    return std::isfinite(whole) ? static_cast<std::int32_t>(std::fmod(whole, 0x1p16f)) : 0;
  }
  static constexpr code_range reach(code_range codes) {
    return {static_cast<std::int32_t>(codes.max - mask(codes)), codes.max};
  }

 private:
  static constexpr std::int64_t mask(code_range codes) {
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(codes.size()))) - 1;
  }
};

static_assert(overflow_policy<saturate> && overflow_policy<saturate_to_zero> && overflow_policy<wrap>);

}  // namespace bitwright
