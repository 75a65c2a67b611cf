// SPDX-License-Identifier: MIT
/// \file
/// Short sums: products of small weights that are added in 16 bits, for as many steps as they surely fit. That they do
/// is proven when weights are packed, from the weights themselves, for all activations that there may be.
///
/// A tile of short sums says besides what kernels/tiles.hpp asks for
///     short_sums       how many 16-bit sums a column has, each of two weights of a step
///     short_sum(k)     to which of them weight k of a segment is added
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels {

/// Sums that 16 bits hold.
constexpr bool fits_short(std::int64_t least, std::int64_t most) {
  using short_limits = std::numeric_limits<std::int16_t>;
  return least >= short_limits::min() && most <= short_limits::max();
}

/// The operands there may be: of activations, of padding, and 0, with which segments are filled up to whole steps.
struct operand_range {
  std::int32_t least;
  std::int32_t most;

  /// Those of a tile whose operands are codes less a constant.
  template <class Tile, class Activation>
  static constexpr operand_range of(const weighted_sum& sums) {
    const code_range type = code_range::all_of<Activation>(), codes = sums.activation_codes;
    const std::int32_t zero = sums.activation_zero_point, offset = Tile::activation_offset(zero);
    return {std::min({0, zero - offset, std::max(codes.min, type.min) - offset}),
            std::max({0, zero - offset, std::min(codes.max, type.max) - offset})};
  }
};

/// Whether the sums of `steps` steps of a segment fit 16 bits, whatever the operands: neither all their positive products
/// nor all negative ones leave them.
template <class Tile>
constexpr bool fit_short_sums(const std::int8_t* weights, std::size_t length, std::size_t steps,
                              operand_range operands) {
  for (std::size_t begin = 0; begin < length; begin += steps * Tile::depth) {
    std::array<std::int64_t, Tile::short_sums> least{}, most{};
    for (std::size_t k = begin; k < std::min(length, begin + steps * Tile::depth); ++k) {
      const std::int32_t with_least = weights[k] * operands.least, with_most = weights[k] * operands.most;
      least[Tile::short_sum(k)] += std::min(with_least, with_most);
      most[Tile::short_sum(k)] += std::max(with_least, with_most);
    }
    for (std::size_t sum = 0; sum < Tile::short_sums; ++sum)
      if (!fits_short(least[sum], most[sum])) return false;
  }
  return true;
}

/// The most steps that are tried.
inline constexpr std::size_t most_short_steps = 128;

/// The most steps, of a power of two, whose sums of two products each always fit 16 bits if no weight's and no operand's
/// magnitude is above these.
constexpr std::size_t surely_fitting_steps(std::int32_t weight, std::int32_t operand) {
  std::size_t steps = most_short_steps;
  const auto most = [&] { return 2 * static_cast<std::int64_t>(steps) * weight * operand; };
  while (steps > 0 && !fits_short(-most(), most())) steps /= 2;
  return steps;
}
static_assert(surely_fitting_steps(8, 255) == 8 && surely_fitting_steps(8, 128) == 8, "4-bit weights");
static_assert(surely_fitting_steps(8, 15) == 128, "4-bit weights and activations");
static_assert(surely_fitting_steps(2, 255) == 32 && surely_fitting_steps(2, 128) == 32, "2-bit weights");
static_assert(surely_fitting_steps(64, 255) == 1 && surely_fitting_steps(64, 128) == 1, "7-bit weights");
static_assert(surely_fitting_steps(128, 255) == 0 && surely_fitting_steps(128, 128) == 0, "8-bit weights");

/// The most steps, of a power of two, whose sums fit 16 bits in all these segments; 0 if no step's do.
template <class Activation, class Tile>
std::size_t fitting_steps(const panel_layout<Tile>& layout, const weighted_sum& sums) {
  const auto operands = operand_range::of<Tile, Activation>(sums);
  std::size_t steps = most_short_steps;
  for (std::size_t n = 0; n < sums.outputs; ++n)
    for (std::size_t segment = 0; segment < layout.segments; ++segment)
      while (steps > 0 &&
             !fit_short_sums<Tile>(segment_weights(layout, sums, n, segment), layout.length, steps, operands))
        steps /= 2;
  return steps;
}

/// What short sums need to be worth their additions to 32 bits; and steps that share bytes stay together.
template <class Tile>
constexpr std::size_t least_short_steps(const panel_layout<Tile>& layout) {
  return std::max<std::size_t>(4, layout.joined_steps());
}

}  // namespace bitwright::kernels
