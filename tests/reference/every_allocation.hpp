// SPDX-License-Identifier: MIT
/// \file
/// An oracle of bit allocation: tries every combination of candidates.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bitwright::reference {

/// What every_allocation found: for integer omegas.
struct best_allocation {
  bool feasible = false;
  std::int64_t objective = 0;
};

/// Calls `visit(choice, omega, used)` for every choice of candidates that restrictions and ties allow.
template <class Visit>
void for_every_allocation(const allocation_problem& problem, Visit visit) {
  std::vector<std::size_t> choice(problem.layers.size());
  std::vector<std::int64_t> used(problem.budgets.size());
  std::int64_t omega = 0;
  const auto tied_to_other = [&](std::size_t layer, std::size_t index) {
    for (const auto& tie : problem.ties)
      if (std::ranges::count(tie, layer) > 0)
        for (const std::size_t other : tie)
          if (other < layer && choice[other] != index) return true;
    return false;
  };
  const auto recurse = [&](const auto& self, std::size_t layer) -> void {
    if (layer == problem.layers.size()) return visit(choice, omega, used);
    const allocation_layer& here = problem.layers[layer];
    for (std::size_t index = 0; index < here.candidates.size(); ++index) {
      if (here.fixed && *here.fixed != index) continue;
      if (std::ranges::count(here.forbidden, index) > 0 || tied_to_other(layer, index)) continue;
      const candidate& taken = here.candidates[index];
      choice[layer] = index;
      omega += static_cast<std::int64_t>(taken.omega);
      for (std::size_t m = 0; m < used.size(); ++m) used[m] += taken.costs[m];
      self(self, layer + 1);
      omega -= static_cast<std::int64_t>(taken.omega);
      for (std::size_t m = 0; m < used.size(); ++m) used[m] -= taken.costs[m];
    }
  };
  recurse(recurse, 0);
}

/// The least sum of (integer) omegas within the limits.
inline best_allocation every_allocation(const allocation_problem& problem) {
  best_allocation best;
  for_every_allocation(problem, [&](const auto&, std::int64_t omega, const std::vector<std::int64_t>& used) {
    for (std::size_t m = 0; m < used.size(); ++m)
      if (used[m] > problem.budgets[m].limit) return;
    if (!best.feasible || omega < best.objective) best = {true, omega};
  });
  return best;
}

/// The least use of budget m by an allocation within the limits of the budgets `within`; nothing where there is none.
inline std::optional<std::int64_t> least_use(const allocation_problem& problem, std::size_t m,
                                             const std::vector<std::size_t>& within) {
  std::optional<std::int64_t> least;
  for_every_allocation(problem, [&](const auto&, std::int64_t, const std::vector<std::int64_t>& used) {
    for (const std::size_t other : within)
      if (used[other] > problem.budgets[other].limit) return;
    least = std::min(least.value_or(used[m]), used[m]);
  });
  return least;
}

}  // namespace bitwright::reference
