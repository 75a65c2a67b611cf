// SPDX-License-Identifier: MIT
/// \file
/// Which exact division each rounding policy stands for, so that oracles can be asked by policy.
#pragma once

#include "exact_division.hpp"
#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace bitwright::reference {

template <class Rounding>
inline constexpr direction direction_of = direction::up_at_ties;
template <>
inline constexpr direction direction_of<half_to_even> = direction::even_at_ties;
template <>
inline constexpr direction direction_of<half_away_from_zero> = direction::away_at_ties;
template <>
inline constexpr direction direction_of<toward_zero> = direction::to_zero;
template <>
inline constexpr direction direction_of<bitwright::floor> = direction::down;

/// round(accumulator * factor), saturated to 32 bits. The accumulator has to fit 32 bits itself.
template <class Rounding>
std::int64_t requantized_by(std::int64_t accumulator, dyadic factor) {
  const auto whole = static_cast<std::int32_t>(accumulator);
  if (std::same_as<Rounding, gemmlowp_double> && factor.shift >= 31)
    return requantized_twice(whole, factor.multiplier, factor.shift);
  return requantized(whole, factor.multiplier, factor.shift, direction_of<Rounding>);
}

/// The code of an accumulator: requantized, moved to its zero point, kept between two codes.
template <class Rounding>
std::int64_t code_of(std::int64_t accumulator, dyadic factor, std::int64_t zero_point, std::int64_t least,
                     std::int64_t most) {
  return std::min(most, std::max(least, requantized_by<Rounding>(accumulator, factor) + zero_point));
}

}  // namespace bitwright::reference
