// SPDX-License-Identifier: MIT
/// \file
/// The rounding policies that vector paths have code for. A user's own policy takes the scalar specification there.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>

namespace bitwright::kernels {

/// One of core/rounding.hpp's policies.
template <class Rounding>
concept vectorized_rounding =
    one_of<Rounding, half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor, gemmlowp_double>;

/// A policy that differs from half_up in ties only.
template <class Rounding>
concept to_nearest = one_of<Rounding, half_up, half_to_even, half_away_from_zero>;

}  // namespace bitwright::kernels
