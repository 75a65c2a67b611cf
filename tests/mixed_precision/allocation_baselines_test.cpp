// SPDX-License-Identifier: MIT
#include "allocation_families.hpp"
#include "random_allocation_problem.hpp"
#include <bitwright/mixed_precision/allocation_baselines.hpp>
#include <bitwright/mixed_precision/allocation_verify.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using indices = std::vector<std::size_t>;

/// Three layers of 2, 4 or 8 bits and as many units; the second is the most sensitive.
allocation_problem three_layers(std::int64_t limit) {
  const auto layer = [](double at_2, double at_4, double at_8) {
    return allocation_layer{.candidates = {{.weight_bits = 2, .omega = at_2, .costs = {2}},
                                           {.weight_bits = 4, .omega = at_4, .costs = {4}},
                                           {.weight_bits = 8, .omega = at_8, .costs = {8}}}};
  };
  return {.budgets = {{"size", limit}}, .layers = {layer(20, 5, 1), layer(90, 30, 3), layer(10, 9, 8)}};
}

TEST(uniform_allocation, is_the_best_that_gives_all_layers_the_same_bits) {
  EXPECT_EQ(uniform_allocation(three_layers(24)).choice, (indices{2, 2, 2}));
  EXPECT_EQ(uniform_allocation(three_layers(23)).choice, (indices{1, 1, 1}));
  EXPECT_EQ(uniform_allocation(three_layers(23)).objective, 44);
  EXPECT_EQ(uniform_allocation(three_layers(5)).status, allocation_status::limit_without_solution);
  EXPECT_TRUE(uniform_allocation(three_layers(5)).choice.empty());
}

TEST(uniform_allocation, leaves_fixed_layers_alone) {
  allocation_problem problem = three_layers(16);
  problem.layers[0].fixed = 2;
  EXPECT_EQ(uniform_allocation(problem).choice, (indices{2, 1, 1}));
}

TEST(greedy_allocation, gives_up_first_what_is_worth_least) {
  // From 8, 8, 8 bits: layer 2 to 2 bits loses 2 for 6 units; then layer 0 to 4 bits loses 4 for 4.
  EXPECT_EQ(greedy_allocation(three_layers(18)).choice, (indices{2, 2, 0}));
  EXPECT_EQ(greedy_allocation(three_layers(14)).choice, (indices{1, 2, 0}));
  EXPECT_EQ(greedy_allocation(three_layers(5)).status, allocation_status::limit_without_solution);
}

TEST(monotone_allocation, gives_more_sensitive_layers_no_fewer_bits) {
  const std::vector<double> traces = {2, 3, 1};
  EXPECT_EQ(monotone_allocation(three_layers(14), traces).choice, (indices{1, 2, 0}));
  // By the traces the last layer may not have fewer bits than the first: 8, 2, 4 is not allowed, though it is best.
  const std::vector<double> misleading = {1, 3, 2};
  const allocation monotone = monotone_allocation(three_layers(14), misleading);
  EXPECT_EQ(monotone.choice, (indices{0, 2, 1}));
  EXPECT_GT(monotone.objective, allocate(three_layers(14)).objective);
}

TEST(baselines, are_allocations_and_never_better_than_the_optimum) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    const std::vector<double> traces(problem.layers.size(), 1);
    const allocation best = allocate(problem);
    for (const allocation& baseline :
         {uniform_allocation(problem), greedy_allocation(problem), monotone_allocation(problem, traces)}) {
      const verification checked = verify(problem, baseline);
      ASSERT_TRUE(checked.accepted) << "seed " << seed << ": " << checked.objection;
      if (baseline.status == allocation_status::limit_without_solution) continue;
      ASSERT_EQ(best.status, allocation_status::optimal) << "seed " << seed;
      ASSERT_GE(baseline.objective_units, best.objective_units) << "seed " << seed;
      ++found;
    }
  }
  EXPECT_GT(found, 1000);
}

TEST(allocation_of, accounts_for_a_given_choice) {
  const allocation given = allocation_of(three_layers(12), {1, 1, 1});
  EXPECT_EQ(given.objective, 44);
  EXPECT_EQ(given.lower_bound, 12);  // 1 + 3 + 8.
  EXPECT_EQ(given.used, std::vector<std::int64_t>{12});
  EXPECT_EQ(given.status, allocation_status::feasible_with_gap);
  EXPECT_THROW(allocation_of(three_layers(12), {1, 1}), invalid_argument);
  EXPECT_THROW(allocation_of(three_layers(12), {1, 1, 3}), invalid_argument);
  allocation_problem tied = three_layers(12);
  tied.ties = {{0, 2}};
  EXPECT_THROW(allocation_of(tied, {1, 1, 0}), invalid_argument);
}

TEST(baselines, refuse_what_allocate_refuses) {
  EXPECT_THROW(uniform_allocation({.layers = {{}}}), invalid_argument);
  EXPECT_THROW(greedy_allocation({.layers = {{}}}), invalid_argument);
  EXPECT_THROW(monotone_allocation(three_layers(14), std::vector<double>{1}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
