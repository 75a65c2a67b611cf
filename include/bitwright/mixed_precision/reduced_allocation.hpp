// SPDX-License-Identifier: MIT
/// \file
/// The allocation problem as solvers see it: tied layers merged, restrictions applied, useless choices dropped, all in
/// integers.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/omega_grid.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace bitwright {

/// A group of tied layers takes one of its choices. Group g's choices are [first[g], first[g + 1]).
struct reduced_allocation {
  std::size_t budgets = 0;
  std::vector<std::size_t> first = {0};
  std::vector<std::int64_t> omegas = {};     ///< Of each choice, in units of the omega grid.
  std::vector<std::int64_t> costs = {};      ///< Of each choice, its cost in every budget.
  std::vector<std::size_t> candidates = {};  ///< The candidate index that a choice stands for.
  std::vector<std::int64_t> limits = {};     ///< As tight as sums of useful choices' costs can reach (tighten_limits).
  std::vector<std::int64_t> provable_limits = {};  ///< As tight as sums of any choices' costs can reach.
  std::vector<std::size_t> group_of_layer = {};

  std::size_t groups() const { return first.size() - 1; }
  std::size_t choices() const { return omegas.size(); }
  std::size_t choices_of(std::size_t group) const { return first[group + 1] - first[group]; }
  std::span<const std::int64_t> cost(std::size_t choice) const {
    return std::span(costs).subspan(choice * budgets, budgets);
  }
};

/// Whether choice a is never worse than b: in omega and in every cost.
inline bool dominates(const reduced_allocation& reduced, std::size_t a, std::size_t b) {
  if (reduced.omegas[a] > reduced.omegas[b]) return false;
  for (std::size_t m = 0; m < reduced.budgets; ++m)
    if (reduced.costs[a * reduced.budgets + m] > reduced.costs[b * reduced.budgets + m]) return false;
  return true;
}

/// Whether another of its group's choices makes this one useless; of equals the first is useful.
inline bool is_dominated(const reduced_allocation& reduced, std::size_t group, std::size_t choice) {
  for (std::size_t other = reduced.first[group]; other < reduced.first[group + 1]; ++other)
    if (other != choice && dominates(reduced, other, choice) && (other < choice || !dominates(reduced, choice, other)))
      return true;
  return false;
}

/// Drops what another choice dominates; false where there is nothing to drop.
inline bool drop_dominated(reduced_allocation& reduced) {
  std::size_t kept = 0;
  std::vector<std::size_t> useful;
  for (std::size_t g = 0, begin = 0; g < reduced.groups(); ++g) {
    useful.clear();
    for (std::size_t choice = begin; choice < reduced.first[g + 1]; ++choice)
      if (!is_dominated(reduced, g, choice)) useful.push_back(choice);
    begin = reduced.first[g + 1];
    reduced.first[g] = kept;
    for (const std::size_t from : useful) {
      reduced.omegas[kept] = reduced.omegas[from];
      reduced.candidates[kept] = reduced.candidates[from];
      std::copy_n(reduced.costs.begin() + static_cast<std::ptrdiff_t>(from * reduced.budgets), reduced.budgets,
                  reduced.costs.begin() + static_cast<std::ptrdiff_t>(kept * reduced.budgets));
      ++kept;
    }
  }
  if (kept == reduced.choices()) return false;
  reduced.first.back() = kept;
  reduced.omegas.resize(kept);
  reduced.candidates.resize(kept);
  reduced.costs.resize(kept * reduced.budgets);
  return true;
}

/// The least or largest sum of budget m's costs.
inline std::int64_t extreme_cost_sum(const reduced_allocation& reduced, std::size_t m, bool largest) {
  std::int64_t sum = 0;
  for (std::size_t g = 0; g < reduced.groups(); ++g) {
    std::int64_t extreme = reduced.cost(reduced.first[g])[m];
    for (std::size_t choice = reduced.first[g]; choice < reduced.first[g + 1]; ++choice)
      extreme = largest ? std::max(extreme, reduced.cost(choice)[m]) : std::min(extreme, reduced.cost(choice)[m]);
    sum += extreme;
  }
  return sum;
}

/// gcd(divisor, difference), at the price of a remainder where, as mostly, nothing changes.
inline std::int64_t common_divisor(std::int64_t divisor, std::int64_t difference) {
  return divisor != 0 && difference % divisor == 0 ? divisor : std::gcd(divisor, difference);
}

/// Lowers each limit to where a sum of costs can lie: sums differ by multiples of g, the greatest common divisor of the
/// differences between a group's costs, and never exceed the sum of the largest costs. The feasible set stays as it is,
/// the bound by multipliers rises: on identical transformer blocks it is the difference between seconds and hours.
inline void tighten_limits(reduced_allocation& reduced) {
  for (std::size_t m = 0; m < reduced.budgets; ++m) {
    std::int64_t base = 0, divisor = 0;
    for (std::size_t g = 0; g < reduced.groups(); ++g) {
      const std::int64_t reference = reduced.cost(reduced.first[g])[m];
      base += reference;
      for (std::size_t choice = reduced.first[g] + 1; choice < reduced.first[g + 1]; ++choice)
        divisor = common_divisor(divisor, reduced.cost(choice)[m] - reference);
    }
    std::int64_t& limit = reduced.limits[m];
    limit = std::clamp<std::int64_t>(limit, -1, extreme_cost_sum(reduced, m, true));
    if (divisor == 0) continue;
    const std::int64_t distance = limit - base, remainder = (distance % divisor + divisor) % divisor;
    limit -= remainder;
  }
}

/// Merges, filters and tightens a checked problem. Choices keep the order of their candidates.
inline reduced_allocation reduce_allocation(const allocation_problem& problem, const omega_grid& grid) {
  reduced_allocation reduced;
  reduced.budgets = problem.budgets.size();
  for (const budget& each : problem.budgets) reduced.limits.push_back(each.limit);
  reduced.group_of_layer = tie_groups(problem);

  std::vector<std::vector<std::size_t>> members;
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    if (reduced.group_of_layer[layer] == members.size()) members.emplace_back();
    members[reduced.group_of_layer[layer]].push_back(layer);
  }
  for (const std::vector<std::size_t>& layers : members) {
    for (std::size_t index = 0; index < problem.layers[layers.front()].candidates.size(); ++index) {
      if (!std::ranges::all_of(layers, [&](std::size_t layer) { return allows(problem.layers[layer], index); }))
        continue;
      reduced.candidates.push_back(index);
      reduced.omegas.push_back(0);
      reduced.costs.resize(reduced.costs.size() + reduced.budgets);
      std::int64_t* const costs = reduced.costs.data() + reduced.costs.size() - reduced.budgets;
      for (const std::size_t layer : layers) {
        const candidate& added = problem.layers[layer].candidates[index];
        reduced.omegas.back() += grid.units(added.omega);
        for (std::size_t m = 0; m < reduced.budgets; ++m) costs[m] += added.costs[m];
      }
    }
    reduced.first.push_back(reduced.choices());
  }
  tighten_limits(reduced);
  reduced.provable_limits = reduced.limits;
  if (drop_dominated(reduced)) tighten_limits(reduced);
  return reduced;
}

}  // namespace bitwright
