// SPDX-License-Identifier: MIT
/// \file
/// Allocations without proof, for comparison: uniform, greedy by ratio, and monotone in sensitivity (HAWQ-V2).
///
/// Each returns what allocate() would: choices within the budgets and a sum of omegas, but a lower bound that only says that
/// every layer takes at least its least omega. Where one finds nothing, something may exist.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocation.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/allocator.hpp>
#include <bitwright/mixed_precision/multiplier_bound.hpp>
#include <bitwright/mixed_precision/omega_grid.hpp>
#include <bitwright/mixed_precision/reduced_allocation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// The account of one choice per layer, as a result that claims no more than it is. Empty, or beyond a budget: nothing was
/// found. Throws invalid_argument for a choice that the problem does not allow.
inline allocation allocation_of(const allocation_problem& problem, std::vector<std::size_t> choice) {
  const omega_grid grid(problem);
  const reduced_allocation reduced = reduce_allocation(problem, grid);
  // All multipliers 0: the sum of the layers' least omegas.
  const exact_bound bound(reduced, {.numerators = std::vector<std::int64_t>(reduced.budgets), .shift = 0});
  allocation result;
  result.certificate = {bound.multipliers.numerators, 0, bound.units_at_least(bound.bound)};
  result.lower_bound_units = result.certificate.bound_units;
  require(choice.empty() || choice.size() == problem.layers.size(), "allocation_of: choice.size()", choice.size(),
          "one candidate per layer: ", problem.layers.size());
  const std::vector<std::vector<std::size_t>> allowed = allowed_candidates(problem);
  for (std::size_t layer = 0; layer < choice.size(); ++layer)
    require(std::ranges::binary_search(allowed[layer], choice[layer]),
            "allocation_of: choice[" + std::to_string(layer) + "]", choice[layer], "a candidate that is allowed");
  std::vector<std::size_t> of_group(reduced.groups(), static_cast<std::size_t>(-1));
  for (std::size_t layer = 0; layer < choice.size(); ++layer) {
    std::size_t& shared = of_group[reduced.group_of_layer[layer]];
    if (shared == static_cast<std::size_t>(-1)) shared = choice[layer];
    require(choice[layer] == shared, "allocation_of: choice[" + std::to_string(layer) + "]", choice[layer], shared,
            ", as a layer that it is tied to");
  }
  result.choice = std::move(choice);
  account(problem, grid, result);
  const bool found = result.choice.size() == problem.layers.size() &&
                     std::ranges::all_of(result.slack, [](std::int64_t left) { return left >= 0; });
  if (found) {
    const bool proven = result.objective_units == result.lower_bound_units;
    result.status = proven ? allocation_status::optimal : allocation_status::feasible_with_gap;
    return result;
  }
  result.status = allocation_status::limit_without_solution;
  result.choice.clear();
  result.used.clear();
  result.slack.clear();
  result.objective = result.gap = 0;
  result.objective_units = 0;
  return result;
}

/// The best allocation within the budgets that gives all layers the same weight and activation bits: layers that allow one
/// candidate only keep it. Of candidates of the same bits, a layer takes the first that it allows.
inline allocation uniform_allocation(const allocation_problem& problem) {
  check_allocation_problem(problem);
  std::vector<std::pair<int, int>> widths;
  for (const allocation_layer& layer : problem.layers)
    for (const candidate& choice : layer.candidates) widths.emplace_back(choice.weight_bits, choice.activation_bits);
  std::ranges::sort(widths);
  widths.erase(std::ranges::unique(widths).begin(), widths.end());

  const std::vector<std::vector<std::size_t>> allowed = allowed_candidates(problem);
  allocation best = allocation_of(problem, {});
  for (const std::pair<int, int>& width : widths) {
    std::vector<std::size_t> choice;
    for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
      const auto has_width = [&](std::size_t k) {
        const candidate& each = problem.layers[layer].candidates[k];
        return std::pair(each.weight_bits, each.activation_bits) == width;
      };
      const auto found = std::ranges::find_if(allowed[layer], has_width);
      if (found != allowed[layer].end())
        choice.push_back(*found);
      else if (allowed[layer].size() == 1)
        choice.push_back(allowed[layer].front());
    }
    if (choice.size() != problem.layers.size()) continue;
    allocation next = allocation_of(problem, std::move(choice));
    if (next.choice.size() != problem.layers.size() || next.status == allocation_status::limit_without_solution)
      continue;
    if (best.status == allocation_status::limit_without_solution || next.objective_units < best.objective_units)
      best = std::move(next);
  }
  return best;
}

/// Starts from every layer's least omega, and as long as a budget is exceeded takes the step that loses the least omega for
/// what it saves of the exceeded budgets, each measured in its own limit. Of equal steps the first layer's, to the first
/// candidate.
inline allocation greedy_allocation(const allocation_problem& problem) {
  check_allocation_problem(problem);
  const omega_grid grid(problem);
  const reduced_allocation reduced = reduce_allocation(problem, grid);
  const exact_bound start(reduced, {.numerators = std::vector<std::int64_t>(reduced.budgets), .shift = 0});
  std::vector<std::size_t> taken = start.best;
  std::vector<std::int64_t> excess(reduced.budgets);
  for (std::size_t m = 0; m < reduced.budgets; ++m) {
    excess[m] = -reduced.limits[m];
    for (const std::size_t choice : taken) excess[m] += reduced.cost(choice)[m];
  }
  const auto saved = [&](std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t m = 0; m < reduced.budgets; ++m) {
      if (excess[m] <= 0) continue;
      const std::int64_t difference = reduced.cost(from)[m] - reduced.cost(to)[m];
      sum +=
          static_cast<double>(std::min(difference, excess[m])) / std::max(1.0, static_cast<double>(reduced.limits[m]));
    }
    return sum;
  };
  while (std::ranges::any_of(excess, [](std::int64_t over) { return over > 0; })) {
    std::optional<std::pair<std::size_t, std::size_t>> step;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t g = 0; g < reduced.groups(); ++g)
      for (std::size_t choice = reduced.first[g]; choice < reduced.first[g + 1]; ++choice) {
        const auto lost = static_cast<double>(reduced.omegas[choice] - reduced.omegas[taken[g]]);
        const double gained = saved(taken[g], choice);
        if (lost < 0 || !(gained > 0) || !(lost / gained < least)) continue;  // Never back up: so it ends.
        if (lost == 0 && choice <= taken[g]) continue;
        least = lost / gained;
        step = {g, choice};
      }
    if (!step) return allocation_of(problem, {});
    const auto [group, choice] = *step;
    for (std::size_t m = 0; m < reduced.budgets; ++m)
      excess[m] += reduced.cost(choice)[m] - reduced.cost(taken[group])[m];
    taken[group] = choice;
  }
  std::vector<std::size_t> choice;
  for (const std::size_t group : reduced.group_of_layer) choice.push_back(reduced.candidates[taken[group]]);
  return allocation_of(problem, std::move(choice));
}

/// The best allocation within the budgets in which no group of layers has fewer weight bits than one of less sensitivity:
/// groups are ordered by `sensitivities` (a mean trace for each layer; a group has its layers' mean). Searches at most
/// `maximum_nodes` partial allocations, depth first, and returns the best found. Source: HAWQ-V2 (Dong et al., NeurIPS
/// 2020), section 3.2, which so makes it feasible to list all.
inline allocation monotone_allocation(const allocation_problem& problem, std::span<const double> sensitivities,
                                      std::int64_t maximum_nodes = 10'000'000) {
  check_allocation_problem(problem);
  require(sensitivities.size() == problem.layers.size(), "monotone_allocation: sensitivities.size()",
          sensitivities.size(), "one per layer: ", problem.layers.size());
  const omega_grid grid(problem);
  const reduced_allocation reduced = reduce_allocation(problem, grid);
  const std::size_t groups = reduced.groups(), budgets = reduced.budgets;

  std::vector<double> sum(groups), members(groups);
  std::vector<std::size_t> layer_of(groups), order(groups);
  for (std::size_t layer = problem.layers.size(); layer-- > 0;) {
    const std::size_t group = reduced.group_of_layer[layer];
    sum[group] += sensitivities[layer];
    members[group] += 1;
    layer_of[group] = layer;
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return sum[a] / members[a] > sum[b] / members[b]; });

  // What the groups from a position on cost at least, and their least omegas: to give up early.
  std::vector<std::int64_t> least_cost((groups + 1) * budgets), least_omega(groups + 1);
  for (std::size_t i = groups; i-- > 0;) {
    const std::size_t begin = reduced.first[order[i]], end = reduced.first[order[i] + 1];
    least_omega[i] = least_omega[i + 1] + *std::min_element(reduced.omegas.begin() + static_cast<std::ptrdiff_t>(begin),
                                                            reduced.omegas.begin() + static_cast<std::ptrdiff_t>(end));
    for (std::size_t m = 0; m < budgets; ++m) {
      std::int64_t least = reduced.cost(begin)[m];
      for (std::size_t choice = begin; choice < end; ++choice) least = std::min(least, reduced.cost(choice)[m]);
      least_cost[i * budgets + m] = least_cost[(i + 1) * budgets + m] + least;
    }
  }

  std::vector<std::size_t> taken(groups), best;
  std::vector<std::int64_t> left = reduced.limits;
  std::int64_t omega = 0, best_omega = std::numeric_limits<std::int64_t>::max(), nodes = 0;
  const auto weight_bits = [&](std::size_t group, std::size_t choice) {
    return problem.layers[layer_of[group]].candidates[reduced.candidates[choice]].weight_bits;
  };
  const auto extend = [&](const auto& self, std::size_t i, int most_bits) -> void {
    if (++nodes > maximum_nodes || omega + least_omega[i] >= best_omega) return;
    for (std::size_t m = 0; m < budgets; ++m)
      if (least_cost[i * budgets + m] > left[m]) return;
    if (i == groups) {
      best = taken;
      best_omega = omega;
      return;
    }
    for (std::size_t choice = reduced.first[order[i]]; choice < reduced.first[order[i] + 1]; ++choice) {
      const int bits = weight_bits(order[i], choice);
      if (bits > most_bits) continue;
      taken[order[i]] = choice;
      omega += reduced.omegas[choice];
      for (std::size_t m = 0; m < budgets; ++m) left[m] -= reduced.cost(choice)[m];
      self(self, i + 1, bits);
      omega -= reduced.omegas[choice];
      for (std::size_t m = 0; m < budgets; ++m) left[m] += reduced.cost(choice)[m];
    }
  };
  extend(extend, 0, std::numeric_limits<int>::max());

  std::vector<std::size_t> choice;
  if (!best.empty())
    for (const std::size_t group : reduced.group_of_layer) choice.push_back(reduced.candidates[best[group]]);
  return allocation_of(problem, std::move(choice));
}

}  // namespace bitwright
