// SPDX-License-Identifier: MIT
#include "allocation_families.hpp"
#include "every_allocation.hpp"
#include "random_allocation_problem.hpp"
#include <bitwright/mixed_precision/pareto.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace bitwright {
namespace {

using points = std::vector<frontier_point>;

/// The first layer gains 6 for 4 more units, the second 2 and then 5 for 1 and 2 more.
allocation_problem two_layers() {
  return {.budgets = {{"size", 0}},
          .layers = {
              {"conv1", {{.weight_bits = 4, .omega = 7, .costs = {4}}, {.weight_bits = 8, .omega = 1, .costs = {8}}}},
              {"conv2",
               {{.weight_bits = 2, .omega = 9, .costs = {2}},
                {.weight_bits = 3, .omega = 7, .costs = {3}},
                {.weight_bits = 5, .omega = 2, .costs = {5}}}}}};
}

TEST(pareto_frontier, has_every_cost_at_which_omega_falls) {
  const pareto_frontier frontier(two_layers(), 0);
  EXPECT_EQ(frontier.points(), (points{{6, 16, 16}, {7, 14, 14}, {9, 9, 9}, {11, 8, 8}, {13, 3, 3}}));
  EXPECT_TRUE(frontier.exact());
  EXPECT_EQ(frontier.plan(3).choice, (std::vector<std::size_t>{1, 1}));
}

TEST(supported_hull, leaves_out_what_is_best_at_no_price) {
  const supported_hull hull(two_layers(), std::vector<std::int64_t>{1});
  // 7/3 per unit for conv2 straight from 2 to 5 bits, then 6/4 for conv1.
  EXPECT_EQ(hull.points(), (points{{6, 16, 16}, {9, 9, 9}, {13, 3, 3}}));
  EXPECT_EQ(hull.choice(1), (std::vector<std::size_t>{0, 2}));
}

/// Least omega for each cost, by trying everything, where it falls.
points every_point(const allocation_problem& problem, const std::vector<std::int64_t>& weights) {
  std::map<std::int64_t, std::int64_t> least;
  reference::for_every_allocation(problem, [&](const auto&, std::int64_t omega, const std::vector<std::int64_t>& used) {
    std::int64_t cost = 0;
    for (std::size_t m = 0; m < used.size(); ++m) cost += weights[m] * used[m];
    const auto [found, is_new] = least.try_emplace(cost, omega);
    if (!is_new) found->second = std::min(found->second, omega);
  });
  points frontier;
  for (const auto& [cost, omega] : least)
    if (frontier.empty() || omega < frontier.back().omega_units)
      frontier.push_back({cost, omega, static_cast<double>(omega)});
  return frontier;
}

TEST(pareto_frontier, is_what_trying_everything_gives) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    if (problem.budgets.empty()) continue;
    std::vector<std::int64_t> weights(problem.budgets.size());
    weights.back() = 1;
    const pareto_frontier frontier(problem, problem.budgets.size() - 1);
    const points expected = every_point(problem, weights);
    ASSERT_EQ(frontier.points(), expected) << "seed " << seed;
    const std::size_t some = seed % expected.size();
    ASSERT_EQ(frontier.plan(some).objective, expected[some].omega) << "seed " << seed;
  }
}

TEST(supported_hull, is_the_convex_hull_of_the_frontier) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    std::vector<std::int64_t> weights;
    for (std::size_t m = 0; m < problem.budgets.size(); ++m)
      weights.push_back(static_cast<std::int64_t>((seed + m) % 3));
    const points frontier = every_point(problem, weights);
    const points hull = supported_hull(problem, weights).points();
    ASSERT_EQ(hull.front(), frontier.front()) << "seed " << seed;
    ASSERT_EQ(hull.back(), frontier.back()) << "seed " << seed;
    for (const frontier_point& point : hull) ASSERT_EQ(std::ranges::count(frontier, point), 1) << "seed " << seed;
    for (std::size_t i = 1; i < hull.size(); ++i)
      for (const frontier_point& point : frontier) {
        const auto side = [](const frontier_point& a, const frontier_point& b, const frontier_point& c) {
          return wide_integer::product(b.cost - a.cost, c.omega_units - a.omega_units) -
                 wide_integer::product(b.omega_units - a.omega_units, c.cost - a.cost);
        };
        ASSERT_GE(side(hull[i - 1], hull[i], point), wide_integer(0)) << "seed " << seed;
      }
  }
}

TEST(pareto_frontier, is_thinned_to_plans_beyond_the_cap) {
  const allocation_problem problem = reference::network(30, 8, 1, 1);
  const pareto_frontier exact(problem, 0, 10'000'000), thinned(problem, 0, 1000);
  EXPECT_TRUE(exact.exact());
  EXPECT_FALSE(thinned.exact());
  EXPECT_LE(thinned.points().size(), 1001u);
  EXPECT_GT(thinned.points().size(), 100u);
  EXPECT_EQ(thinned.points().front(), exact.points().front());
  EXPECT_EQ(thinned.points().back(), exact.points().back());
  for (const frontier_point& point : thinned.points()) {  // None is better than the exact one at its cost.
    const auto at = std::ranges::upper_bound(exact.points(), point.cost, {}, &frontier_point::cost);
    EXPECT_GE(point.omega_units, std::prev(at)->omega_units);
  }
}

TEST(pareto_frontier, refuses_arguments_out_of_range) {
  EXPECT_THROW(pareto_frontier(two_layers(), 1), invalid_argument);
  EXPECT_THROW(pareto_frontier(two_layers(), 0, 1), invalid_argument);
  EXPECT_THROW(supported_hull(two_layers(), std::vector<std::int64_t>{}), invalid_argument);
  EXPECT_THROW(supported_hull(two_layers(), std::vector<std::int64_t>{-1}), invalid_argument);
  EXPECT_THROW(supported_hull(two_layers(), std::vector<std::int64_t>{INT64_MAX}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
