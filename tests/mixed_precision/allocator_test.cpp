// SPDX-License-Identifier: MIT
#include "every_allocation.hpp"
#include "random_allocation_problem.hpp"
#include <bitwright/mixed_precision/allocator.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using indices = std::vector<std::size_t>;
using sums = std::vector<std::int64_t>;

candidate of(int bits, double omega, std::vector<std::int64_t> costs) {
  return {.weight_bits = bits, .omega = omega, .costs = std::move(costs)};
}

/// Two layers whose 8 bits are worth 3 and 5; 4, 4, 8 and 8 units of size.
allocation_problem two_layers(std::int64_t limit) {
  return {.budgets = {{.name = "size", .limit = limit}},
          .layers = {{.name = "conv1", .candidates = {of(4, 4, {4}), of(8, 1, {8})}},
                     {.name = "conv2", .candidates = {of(4, 7, {4}), of(8, 2, {8})}}}};
}

TEST(allocate, gives_the_bits_to_the_layer_that_gains_most) {
  const allocation best = allocate(two_layers(12));
  EXPECT_EQ(best.status, allocation_status::optimal);
  EXPECT_EQ(best.choice, (indices{0, 1}));
  EXPECT_EQ(best.objective, 6);
  EXPECT_EQ(best.lower_bound, 6);
  EXPECT_EQ(best.gap, 0);
  EXPECT_EQ(best.used, sums{12});
  EXPECT_EQ(best.slack, sums{0});
}

TEST(allocate, counts_a_sum_that_equals_the_limit_as_within) {
  EXPECT_EQ(allocate(two_layers(16)).choice, (indices{1, 1}));
  EXPECT_EQ(allocate(two_layers(15)).choice, (indices{0, 1}));
  EXPECT_EQ(allocate(two_layers(8)).choice, (indices{0, 0}));
}

TEST(allocate, says_which_budget_cannot_be_met_and_its_least_value) {
  const allocation none = allocate(two_layers(7));
  EXPECT_EQ(none.status, allocation_status::infeasible);
  EXPECT_TRUE(none.choice.empty());
  ASSERT_EQ(none.unmet.size(), 1u);
  EXPECT_EQ(none.unmet[0].budget, 0u);
  EXPECT_EQ(none.unmet[0].limit, 7);
  EXPECT_EQ(none.unmet[0].least, 8);
}

TEST(allocate, says_which_budgets_cannot_be_met_together) {
  // Each layer is either small or fast. One of them fast costs 1 + 9 of size and 9 + 1 of time.
  const std::vector<candidate> small_or_fast = {of(2, 0, {1, 0, 9}), of(8, 0, {9, 0, 1})};
  allocation_problem problem{.budgets = {{"size", 9}, {"energy", 0}, {"time", 9}},
                             .layers = {{"conv1", small_or_fast}, {"conv2", small_or_fast}}};
  const allocation none = allocate(problem);
  EXPECT_EQ(none.status, allocation_status::infeasible);
  ASSERT_EQ(none.unmet.size(), 2u);
  EXPECT_EQ(none.unmet[0].budget, 0u);
  EXPECT_EQ(none.unmet[0].least_alone, 2);
  EXPECT_EQ(none.unmet[0].least, 18);  // Time within 9 takes both layers fast.
  EXPECT_EQ(none.unmet[1].budget, 2u);
  EXPECT_EQ(none.unmet[1].least, 18);
  EXPECT_TRUE(none.unmet[1].least_is_proven);
}

TEST(allocate, gives_tied_layers_the_same_candidate) {
  allocation_problem problem = two_layers(12);
  problem.ties = {{0, 1}};
  EXPECT_EQ(allocate(problem).choice, (indices{0, 0}));
  problem.budgets[0].limit = 16;
  EXPECT_EQ(allocate(problem).choice, (indices{1, 1}));
}

TEST(allocate, leaves_fixed_layers_and_forbidden_candidates_alone) {
  allocation_problem problem = two_layers(12);
  problem.layers[0].fixed = 1;
  EXPECT_EQ(allocate(problem).choice, (indices{1, 0}));
  problem.layers[0].fixed.reset();
  problem.layers[1].forbidden = {1};
  EXPECT_EQ(allocate(problem).choice, (indices{1, 0}));
}

TEST(allocate, of_equal_candidates_takes_the_first) {
  allocation_problem problem{.layers = {{"conv1", {of(4, 1, {}), of(8, 1, {}), of(2, 1, {})}}}};
  EXPECT_EQ(allocate(problem).choice, indices{0});
  problem = {.budgets = {{"size", 9}}, .layers = {{"conv1", {of(8, 1, {8}), of(4, 1, {4})}}}};
  EXPECT_EQ(allocate(problem).choice, indices{1});  // As good, and smaller.
}

TEST(allocate, has_an_answer_to_problems_without_layers_or_budgets) {
  const allocation nothing = allocate({});
  EXPECT_EQ(nothing.status, allocation_status::optimal);
  EXPECT_TRUE(nothing.choice.empty());
  EXPECT_EQ(nothing.objective, 0);
  EXPECT_EQ(allocate({.budgets = {{"size", -1}}}).status, allocation_status::infeasible);
  EXPECT_EQ(allocate({.layers = {{"conv1", {of(4, 2, {}), of(8, 1, {})}}}}).choice, indices{1});
}

TEST(allocate, stops_at_the_node_limit_and_says_what_is_proven) {
  const allocation stopped = allocate(two_layers(12), {.maximum_nodes = 0});
  EXPECT_NE(stopped.status, allocation_status::optimal);
  EXPECT_NE(stopped.status, allocation_status::infeasible);
  EXPECT_LE(stopped.lower_bound, 6);
  EXPECT_GE(stopped.lower_bound, 0);
}

TEST(allocate, refuses_options_out_of_range) {
  EXPECT_THROW(allocate({}, {.maximum_nodes = -1}), invalid_argument);
  EXPECT_THROW(allocate({}, {.relative_gap = 1}), invalid_argument);
  EXPECT_THROW(allocate({.layers = {{}}}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
