// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/multiplier_walk.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

namespace bitwright {
namespace {

/// Two groups: values 8 or 2 at costs 0 or 1/4, values 6 or 4 at costs 0 or 1/4.
multiplier_problem two_groups(double limit) {
  return {.budgets = 1,
          .first = {0, 2, 4},
          .values = {8, 2, 6, 4},
          .costs = {0, 0.25, 0, 0.25},
          .limits = {limit},
          .lowest = {0}};
}

TEST(multiplier_walk, finds_the_price_at_which_a_budget_is_just_used_up) {
  // With limit 3/8 the first group takes its second choice and half of the second group does: 2 + 5 = 7 at price 8.
  const multiplier_problem problem = two_groups(0.375);
  multiplier_vertex vertex = lowest_vertex(problem);
  EXPECT_EQ(multiplier_walk().climb(problem, vertex, 1e9), multiplier_walk::end::highest);
  EXPECT_EQ(vertex.multipliers, std::vector<double>{8});
  EXPECT_EQ(evaluate(problem, vertex.multipliers, 0).value, 7);
  ASSERT_EQ(vertex.tight[0].what, tight_constraint::kind::equal);
  EXPECT_EQ(vertex.tight[0].index, 1u);
  EXPECT_EQ(vertex.weights[0], 0.5);
}

TEST(multiplier_walk, stays_at_zero_where_no_budget_binds) {
  const multiplier_problem problem = two_groups(0.5);
  multiplier_vertex vertex = lowest_vertex(problem);
  EXPECT_EQ(multiplier_walk().climb(problem, vertex, 1e9), multiplier_walk::end::highest);
  EXPECT_EQ(vertex.multipliers, std::vector<double>{0});
}

TEST(multiplier_walk, rises_without_end_where_a_budget_cannot_be_met) {
  const multiplier_problem problem = two_groups(-0.125);
  multiplier_vertex vertex = lowest_vertex(problem);
  EXPECT_EQ(multiplier_walk().climb(problem, vertex, 1000), multiplier_walk::end::enough);
  EXPECT_GT(evaluate(problem, vertex.multipliers, 0).value, 1000);
}

multiplier_problem random_problem(std::mt19937_64& generator, std::size_t budgets) {
  const auto draw = [&generator](double largest) { return largest * static_cast<double>(generator() % 1000) / 1000; };
  multiplier_problem problem{.budgets = budgets};
  for (int g = 0; g < 30; ++g) {
    for (int k = 0; k < 4; ++k) {
      problem.values.push_back(draw(10));
      for (std::size_t m = 0; m < budgets; ++m) problem.costs.push_back(draw(1) / 30);
    }
    problem.first.push_back(problem.values.size());
  }
  problem.limits.assign(budgets, 0.45);
  problem.lowest.assign(budgets, 0);
  return problem;
}

TEST(multiplier_walk, ends_where_no_other_multipliers_are_better) {
  std::mt19937_64 generator(1);
  for (int round = 0; round < 100; ++round) {
    const multiplier_problem problem = random_problem(generator, 1 + static_cast<std::size_t>(round) % 4);
    multiplier_vertex vertex = lowest_vertex(problem);
    ASSERT_EQ(multiplier_walk().climb(problem, vertex, 1e9), multiplier_walk::end::highest);
    const multiplier_bound best = evaluate(problem, vertex.multipliers, 0);
    for (int trial = 0; trial < 200; ++trial) {  // D is concave: what is highest nearby is highest.
      std::vector<double> other = vertex.multipliers;
      for (double& multiplier : other)
        multiplier =
            std::max(0.0, multiplier + (static_cast<double>(generator() % 2001) - 1000) / (trial % 2 ? 1e6 : 1e2));
      const multiplier_bound bound = evaluate(problem, other, 0);
      ASSERT_LE(bound.value, best.value + best.error + bound.error) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace bitwright
