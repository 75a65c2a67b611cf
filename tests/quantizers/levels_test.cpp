// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/quantizers/levels.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float denormal = std::numeric_limits<float>::denorm_min();

/// Looks at every level; the distances of the values below fit the 64 bits of a long double's fraction.
std::size_t nearest_by_search(const std::vector<float>& levels, float value) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    using wide = long double;
    const wide distance = std::abs(wide{levels[i]} - value), least = std::abs(wide{levels[best]} - value);
    const bool smaller_or_positive = std::abs(levels[i]) <= std::abs(levels[best]);  // Levels rise: -l comes before l.
    if (distance < least || (distance == least && smaller_or_positive)) best = i;
  }
  return best;
}

template <std::size_t Capacity>
void expect_nearest(const std::vector<float>& levels) {
  const level_table<Capacity> table(levels);
  std::vector<float> values{3 * levels.front(), -0.0f, 0, 3 * levels.back()};
  for (const float level : levels) values.push_back(level);
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) values.push_back((levels[i] + levels[i + 1]) / 2);
  for (const float centre : values)
    for (const float value : {std::nextafter(centre, -infinity), centre, std::nextafter(centre, infinity)}) {
      if (std::isinf(value)) continue;
      ASSERT_EQ(table.nearest(value), nearest_by_search(levels, value)) << value << " among " << levels.size();
    }
}

TEST(level_table, finds_the_nearest_level) {
  expect_nearest<2>({-1, 2});
  expect_nearest<4>({-1, 0, 1});
  expect_nearest<16>({-0.5f, 0, 0.25f, 1, 7});
  expect_nearest<16>({-denormal, 0, denormal, 2 * denormal, 4 * denormal});
  expect_nearest<8>({-0x1p-30f, 1});  // The midpoint lies just below one half.
  expect_nearest<8>({-1, 0x1p-30f});
  std::mt19937 generator(3);
  std::normal_distribution<float> normal;
  for (std::size_t count = 1; count <= 200; count += 7) {
    std::set<float> sorted;
    while (sorted.size() < count) sorted.insert(normal(generator));
    const std::vector<float> levels(sorted.begin(), sorted.end());
    expect_nearest<256>(levels);
    if (count <= 16) expect_nearest<16>(levels);
  }
}

TEST(level_table, gives_ties_to_the_smaller_magnitude) {
  const std::vector<float> levels{-4, -2, -1, 0, 1, 2, 4};
  const level_table<8> table(levels);
  EXPECT_EQ(table[table.nearest(3)], 2);
  EXPECT_EQ(table[table.nearest(-3)], -2);
  EXPECT_EQ(table[table.nearest(0.5f)], 0);
  EXPECT_EQ(table[table.nearest(-0.5f)], 0);
  EXPECT_EQ(table[table.nearest(std::nextafter(-3.0f, -4.0f))], -4);
  const std::vector<float> signs{-1, 1};
  EXPECT_EQ(level_table<2>(signs).nearest(0), 1);  // Neither is smaller: up.
  EXPECT_EQ(level_table<2>(signs).nearest(-denormal), 0);
}

TEST(level_table, compares_with_borders_of_which_nothing_is_lost) {
  // The midpoint of -2^-100 and 1 is 1/2 - 2^-101, which no double holds: 1/2 lies above it.
  EXPECT_EQ(border_between(-0x1p-100f, 1), std::nextafter(0.5f, 0.0f));
  EXPECT_EQ(border_between(0x1p-100f, 1), 0.5f);
  const float greatest = std::numeric_limits<float>::max();
  EXPECT_EQ(border_between(-greatest, greatest), -denormal);
  EXPECT_EQ(border_between(2, 4), 3);  // The tie is 2's.
  EXPECT_EQ(border_between(-4, -2), std::nextafter(-3.0f, -4.0f));
}

TEST(level_table, sends_infinities_to_the_ends_and_nan_to_the_level_nearest_to_zero) {
  const std::vector<float> levels{-3, -1, 0.5f, 2, 5};
  const level_table<8> few(levels);
  const level_table<256> many(levels);
  const float nan_value = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(few.nearest(infinity), 4);
  EXPECT_EQ(few.nearest(-infinity), 0);
  EXPECT_EQ(few.nearest(nan_value), 2);
  EXPECT_EQ(many.nearest(infinity), 4);
  EXPECT_EQ(many.nearest(-infinity), 0);
  EXPECT_EQ(many.nearest(nan_value), 2);
}

TEST(level_table, knows_its_bits_and_gives_spare_codes_the_highest_level) {
  const auto bits_of = [](std::size_t count) {
    std::vector<float> levels;
    for (std::size_t i = 0; i < count; ++i) levels.push_back(static_cast<float>(i));
    return level_table<256>(levels).bits();
  };
  EXPECT_EQ(bits_of(1), 1);
  EXPECT_EQ(bits_of(2), 1);
  EXPECT_EQ(bits_of(3), 2);
  EXPECT_EQ(bits_of(16), 4);
  EXPECT_EQ(bits_of(17), 5);
  EXPECT_EQ(bits_of(256), 8);
  const std::vector<float> three{-1, 0, 1};
  EXPECT_EQ(level_table<4>(three)[3], 1);
  EXPECT_EQ(level_table<4>(three).levels().size(), 3u);
}

TEST(level_table, refuses_levels_without_order) {
  const std::string expected = ", expected finite numbers, strictly increasing";
  const auto make = [](std::vector<float> levels) { return refusal([&] { level_table<4>{levels}; }); };
  EXPECT_EQ(make({}), "level_table: levels.size() is 0, expected 1 to 4");
  EXPECT_EQ(make({1, 2, 3, 4, 5}), "level_table: levels.size() is 5, expected 1 to 4");
  EXPECT_EQ(make({1, 1}), "level_table: levels is [1, 1]" + expected);
  EXPECT_EQ(make({2, 1}), "level_table: levels is [2, 1]" + expected);
  EXPECT_EQ(make({0, infinity}), "level_table: levels is [0, inf]" + expected);
}

}  // namespace
}  // namespace bitwright
