// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/reduced_allocation.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using sums = std::vector<std::int64_t>;
using indices = std::vector<std::size_t>;

reduced_allocation reduce(const allocation_problem& problem) { return reduce_allocation(problem, omega_grid(problem)); }

TEST(reduce_allocation, adds_up_tied_layers) {
  const auto layer = [](double a, std::int64_t b, double c, std::int64_t d) {
    return allocation_layer{
        .candidates = {{.weight_bits = 4, .omega = a, .costs = {b}}, {.weight_bits = 8, .omega = c, .costs = {d}}}};
  };
  const reduced_allocation reduced = reduce({.budgets = {{"size", 100}},
                                             .layers = {layer(9, 1, 3, 2), layer(8, 3, 2, 6), layer(7, 10, 1, 20)},
                                             .ties = {{0, 2}}});
  EXPECT_EQ(reduced.group_of_layer, (indices{0, 1, 0}));
  EXPECT_EQ(reduced.first, (indices{0, 2, 4}));
  EXPECT_EQ(reduced.omegas, (sums{16, 4, 8, 2}));
  EXPECT_EQ(reduced.costs, (sums{11, 22, 3, 6}));
}

TEST(reduce_allocation, keeps_what_is_allowed_and_not_dominated) {
  const reduced_allocation reduced = reduce({.budgets = {{"size", 100}, {"time", 100}},
                                             .layers = {{.candidates = {{.omega = 5, .costs = {4, 4}},
                                                                        {.omega = 5, .costs = {4, 5}},  // Slower.
                                                                        {.omega = 1, .costs = {8, 9}},
                                                                        {.omega = 6, .costs = {3, 9}},  // Smaller.
                                                                        {.omega = 5, .costs = {4, 4}},  // Equal.
                                                                        {.omega = 0, .costs = {1, 1}}},
                                                         .forbidden = {5}}}});
  EXPECT_EQ(reduced.candidates, (indices{0, 2, 3}));
  EXPECT_EQ(reduced.costs, (sums{4, 4, 8, 9, 3, 9}));
}

TEST(tighten_limits, goes_down_to_what_sums_can_reach) {
  // 1 or 7 and 2 or 11 units: sums are 3 plus multiples of gcd(6, 9) = 3.
  reduced_allocation reduced{.budgets = 1, .first = {0, 2, 4}, .omegas = {0, 0, 0, 0}, .costs = {1, 7, 2, 11}};
  const auto tightened = [&reduced](std::int64_t limit) {
    reduced.limits = {limit};
    tighten_limits(reduced);
    return reduced.limits[0];
  };
  EXPECT_EQ(tightened(12), 12);
  EXPECT_EQ(tightened(14), 12);
  EXPECT_EQ(tightened(11), 9);
  EXPECT_EQ(tightened(1000), 18);  // The largest sum.
  EXPECT_EQ(tightened(2), 0);      // Below the least sum, 3: infeasible as before.
  EXPECT_LT(tightened(INT64_MIN), 0);
}

}  // namespace
}  // namespace bitwright
