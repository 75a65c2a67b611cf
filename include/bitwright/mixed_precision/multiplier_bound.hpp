// SPDX-License-Identifier: MIT
/// \file
/// The bound that multipliers prove, and what every choice adds to it, in exact integers.
#pragma once

#include <bitwright/mixed_precision/reduced_allocation.hpp>
#include <bitwright/mixed_precision/wide_integer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// Multipliers on a dyadic grid: lambda_m = numerators[m] / 2^shift.
struct dyadic_multipliers {
  std::vector<std::int64_t> numerators = {};
  int shift = 0;
};

/// Rounds multipliers to the finest grid on which every sum that exact_bound() forms stays below 2^126.
inline dyadic_multipliers round_multipliers(const reduced_allocation& reduced, std::span<const double> multipliers) {
  double omegas = 0, largest = 0, weighted = 0;
  for (std::size_t g = 0; g < reduced.groups(); ++g)
    omegas += static_cast<double>(
        *std::max_element(reduced.omegas.begin() + static_cast<std::ptrdiff_t>(reduced.first[g]),
                          reduced.omegas.begin() + static_cast<std::ptrdiff_t>(reduced.first[g + 1])));
  for (std::size_t m = 0; m < reduced.budgets; ++m) {
    const double span = static_cast<double>(extreme_cost_sum(reduced, m, true)) + 1;
    largest = std::max(largest, multipliers[m]);
    weighted += multipliers[m] * 2 * span;
  }
  int sum_bits = 0, multiplier_bits = 0;
  std::frexp(omegas + weighted, &sum_bits);
  std::frexp(largest, &multiplier_bits);
  const int shift = std::min({62, 124 - sum_bits, 61 - multiplier_bits});
  dyadic_multipliers rounded{.numerators = {}, .shift = std::max(shift, 0)};
  // Where even a shift of 0 is too much, all multipliers shrink alike: any multipliers prove some bound.
  for (const double multiplier : multipliers)
    rounded.numerators.push_back(static_cast<std::int64_t>(std::round(std::ldexp(multiplier, shift))));
  return rounded;
}

/// sum_g min_k (omega_gk 2^shift + numerators . cost_gk) - numerators . limits, and by how much each choice exceeds its
/// group's least: no allocation that takes the choice is below bound + excess.
struct exact_bound {
  dyadic_multipliers multipliers = {};
  wide_integer bound = 0;                 ///< In omega units / 2^shift.
  std::vector<wide_integer> excess = {};  ///< Of each choice, in the same units.
  std::vector<std::size_t> best = {};     ///< Each group's first choice of no excess.

  exact_bound() = default;
  exact_bound(const reduced_allocation& reduced, dyadic_multipliers at) : multipliers(std::move(at)) {
    excess.reserve(reduced.choices());
    for (std::size_t g = 0; g < reduced.groups(); ++g) {
      std::size_t least = reduced.first[g];
      for (std::size_t choice = reduced.first[g]; choice < reduced.first[g + 1]; ++choice) {
        excess.push_back(term(reduced, choice));
        if (excess[choice] < excess[least]) least = choice;
      }
      best.push_back(least);
      const wide_integer least_term = excess[least];
      bound += least_term;
      for (std::size_t choice = reduced.first[g]; choice < reduced.first[g + 1]; ++choice) excess[choice] -= least_term;
    }
    for (std::size_t m = 0; m < reduced.budgets; ++m)
      bound -= wide_integer::product(multipliers.numerators[m], reduced.limits[m]);
  }

  /// A number of omega units on the grid of the bound.
  wide_integer scaled(std::int64_t units) const {
    return wide_integer::product(units, std::int64_t{1} << multipliers.shift);
  }

  /// The least number of omega units that is not below `on_grid`.
  std::int64_t units_at_least(wide_integer on_grid) const {
    return (-(-on_grid).shift_right(multipliers.shift)).saturated();
  }

 private:
  wide_integer term(const reduced_allocation& reduced, std::size_t choice) const {
    wide_integer sum = scaled(reduced.omegas[choice]);
    for (std::size_t m = 0; m < reduced.budgets; ++m)
      sum += wide_integer::product(multipliers.numerators[m], reduced.cost(choice)[m]);
    return sum;
  }
};

}  // namespace bitwright
