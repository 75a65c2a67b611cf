// SPDX-License-Identifier: MIT
/// \file
/// Overflow policies: what becomes of a whole number that no code of the range stands for.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/rounding.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

namespace bitwright {

/// A policy maps integers into a code range, and whole floats (NaN and infinity included) as it would map the same
/// integer: `fit(value, codes)` for |value| <= 2^62, and `fit_whole(whole, codes)` for codes of at most 2^24 in
/// magnitude, without a branch, so that a compiler can fit many at once. `reach(codes)` holds all that either can return,
/// so that storage can be checked.
template <class Policy>
concept overflow_policy = requires(std::int64_t value, float whole, code_range codes) {
  { Policy::fit(value, codes) } -> std::same_as<std::int32_t>;
  { Policy::fit_whole(whole, codes) } -> std::same_as<std::int32_t>;
  { Policy::reach(codes) } -> std::same_as<code_range>;
};

/// The nearest code. NaN is fitted as 0 (a quantizer's zero), infinity becomes the outermost code.
struct saturate {
  static constexpr std::int32_t fit(std::int64_t value, code_range codes) { return codes.clamp(value); }
  static constexpr std::int32_t fit_whole(float whole, code_range codes) {
    const auto min = static_cast<float>(codes.min), max = static_cast<float>(codes.max);
    const float number = whole == whole ? whole : 0.0f;
    const float raised = number < min ? min : number;
    return static_cast<std::int32_t>(raised > max ? max : raised);
  }
  static constexpr code_range reach(code_range codes) { return codes; }
};

/// The code nearest to 0 for everything outside the range ("nulling"): an outlier is dropped, not clipped. NaN is 0
/// too.
struct saturate_to_zero {
  static constexpr std::int32_t fit(std::int64_t value, code_range codes) {
    return codes.contains(value) ? static_cast<std::int32_t>(value) : codes.clamp(0);
  }
  static constexpr std::int32_t fit_whole(float whole, code_range codes) {
    const auto min = static_cast<float>(codes.min), max = static_cast<float>(codes.max);
    const auto zero = static_cast<float>(codes.clamp(0));
    const float raised = whole >= min ? whole : zero;  // NaN is not.
    return static_cast<std::int32_t>(raised > max ? zero : raised);
  }
  static constexpr code_range reach(code_range codes) { return codes; }
};

/// Modulo 2^bits, as two's complement registers do: wrap(a) - wrap(b) = wrap(a - b) modulo 2^bits. NaN and infinity
/// become 0. A range of fewer than 2^bits codes wraps in the full register that ends at its highest code: the lowest
/// code that a symmetric range leaves out can appear.
struct wrap {
  static constexpr std::int32_t fit(std::int64_t value, code_range codes) {
    return static_cast<std::int32_t>(codes.max - ((codes.max - value) & mask(codes)));
  }
  static std::int32_t fit_whole(float whole, code_range codes) {
    // Every register has at most 16 bits, so the remainder modulo 2^16 wraps alike. All three operations are exact; an
    // infinity leaves infinity - infinity, no number.
    const float remainder = whole - 0x1p16f * floor::round(whole * 0x1p-16f);
    const auto value = static_cast<std::int32_t>(remainder == remainder ? remainder : 0.0f);
    return codes.max - ((codes.max - value) & static_cast<std::int32_t>(mask(codes)));
  }
  static constexpr code_range reach(code_range codes) {
    return {static_cast<std::int32_t>(codes.max - mask(codes)), codes.max};
  }

 private:
  static constexpr std::int64_t mask(code_range codes) {
    std::int64_t below = codes.size() - 1;  // Then every bit below its highest: std::bit_ceil(size) - 1, branch-free.
    below |= below >> 1;
    below |= below >> 2;
    below |= below >> 4;
    below |= below >> 8;
    return below | below >> 16;
  }
};

static_assert(overflow_policy<saturate> && overflow_policy<saturate_to_zero> && overflow_policy<wrap>);

}  // namespace bitwright
