// SPDX-License-Identifier: MIT
#include "allocation_families.hpp"
#include <bitwright/mixed_precision/allocation_exchange.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using choices = std::vector<std::size_t>;

exact_bound at_zero(const reduced_allocation& reduced) {
  return {reduced, {.numerators = std::vector<std::int64_t>(reduced.budgets), .shift = 0}};
}

/// Two groups of 4 or 8 units that save 3 or 5.
const reduced_allocation two_groups{
    .budgets = 1, .first = {0, 2, 4}, .omegas = {3, 0, 5, 0}, .costs = {4, 8, 4, 8}, .limits = {12}};

TEST(allocation_exchange, takes_from_one_group_to_give_to_another) {
  choices taken = {1, 2};
  EXPECT_EQ(allocation_exchange(two_groups, at_zero(two_groups)).improve(taken), 2);
  EXPECT_EQ(taken, (choices{0, 3}));
}

TEST(allocation_exchange, comes_back_within_the_limits) {
  choices taken = {1, 3};
  EXPECT_TRUE(allocation_exchange(two_groups, at_zero(two_groups)).repair(taken));
  EXPECT_EQ(taken, (choices{0, 3}));  // One move is enough, and the one of the first group loses less.
}

TEST(allocation_exchange, says_where_it_cannot) {
  reduced_allocation tight = two_groups;
  tight.limits = {7};
  choices taken = {1, 3};
  EXPECT_FALSE(allocation_exchange(tight, at_zero(tight)).repair(taken));
}

TEST(allocation_exchange, keeps_to_the_limits_and_counts_what_it_gains) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const allocation_problem problem = reference::correlated(50, 6, 3, seed % 2 == 0 ? 0 : 50, seed);
    const reduced_allocation reduced = reduce_allocation(problem, omega_grid(problem));
    allocation_exchange exchange(reduced, at_zero(reduced));
    choices taken(reduced.first.begin(), reduced.first.end() - 1);
    if (!exchange.repair(taken)) continue;
    const auto total = [&](const std::vector<std::int64_t>& of, std::size_t stride, std::size_t m) {
      std::int64_t sum = 0;
      for (const std::size_t choice : taken) sum += of[choice * stride + m];
      return sum;
    };
    const std::int64_t before = total(reduced.omegas, 1, 0), gained = exchange.improve(taken);
    EXPECT_EQ(total(reduced.omegas, 1, 0), before - gained) << "seed " << seed;
    for (std::size_t m = 0; m < 3; ++m) EXPECT_LE(total(reduced.costs, 3, m), reduced.limits[m]) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bitwright
