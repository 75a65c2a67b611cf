// SPDX-License-Identifier: MIT
/// \file
/// The residual add in 16-bit lanes: what a call has to be like for that to be exact, and the constants it then takes.
///
/// A factor's multiplier is high * 2^16 + low, both of 16 bits, and a code less its zero point is d, of 16 bits too:
///
///     floor(d * multiplier / 2^16) = d * high + floor(d * low / 2^16)
///     round(d * multiplier / 2^shift) = (d * high + floor(d * low / 2^16) + half) >> (shift - 16)
///
/// with half = 2^(shift - 17), where ties go up or no d makes one. The sum of both branches is moved to where the 256
/// codes from the least on are -128 to 127, so that 16 bits hold it with its guard bits, and saturate where it clamps.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

namespace bitwright::kernels {

/// One branch's factor, zero point, and the codes its type has.
struct residual_input {
  dyadic factor;
  std::int32_t zero_point;
  code_range type;

  template <class Code>
  static constexpr residual_input of(const residual_branch<Code>& branch) {
    return {branch.factor, branch.zero_point, code_range::all_of<Code>()};
  }

  /// The greatest magnitude of a code less the zero point.
  constexpr std::int64_t greatest() const {
    return std::max(std::int64_t{type.max} - zero_point, zero_point - std::int64_t{type.min});
  }
  /// A bound of a rounded code's magnitude, where it is less than 2^31.
  constexpr std::int64_t bound() const { return ((greatest() * factor.multiplier) >> factor.shift) + 1; }
  /// Whether two rounded codes and a half more fit 32 bits.
  constexpr bool has_room() const { return greatest() <= 1 << 17 && bound() < 1 << 29; }
  /// Whether some code's quotient is a tie: code and multiplier together are even exactly shift - 1 times.
  constexpr bool has_ties() const {
    const int missing = factor.shift - 1 - std::countr_zero(static_cast<std::uint32_t>(factor.multiplier));
    return missing >= 0 && greatest() >= std::int64_t{1} << missing;
  }
};

/// One branch's constants.
struct residual_branch_lanes {
  std::int16_t zero_point;
  std::int16_t low;     ///< Of the multiplier.
  std::int16_t high;    ///< Of the multiplier.
  std::int32_t addend;  ///< Half a unit, and where the sum moves to.
  std::int32_t shift;

  /// None where some number in between does not fit.
  static constexpr std::optional<residual_branch_lanes> of(const residual_input& input, std::int64_t move) {
    const auto [multiplier, shift] = input.factor;
    const auto low = static_cast<std::int16_t>(multiplier & 0xffff);
    const std::int64_t high = (std::int64_t{multiplier} - low) >> 16;
    const bool narrow = input.zero_point >= INT16_MIN && input.zero_point <= INT16_MAX && high <= INT16_MAX;
    if (!narrow || input.greatest() > INT16_MAX || shift < 17 || shift > 46 || !input.has_room()) return {};
    const std::int64_t addend = (std::int64_t{1} << (shift - 17)) + move * (std::int64_t{1} << (shift - 16));
    if (addend <= -(1 << 30) || addend >= 1 << 30) return {};  // d * multiplier / 2^16 is below 2^30.
    return residual_branch_lanes{static_cast<std::int16_t>(input.zero_point), low, static_cast<std::int16_t>(high),
                                 static_cast<std::int32_t>(addend), shift - 16};
  }
};

/// The constants of a residual add to 8-bit codes.
struct residual_bytes {
  residual_branch_lanes left;
  residual_branch_lanes right;
  std::int16_t zero;  ///< The sum 0, moved; saturated.
  bool odd;           ///< Whether the move makes odd codes of even ones.
  std::int8_t most;   ///< The greatest code, moved.
  std::int8_t back;   ///< What moves a code to its place, modulo 256.

  /// None where some number in between does not fit. Of inputs without ties, or for ties that go up.
  static constexpr std::optional<residual_bytes> of(const residual_input& left, const residual_input& right,
                                                    std::int32_t zero_point, code_range codes) {
    const std::int64_t first = std::int64_t{codes.min} - zero_point + 128;
    if (first <= -(1 << 20) || first >= 1 << 20) return {};
    const std::int64_t move = -first * (1 << residual_guard_bits);
    const auto left_lanes = residual_branch_lanes::of(left, move), right_lanes = residual_branch_lanes::of(right, 0);
    if (!left_lanes || !right_lanes) return {};
    return residual_bytes{*left_lanes,
                          *right_lanes,
                          static_cast<std::int16_t>(std::clamp<std::int64_t>(move, INT16_MIN, INT16_MAX)),
                          first % 2 != 0,
                          static_cast<std::int8_t>(codes.max - codes.min - 128),
                          static_cast<std::int8_t>(codes.min + 128)};
  }
};

}  // namespace bitwright::kernels
