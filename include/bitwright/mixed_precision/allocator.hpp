// SPDX-License-Identifier: MIT
/// \file
/// The exact bit allocator: the candidate of every layer for which the sum of omegas is least, proven, under every budget
/// at once.
///
/// A multiple-choice knapsack problem with several budgets. The multipliers' bound (multiplier_walk.hpp) leaves few choices
/// open; assuming that the optimum is at most a little above the bound leaves even fewer, and searching those either finds
/// it or proves a higher bound, from where the assumption is doubled.
#pragma once

#include <bitwright/mixed_precision/allocation.hpp>
#include <bitwright/mixed_precision/allocation_exchange.hpp>
#include <bitwright/mixed_precision/allocation_join.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/allocation_search.hpp>
#include <bitwright/mixed_precision/multiplier_bound.hpp>
#include <bitwright/mixed_precision/multiplier_walk.hpp>
#include <bitwright/mixed_precision/omega_grid.hpp>
#include <bitwright/mixed_precision/reduced_allocation.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// When an allocator may stop. Never by the clock: the same problem gives the same allocation everywhere.
struct allocator_options {
  std::int64_t maximum_nodes = 10'000'000;  ///< Of the search, at least 0.
  double relative_gap = 0;                  ///< Stop once objective - lower bound <= relative_gap objective.
};

/// Solves one reduced problem.
class reduced_allocator {
 public:
  reduced_allocator(const reduced_allocation& reduced, const allocator_options& options)
      : reduced_(reduced), options_(options) {}

  /// Fills in what is said of omegas, nodes and certificate; `chosen` gets the choice of every group.
  allocation solve(std::vector<std::size_t>& chosen) {
    allocation result;
    prepare();
    if (within_reach()) {
      improve_multipliers();
      deepen();
    } else {
      root_ = exact_bound(reduced_, root_.multipliers);
      lower_bound_ = best_.omega;
    }
    chosen = best_.choices;
    const bool found = best_.found;
    const bool closed = lower_bound_ >= best_.omega;
    result.status = closed ? (found ? allocation_status::optimal : allocation_status::infeasible)
                           : (found ? allocation_status::feasible_with_gap : allocation_status::limit_without_solution);
    if (result.status != allocation_status::infeasible) result.lower_bound_units = std::min(lower_bound_, best_.omega);
    result.nodes = nodes_;
    result.certificate = certificate();
    return result;
  }

 private:
  /// Sums of omegas differ by multiples of the step; before anything is found, the incumbent is above them all.
  void prepare() {
    best_.step = 0;
    best_.relative_gap = options_.relative_gap;
    best_.omega = 0;
    for (std::size_t g = 0; g < reduced_.groups(); ++g) {
      std::int64_t largest = 0;
      for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice) {
        largest = std::max(largest, reduced_.omegas[choice]);
        best_.step = common_divisor(best_.step, reduced_.omegas[choice] - reduced_.omegas[reduced_.first[g]]);
      }
      best_.omega += largest;
    }
    best_.step = std::max<std::int64_t>(best_.step, 1);
    best_.omega += best_.step;
    root_.multipliers.numerators.assign(reduced_.budgets, 0);
  }

  /// What the multipliers prove from the problem as it was given: without dropping choices, limits are not as tight.
  multiplier_certificate certificate() const {
    wide_integer bound = root_.bound;
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      bound -= wide_integer::product(root_.multipliers.numerators[m], reduced_.provable_limits[m] - reduced_.limits[m]);
    return {root_.multipliers.numerators, root_.multipliers.shift, root_.units_at_least(bound)};
  }

  /// Whether each budget alone can be met.
  bool within_reach() const {
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      if (extreme_cost_sum(reduced_, m, false) > reduced_.limits[m]) return false;
    return true;
  }

  /// The best multipliers, on the exact grid.
  void improve_multipliers() {
    multiplier_problem relaxed{.budgets = reduced_.budgets, .first = reduced_.first};
    std::vector<int> scales(reduced_.budgets);
    for (std::size_t m = 0; m < reduced_.budgets; ++m) {
      std::frexp(static_cast<double>(extreme_cost_sum(reduced_, m, true)), &scales[m]);
      relaxed.limits.push_back(std::ldexp(static_cast<double>(reduced_.limits[m]), -scales[m]));
    }
    relaxed.lowest.resize(reduced_.budgets);
    for (const std::int64_t omega : reduced_.omegas) relaxed.values.push_back(static_cast<double>(omega));
    for (std::size_t i = 0; i < reduced_.costs.size(); ++i)
      relaxed.costs.push_back(std::ldexp(static_cast<double>(reduced_.costs[i]), -scales[i % reduced_.budgets]));

    multiplier_vertex vertex = lowest_vertex(relaxed);
    multiplier_walk walk;
    walk.climb(relaxed, vertex, 2 * static_cast<double>(best_.omega));
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      vertex.multipliers[m] = std::ldexp(vertex.multipliers[m], -scales[m]);
    root_ = exact_bound(reduced_, round_multipliers(reduced_, vertex.multipliers));
    relaxed_ = std::move(vertex.best);
    lower_bound_ = std::max<std::int64_t>(0, root_.units_at_least(root_.bound));
  }

  /// Searches within bound + room, for more and more room, until the incumbent is proven or the nodes are used up. What
  /// a short search does not settle is given to exchanges and joins: there, a few hundred choices are about equally good.
  void deepen() {
    // Groups visited: a few milliseconds, and about as long as the exchanges would take.
    const std::int64_t soon = 20'000 + 4 * static_cast<std::int64_t>(reduced_.choices());
    wide_integer room = first_room();
    while (is_open() && search(room, soon)) continue;
    if (!is_open()) return;
    exchange();
    bool joins = false;
    while (is_open() && join(room, std::size_t{1} << 16)) joins = true;
    if (!joins) aim_at_bound();
    while (is_open() && join(room, std::size_t{1} << 20)) continue;
    while (is_open() && search(room, std::numeric_limits<std::int64_t>::max())) continue;
  }

  /// Whether something better than the incumbent may exist, and there are nodes left to look for it.
  bool is_open() const { return lower_bound_ < best_.good_enough() && nodes_ < options_.maximum_nodes; }

  wide_integer all_room() const { return root_.scaled(best_.good_enough()) - root_.bound; }

  /// Whatever is not above bound + room would have been found.
  void raise_bound(wide_integer room) {
    const std::int64_t proven = root_.units_at_least(root_.bound + room + wide_integer(1));
    lower_bound_ = std::max(lower_bound_, std::min(best_.good_enough(), proven));
  }

  /// Searches by branching, and makes more room for the next time. False where it is not over within `work`.
  bool search(wide_integer& room, std::int64_t work) {
    const wide_integer all = all_room();
    room = std::min(room, all);
    allocation_search search(reduced_, root_, best_, options_.maximum_nodes - nodes_);
    const bool finished = search.run(room, work);
    nodes_ += search.nodes();
    if (!finished) return false;
    raise_bound(room);
    // At least doubled; as far as to where the search might have got further, within reason.
    for (int i = 0; i < 1 || (i < 3 && room.to_double() < search.least_excluded()); ++i)
      if (room < all) room = room + room + wide_integer(1);
    return true;
  }

  /// So many partial allocations take about as long as a node of the search.
  static constexpr std::int64_t partials_per_node = 16;

  allocation_join join_of(std::size_t size) {
    const auto most = static_cast<std::size_t>(
        std::min<std::int64_t>(options_.maximum_nodes - nodes_, std::int64_t{1} << 30) * partials_per_node);
    return {reduced_, root_, best_, std::min(size, most)};
  }

  /// Searches by joining lists of up to `size` partial allocations, and makes more room for the next time: by a quarter,
  /// for lists grow fast with it. False where lists become too long.
  bool join(wide_integer& room, std::size_t size) {
    const wide_integer all = all_room();
    room = std::min(room, all);
    allocation_join join = join_of(size);
    const bool finished = join.run(room);
    nodes_ += join.partial_allocations() / partials_per_node + 1;
    if (!finished) return false;
    raise_bound(room);
    const bool is_short = join.partial_allocations() < 5000;
    if (room < all) room = room + (is_short ? room : room.shift_right(2)) + wide_integer(1);
    return true;
  }

  /// Where very many choices are equally good, some allocation comes as close to the bound as integers can: looks for it,
  /// in turns with one half-way there, among the relaxation's neighbours.
  void aim_at_bound() {
    for (std::uint64_t round = 0; round < 40 && is_open(); ++round) {
      const std::int64_t aim = round % 2 == 0 ? lower_bound_ : std::midpoint(lower_bound_, best_.omega);
      allocation_join join = join_of(std::size_t{1} << std::min<std::uint64_t>(12 + round / 2, 17));
      join.improve(relaxed_, root_.scaled(aim) - root_.bound, round);
      nodes_ += join.partial_allocations() / partials_per_node + 1;
    }
  }

  /// Improves the incumbent, or finds one, by exchanging choices of two groups at once.
  void exchange() {
    allocation_exchange exchange(reduced_, root_);
    std::vector<std::size_t> choices = best_.found ? best_.choices : relaxed_;
    if (!best_.found && !exchange.repair(choices)) return;
    exchange.improve(choices);
    std::int64_t omega = 0;
    for (const std::size_t choice : choices) omega += reduced_.omegas[choice];
    if (omega >= best_.omega) return;
    best_.found = true;
    best_.omega = omega;
    best_.choices = std::move(choices);
  }

  /// Room for some twenty choices besides the best ones.
  wide_integer first_room() const {
    std::vector<wide_integer> excess;
    for (const wide_integer& each : root_.excess)
      if (each > wide_integer(0)) excess.push_back(each);
    const std::size_t wanted = std::min<std::size_t>(excess.size(), 20);
    if (wanted == 0) return 0;
    std::ranges::nth_element(excess, excess.begin() + static_cast<std::ptrdiff_t>(wanted - 1));
    return excess[wanted - 1];
  }

  const reduced_allocation& reduced_;
  const allocator_options& options_;
  incumbent best_;
  exact_bound root_;
  std::vector<std::size_t> relaxed_;  // The linear relaxation's choices, where it splits a group one of them.
  std::int64_t lower_bound_ = 0, nodes_ = 0;
};

/// The reduced problem under some of its budgets; with a cost for its objective where one is named.
inline reduced_allocation with_budgets(const reduced_allocation& from, std::span<const std::size_t> kept,
                                       std::optional<std::size_t> objective = {}) {
  reduced_allocation to{.budgets = kept.size(), .first = from.first, .candidates = from.candidates};
  for (const std::size_t m : kept) to.limits.push_back(from.limits[m]);
  to.provable_limits = to.limits;
  for (std::size_t choice = 0; choice < from.choices(); ++choice) {
    to.omegas.push_back(objective ? from.cost(choice)[*objective] : 0);
    for (const std::size_t m : kept) to.costs.push_back(from.cost(choice)[m]);
  }
  return to;
}

/// Says which budgets an infeasible problem cannot meet, and how much of each they take at least.
inline std::vector<unmet_budget> explain_infeasibility(const allocation_problem& problem,
                                                       const reduced_allocation& reduced,
                                                       const allocator_options& options) {
  const auto solve = [&](std::span<const std::size_t> kept, std::optional<std::size_t> objective = {}) {
    std::vector<std::size_t> chosen;
    const reduced_allocation part = with_budgets(reduced, kept, objective);
    return reduced_allocator(part, {.maximum_nodes = options.maximum_nodes}).solve(chosen);
  };
  std::vector<unmet_budget> unmet;
  std::vector<std::size_t> together;
  for (std::size_t m = 0; m < reduced.budgets; ++m) {
    const std::int64_t least = extreme_cost_sum(reduced, m, false), limit = problem.budgets[m].limit;
    if (least > limit) unmet.push_back({.budget = m, .limit = limit, .least_alone = least, .least = least});
    together.push_back(m);
  }
  if (!unmet.empty()) return unmet;
  for (std::size_t i = together.size(); i-- > 0;) {
    std::vector<std::size_t> fewer = together;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (solve(fewer).status == allocation_status::infeasible) together = std::move(fewer);
  }
  for (const std::size_t m : together) {
    std::vector<std::size_t> others = together;
    std::erase(others, m);
    const allocation least = solve(others, m);
    const std::int64_t least_alone = extreme_cost_sum(reduced, m, false);
    unmet.push_back({.budget = m,
                     .limit = problem.budgets[m].limit,
                     .least_alone = least_alone,
                     .least = std::max(least_alone, least.lower_bound_units),
                     .least_is_proven = least.status == allocation_status::optimal});
  }
  return unmet;
}

/// Writes down what an allocation uses, and its objective and bound in the units of the given omegas.
inline void account(const allocation_problem& problem, const omega_grid& grid, allocation& result) {
  result.omega_unit = grid.unit();
  result.lower_bound = grid.value(result.lower_bound_units);
  for (std::size_t m = 0; m < problem.budgets.size(); ++m)
    result.multipliers.push_back(
        std::ldexp(static_cast<double>(result.certificate.numerators[m]), -result.certificate.shift) * grid.unit());
  if (result.choice.size() != problem.layers.size()) return;
  std::int64_t objective = 0;
  result.used.assign(problem.budgets.size(), 0);
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    const candidate& taken = problem.layers[layer].candidates[result.choice[layer]];
    objective += grid.units(taken.omega);
    for (std::size_t m = 0; m < problem.budgets.size(); ++m) result.used[m] += taken.costs[m];
  }
  for (std::size_t m = 0; m < problem.budgets.size(); ++m)
    result.slack.push_back(problem.budgets[m].limit - result.used[m]);
  result.objective_units = objective;
  result.objective = grid.value(objective);
  const auto difference = static_cast<double>(objective - result.lower_bound_units);
  result.gap = difference == 0 ? 0 : difference / static_cast<double>(objective);
}

/// The allocation with the least sum of omegas within all budgets (a sum equal to a limit is within), or the reason why there
/// is none. Deterministic. Of equal optima it is one that takes no candidate where another of the layer is never worse, in
/// omega and in every cost, and that of equal candidates takes the first; beyond that, the first one the search meets.
/// Throws invalid_argument for a problem that is not as documented, and for options out of range.
inline allocation allocate(const allocation_problem& problem, const allocator_options& options = {}) {
  require(options.maximum_nodes >= 0, "allocate: maximum_nodes", options.maximum_nodes, "at least 0");
  require(options.relative_gap >= 0 && options.relative_gap < 1, "allocate: relative_gap", options.relative_gap,
          "at least 0 and less than 1");
  check_allocation_problem(problem);
  const omega_grid grid(problem);
  const reduced_allocation reduced = reduce_allocation(problem, grid);
  std::vector<std::size_t> chosen;
  allocation result = reduced_allocator(reduced, options).solve(chosen);
  if (!chosen.empty())
    for (const std::size_t group : reduced.group_of_layer) result.choice.push_back(reduced.candidates[chosen[group]]);
  if (result.status == allocation_status::infeasible) result.unmet = explain_infeasibility(problem, reduced, options);
  account(problem, grid, result);
  return result;
}

}  // namespace bitwright
