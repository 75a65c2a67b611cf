// SPDX-License-Identifier: MIT
/// \file
/// The rounding policies that vector paths have code for, and when they agree. A user's own policy takes the scalar
/// specification there.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace bitwright::kernels {

/// One of core/rounding.hpp's policies.
template <class Rounding>
concept vectorized_rounding =
    one_of<Rounding, half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor, gemmlowp_double>;

/// A policy that differs from half_up in ties only.
template <class Rounding>
concept to_nearest = one_of<Rounding, half_up, half_to_even, half_away_from_zero>;

/// Whether some sum of magnitude up to `most` may lie half-way between two codes: sum * multiplier an odd multiple of
/// 2^(shift - 1). Then sum, not 0, is a multiple of what the multiplier's even part leaves of that power.
constexpr bool may_tie(dyadic factor, std::int64_t most) {
  const int divisor = factor.shift - 1 - std::countr_zero(static_cast<std::uint32_t>(factor.multiplier));
  return divisor < 62 && most >= std::int64_t{1} << std::max(0, divisor);
}

}  // namespace bitwright::kernels
