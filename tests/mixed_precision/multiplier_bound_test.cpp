// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/multiplier_bound.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

/// Two groups of two choices each, under one limit of 10.
const reduced_allocation two_groups{
    .budgets = 1, .first = {0, 2, 4}, .omegas = {9, 1, 7, 2}, .costs = {4, 8, 4, 8}, .limits = {10}};

TEST(exact_bound, is_the_sum_of_the_least_terms_less_the_priced_limits) {
  // At lambda = 3/2: min(15, 13) + min(13, 14) - 15 = 11.
  const exact_bound bound(two_groups, {.numerators = {3}, .shift = 1});
  EXPECT_EQ(bound.bound, wide_integer(22));
  EXPECT_EQ(bound.units_at_least(bound.bound), 11);
  EXPECT_EQ(bound.best, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(bound.excess, (std::vector<wide_integer>{4, 0, 0, 2}));
  EXPECT_EQ(bound.units_at_least(wide_integer(21)), 11);  // Halves are rounded up.
  EXPECT_EQ(bound.units_at_least(wide_integer(-21)), -10);
}

TEST(round_multipliers, is_exact_to_the_last_bit_that_sums_leave_room_for) {
  const dyadic_multipliers rounded = round_multipliers(two_groups, std::vector<double>{1.5});
  EXPECT_GE(rounded.shift, 50);
  EXPECT_EQ(rounded.numerators[0], std::int64_t{3} << (rounded.shift - 1));
}

TEST(round_multipliers, of_extreme_size_still_prove_something) {
  reduced_allocation extreme = two_groups;
  extreme.omegas = {std::int64_t{1} << 61, 0, std::int64_t{1} << 61, 0};
  extreme.costs = {0, std::int64_t{1} << 61, 0, std::int64_t{1} << 61};
  extreme.limits = {std::int64_t{1} << 61};
  for (const double multiplier : {0.0, 1e-30, 1.0, 1e30, 1e300}) {
    const exact_bound bound(extreme, round_multipliers(extreme, std::vector<double>{multiplier}));
    EXPECT_GE(bound.multipliers.shift, 0);
    EXPECT_GE(bound.multipliers.numerators[0], 0);
    // The best is 2^61 with one group at each choice, and no multipliers prove more.
    EXPECT_LE(bound.units_at_least(bound.bound), std::int64_t{1} << 61) << multiplier;
  }
  const exact_bound best(extreme, round_multipliers(extreme, std::vector<double>{1}));
  EXPECT_EQ(best.units_at_least(best.bound), std::int64_t{1} << 61);
}

}  // namespace
}  // namespace bitwright
