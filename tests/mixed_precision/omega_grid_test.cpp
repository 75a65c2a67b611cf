// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/omega_grid.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

omega_grid grid_of(const std::vector<double>& omegas) {
  allocation_problem problem;
  for (const double omega : omegas) problem.layers.push_back({.candidates = {{.omega = omega}}});
  return omega_grid(problem);
}

TEST(omega_grid, holds_integers_exactly) {
  const omega_grid grid = grid_of({0x1p61, 3, 0});
  EXPECT_EQ(grid.unit(), 1);
  EXPECT_EQ(grid.units(3), 3);
  EXPECT_EQ(grid.units(0x1p61), std::int64_t{1} << 61);
  EXPECT_EQ(grid_of({}).unit(), 1);
}

TEST(omega_grid, gives_larger_integers_no_more_than_62_bits) {
  EXPECT_EQ(grid_of({0x1p62}).unit(), 2);  // Less than 2^63, so 63 bits.
  EXPECT_EQ(grid_of({0x1p100, 1}).units(1), 0);
}

TEST(omega_grid, splits_the_sum_of_the_largest_omegas_into_2_to_the_53) {
  const omega_grid grid = grid_of({0.5, 0.25});
  EXPECT_EQ(grid.unit(), 0x1p-53);
  EXPECT_EQ(grid.units(0.25), std::int64_t{1} << 51);
  EXPECT_EQ(grid.value(grid.units(0.25)), 0.25);
  EXPECT_EQ(grid.units(0x1.8p-53), 1);  // Rounded down.
}

TEST(omega_grid, covers_the_range_of_doubles) {
  EXPECT_EQ(grid_of({std::numeric_limits<double>::denorm_min()}).unit(), 0x1p-1074);
  EXPECT_EQ(grid_of({std::numeric_limits<double>::denorm_min()}).units(0x1p-1074), 1);
  const omega_grid largest = grid_of({std::numeric_limits<double>::max(), 0.5});
  EXPECT_LE(largest.units(std::numeric_limits<double>::max()), std::int64_t{1} << 53);
  EXPECT_EQ(largest.units(0.5), 0);
}

}  // namespace
}  // namespace bitwright
