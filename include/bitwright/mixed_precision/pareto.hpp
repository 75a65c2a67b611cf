// SPDX-License-Identifier: MIT
/// \file
/// Frontiers: all plans worth having as one budget moves, or as budgets are traded against each other at given weights.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/allocator.hpp>
#include <bitwright/mixed_precision/omega_grid.hpp>
#include <bitwright/mixed_precision/reduced_allocation.hpp>
#include <bitwright/mixed_precision/wide_integer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// What a plan costs, and the least sum of omegas for that.
struct frontier_point {
  std::int64_t cost = 0;
  std::int64_t omega_units = 0;  ///< In units of the problem's omega_grid.
  double omega = 0;

  friend bool operator==(const frontier_point&, const frontier_point&) = default;
};

/// The supported hull: the plans that are best for some price of cost, from the cheapest to the one of least omega. Each
/// differs from the one before in one group of tied layers; there are at most one more than groups times (candidates - 1).
/// Exact, for one sort. Source: Sinha and Zoltners 1979, for the linear relaxation of multiple-choice knapsacks.
class supported_hull {
 public:
  /// `weights` give every budget's cost a weight of at least 0 in the cost of a plan. The problem's limits play no part.
  /// Throws invalid_argument for a problem that is not as documented, and where weighted costs might exceed 2^62.
  supported_hull(const allocation_problem& problem, std::span<const std::int64_t> weights) {
    check_allocation_problem(problem);
    require(weights.size() == problem.budgets.size(), "supported_hull: weights.size()", weights.size(),
            "one weight per budget: ", problem.budgets.size());
    const omega_grid grid(problem);
    const reduced_allocation reduced = reduce_allocation(problem, grid);
    candidates_ = reduced.candidates;
    group_of_layer_ = reduced.group_of_layer;
    check_weights(reduced, weights);
    frontier_point at;
    for (std::size_t g = 0; g < reduced.groups(); ++g) add_group(reduced, weights, g, at);
    // Each group's steps get flatter, so a stable sort leaves them in order.
    std::ranges::stable_sort(steps_, [](const step& a, const step& b) { return a.is_steeper_than(b); });
    at.omega = grid.value(at.omega_units);
    points_.push_back(at);
    for (const step& each : steps_) {
      at.cost += each.cost;
      at.omega_units -= each.saved;
      at.omega = grid.value(at.omega_units);
      points_.push_back(at);
    }
  }

  /// By rising cost and falling omega.
  const std::vector<frontier_point>& points() const { return points_; }

  /// The candidate of every layer at a point.
  std::vector<std::size_t> choice(std::size_t point) const {
    require(point < points_.size(), "supported_hull::choice: point", point, "less than ", points_.size());
    std::vector<std::size_t> of_group = cheapest_, choice;
    for (std::size_t i = 0; i < point; ++i) of_group[steps_[i].group] = steps_[i].choice;
    for (const std::size_t group : group_of_layer_) choice.push_back(candidates_[of_group[group]]);
    return choice;
  }

 private:
  /// A group goes on to a choice that costs more and saves omega.
  struct step {
    std::size_t group, choice;
    std::int64_t cost, saved;
    bool is_steeper_than(const step& other) const {
      return wide_integer::product(saved, other.cost) > wide_integer::product(other.saved, cost);
    }
  };

  static std::int64_t weighted(std::span<const std::int64_t> costs, std::span<const std::int64_t> weights) {
    std::int64_t sum = 0;
    for (std::size_t m = 0; m < costs.size(); ++m) sum += costs[m] * weights[m];
    return sum;
  }

  static void check_weights(const reduced_allocation& reduced, std::span<const std::int64_t> weights) {
    double sum = 0;
    for (std::size_t m = 0; m < weights.size(); ++m) {
      require(weights[m] >= 0, "supported_hull: weight", weights[m], "at least 0");
      sum += static_cast<double>(extreme_cost_sum(reduced, m, true)) * static_cast<double>(weights[m]);
    }
    require(sum < 0x1p62, "supported_hull: sum of the largest weighted costs", sum, "less than 2^62");
  }

  /// Adds the group's cheapest choice to `at`, and its lower convex hull to the steps.
  void add_group(const reduced_allocation& reduced, std::span<const std::int64_t> weights, std::size_t group,
                 frontier_point& at) {
    struct point {
      std::int64_t cost, omega;
      std::size_t choice;
    };
    std::vector<point> sorted, hull;
    for (std::size_t choice = reduced.first[group]; choice < reduced.first[group + 1]; ++choice)
      sorted.push_back({weighted(reduced.cost(choice), weights), reduced.omegas[choice], choice});
    std::ranges::stable_sort(sorted, {}, [](const point& each) { return std::pair(each.cost, each.omega); });
    const auto between = [&](const point& a, const point& b) {
      return step{group, b.choice, b.cost - a.cost, a.omega - b.omega};
    };
    for (const point& next : sorted) {
      if (!hull.empty() && next.omega >= hull.back().omega) continue;
      while (hull.size() > 1 &&
             !between(hull[hull.size() - 2], hull.back()).is_steeper_than(between(hull.back(), next)))
        hull.pop_back();
      hull.push_back(next);
    }
    cheapest_.push_back(hull.front().choice);
    at.cost += hull.front().cost;
    at.omega_units += hull.front().omega;
    for (std::size_t i = 1; i < hull.size(); ++i) steps_.push_back(between(hull[i - 1], hull[i]));
  }

  std::vector<std::size_t> candidates_, group_of_layer_, cheapest_;
  std::vector<step> steps_;
  std::vector<frontier_point> points_;
};

/// The exact frontier under one budget: for every cost at which the least sum of omegas falls, that sum.
class pareto_frontier {
 public:
  /// The problem's other budgets and all limits play no part. Where there are more than `maximum_points` (at least 2) on
  /// the way, lists are thinned: then every point is still a plan, but a better one may be missing, and exact() is false.
  /// Throws invalid_argument for a problem that is not as documented, and for arguments out of range.
  pareto_frontier(allocation_problem problem, std::size_t budget_index, std::size_t maximum_points = 1'000'000)
      : problem_(std::move(problem)) {
    check_allocation_problem(problem_);
    require(budget_index < problem_.budgets.size(), "pareto_frontier: budget_index", budget_index, "less than ",
            problem_.budgets.size());
    require(maximum_points >= 2, "pareto_frontier: maximum_points", maximum_points, "at least 2");
    keep_budget(budget_index);
    const omega_grid grid(problem_);
    const reduced_allocation reduced = reduce_allocation(problem_, grid);
    points_ = {{}};
    for (std::size_t g = 0; g < reduced.groups(); ++g) {
      points_ = combined(reduced, g);
      if (points_.size() > maximum_points) thin(maximum_points);
    }
    for (frontier_point& point : points_) point.omega = grid.value(point.omega_units);
  }

  /// By rising cost and falling omega.
  const std::vector<frontier_point>& points() const { return points_; }
  bool exact() const { return exact_; }

  /// A plan of a point: solved for, within its cost, so at least as good as the point.
  allocation plan(std::size_t point, const allocator_options& options = {}) const {
    require(point < points_.size(), "pareto_frontier::plan: point", point, "less than ", points_.size());
    allocation_problem within = problem_;
    within.budgets[0].limit = points_[point].cost;
    return allocate(within, options);
  }

 private:
  void keep_budget(std::size_t index) {
    problem_.budgets = {problem_.budgets[index]};
    problem_.budgets[0].limit = std::numeric_limits<std::int64_t>::max();
    for (allocation_layer& layer : problem_.layers)
      for (candidate& choice : layer.candidates) choice.costs = {choice.costs[index]};
  }

  /// Points so far with one choice of the group added, in order, from the first that is of use.
  struct shifted_list {
    std::int64_t cost, omega_units;
    std::size_t next = 0;
    frontier_point head = {};

    /// Moves on to the next point below `omega_limit`; past the end it is at infinite cost.
    void advance(const std::vector<frontier_point>& points, std::int64_t omega_limit) {
      while (next < points.size() && points[next].omega_units + omega_units >= omega_limit) ++next;
      if (next < points.size())
        head = {points[next].cost + cost, points[next].omega_units + omega_units, 0};
      else
        head.cost = std::numeric_limits<std::int64_t>::max();
    }
  };

  /// The frontier of the points so far with each choice of a group added: the lists merged from the cheapest point on.
  std::vector<frontier_point> combined(const reduced_allocation& reduced, std::size_t group) const {
    std::vector<shifted_list> lists;
    for (std::size_t choice = reduced.first[group]; choice < reduced.first[group + 1]; ++choice)
      lists.push_back({.cost = reduced.costs[choice], .omega_units = reduced.omegas[choice]});
    std::vector<frontier_point> merged;
    for (shifted_list& list : lists) list.advance(points_, std::numeric_limits<std::int64_t>::max());
    while (true) {
      frontier_point least = lists.front().head;
      for (const shifted_list& list : lists)
        if (list.head.cost < least.cost || (list.head.cost == least.cost && list.head.omega_units < least.omega_units))
          least = list.head;
      if (least.cost == std::numeric_limits<std::int64_t>::max()) return merged;
      merged.push_back(least);
      for (shifted_list& list : lists)
        if (list.head.omega_units >= least.omega_units) list.advance(points_, least.omega_units);
    }
  }

  /// Keeps the ends, and of each of equal ranges of cost the first and so the cheapest point.
  void thin(std::size_t count) {
    const double least = static_cast<double>(points_.front().cost);
    const double width = (static_cast<double>(points_.back().cost) - least) / static_cast<double>(count - 1);
    std::vector<frontier_point> kept;
    double end = least;
    for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
      const auto cost = static_cast<double>(points_[i].cost);
      if (cost < end) continue;
      kept.push_back(points_[i]);
      end = least + (std::floor((cost - least) / width) + 1) * width;
    }
    kept.push_back(points_.back());
    points_ = std::move(kept);
    exact_ = false;
  }

  allocation_problem problem_;
  std::vector<frontier_point> points_;
  bool exact_ = true;
};

}  // namespace bitwright
