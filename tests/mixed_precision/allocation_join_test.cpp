// SPDX-License-Identifier: MIT
#include "allocation_families.hpp"
#include "every_allocation.hpp"
#include "random_allocation_problem.hpp"
#include <bitwright/mixed_precision/allocation_join.hpp>
#include <bitwright/mixed_precision/allocation_verify.hpp>
#include <bitwright/mixed_precision/allocator.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

/// What allocation_search and allocation_join start from: nothing found, above all that can be.
incumbent nothing_found(const reduced_allocation& reduced) {
  incumbent best;
  for (std::size_t g = 0; g < reduced.groups(); ++g) {
    std::int64_t largest = 0;
    for (std::size_t choice = reduced.first[g]; choice < reduced.first[g + 1]; ++choice)
      largest = std::max(largest, reduced.omegas[choice]);
    best.omega += largest;
  }
  ++best.omega;
  return best;
}

/// Whether an incumbent is what it says: one choice of each group, within the limits, of its sum of omegas.
bool is_consistent(const reduced_allocation& reduced, const incumbent& best) {
  std::int64_t omega = 0;
  std::vector<std::int64_t> left = reduced.limits;
  for (std::size_t g = 0; g < reduced.groups(); ++g) {
    const std::size_t choice = best.choices[g];
    if (choice < reduced.first[g] || choice >= reduced.first[g + 1]) return false;
    omega += reduced.omegas[choice];
    for (std::size_t m = 0; m < reduced.budgets; ++m) left[m] -= reduced.cost(choice)[m];
  }
  return omega == best.omega && std::ranges::min(left) >= 0;
}

wide_integer everything(const exact_bound& root, const incumbent& best) {
  return root.scaled(best.good_enough()) - root.bound;
}

TEST(allocation_join, finds_the_best_pair_within_the_limits) {
  // Two groups of 4 or 8 units that save 3 or 5.
  const reduced_allocation two_groups{
      .budgets = 1, .first = {0, 2, 4}, .omegas = {3, 0, 5, 0}, .costs = {4, 8, 4, 8}, .limits = {12}};
  const exact_bound root(two_groups, {.numerators = {1}, .shift = 0});
  incumbent best = nothing_found(two_groups);
  EXPECT_TRUE(allocation_join(two_groups, root, best, 100).run(everything(root, best)));
  EXPECT_TRUE(best.found);
  EXPECT_EQ(best.omega, 3);
  EXPECT_EQ(best.choices, (std::vector<std::size_t>{0, 3}));
}

TEST(allocation_join, agrees_with_trying_everything_whatever_the_multipliers) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    if (problem.budgets.empty()) continue;
    const reduced_allocation reduced = reduce_allocation(problem, omega_grid(problem));
    dyadic_multipliers multipliers{.numerators = {}, .shift = static_cast<int>(seed % 3)};
    for (std::size_t m = 0; m < reduced.budgets; ++m)
      multipliers.numerators.push_back(static_cast<std::int64_t>((seed >> m) % 4));
    const exact_bound root(reduced, multipliers);
    incumbent best = nothing_found(reduced);
    ASSERT_TRUE(allocation_join(reduced, root, best, 1 << 16).run(everything(root, best))) << "seed " << seed;
    const reference::best_allocation expected = reference::every_allocation(problem);
    ASSERT_EQ(best.found, expected.feasible) << "seed " << seed;
    if (!best.found) continue;
    ASSERT_EQ(best.omega, expected.objective) << "seed " << seed;
    ASSERT_TRUE(is_consistent(reduced, best)) << "seed " << seed;
    ++feasible;
  }
  EXPECT_GT(feasible, 1000);
}

TEST(allocation_join, finds_whatever_is_not_above_the_room) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    const reference::best_allocation expected = reference::every_allocation(problem);
    if (problem.budgets.empty() || !expected.feasible) continue;
    const reduced_allocation reduced = reduce_allocation(problem, omega_grid(problem));
    const exact_bound root(reduced, {.numerators = std::vector<std::int64_t>(reduced.budgets, 1), .shift = 1});
    for (const std::int64_t more : {0, -1}) {  // Exactly enough room, and not quite.
      incumbent best = nothing_found(reduced);
      ASSERT_TRUE(
          allocation_join(reduced, root, best, 1 << 16).run(root.scaled(expected.objective + more) - root.bound));
      ASSERT_TRUE(more < 0 || best.omega == expected.objective) << "seed " << seed;
    }
  }
}

TEST(allocation_join, merges_identical_layers_into_counts) {
  // 40 layers of 4 choices: 4^20 partial allocations in each half, but only C(23, 3) = 1771 sums of costs.
  const allocation_problem problem = reference::equal_layers(40, 4, 2, 0);
  const reduced_allocation reduced = reduce_allocation(problem, omega_grid(problem));
  const exact_bound root(reduced, {.numerators = std::vector<std::int64_t>(reduced.budgets), .shift = 0});
  incumbent best = nothing_found(reduced);
  EXPECT_TRUE(allocation_join(reduced, root, best, 60'000).run(everything(root, best)));
  ASSERT_TRUE(is_consistent(reduced, best));
  EXPECT_EQ(best.omega, allocate(problem).objective_units);
}

TEST(allocation_join, keeps_the_least_omega_of_equal_costs) {
  // Costs are 0 to 3, so that sums of costs repeat and omegas do not: the oracle is a table over sums of costs.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    reference::uniform_numbers draw(seed);
    reduced_allocation reduced{.budgets = 1, .limits = {25}};
    std::vector<std::int64_t> least(26, 0);  // By the limit.
    for (int group = 0; group < 20; ++group) {
      std::vector<std::int64_t> next(26, std::numeric_limits<std::int64_t>::max());
      for (std::size_t cost = 0; cost < 4; ++cost) {
        reduced.omegas.push_back(draw.integer(0, 1000));
        reduced.costs.push_back(static_cast<std::int64_t>(cost));
        for (std::size_t limit = cost; limit < 26; ++limit)
          next[limit] = std::min(next[limit], least[limit - cost] + reduced.omegas.back());
      }
      reduced.first.push_back(reduced.omegas.size());
      least = next;
    }
    const exact_bound root(reduced, {.numerators = {100}, .shift = 0});
    incumbent best = nothing_found(reduced);
    ASSERT_TRUE(allocation_join(reduced, root, best, 10'000).run(everything(root, best))) << "seed " << seed;
    ASSERT_EQ(best.omega, least[25]) << "seed " << seed;
    ASSERT_TRUE(is_consistent(reduced, best)) << "seed " << seed;
  }
}

TEST(allocation_join, gives_up_where_lists_become_too_long) {
  const allocation_problem problem = reference::uncorrelated(40, 8, 3, 0);
  const reduced_allocation reduced = reduce_allocation(problem, omega_grid(problem));
  const exact_bound root(reduced, {.numerators = std::vector<std::int64_t>(reduced.budgets), .shift = 0});
  incumbent best = nothing_found(reduced);
  EXPECT_FALSE(allocation_join(reduced, root, best, 1000).run(everything(root, best)));
}

TEST(allocation_join, improves_an_allocation_and_keeps_to_the_limits) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const allocation_problem problem = reference::correlated(60, 6, 3, seed % 2 == 0 ? 0 : 50, seed);
    const allocation bounded = allocate(problem, {.relative_gap = 0.1});
    const reduced_allocation reduced = reduce_allocation(problem, omega_grid(problem));
    const exact_bound root(reduced, {.numerators = bounded.certificate.numerators, .shift = bounded.certificate.shift});
    incumbent best = nothing_found(reduced);
    std::int64_t before = best.omega;
    for (std::uint64_t round = 0; round < 4; ++round) {
      allocation_join join(reduced, root, best, 2000);
      join.improve(best.found ? best.choices : root.best, everything(root, best), round);
      ASSERT_LE(best.omega, before);
      before = best.omega;
      ASSERT_TRUE(!best.found || is_consistent(reduced, best));
    }
    ASSERT_GE(best.omega, bounded.lower_bound_units);
  }
}

TEST(allocate, closes_the_gap_where_very_many_choices_are_about_as_good) {
  for (const std::int64_t spread : {0, 50}) {
    const allocation_problem problem = reference::correlated(60, 8, 3, spread, 1);
    const allocation best = allocate(problem, {.maximum_nodes = 300'000});
    EXPECT_EQ(best.status, allocation_status::optimal);
    EXPECT_TRUE(verify(problem, best).accepted);
  }
}

}  // namespace
}  // namespace bitwright
