// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/moving_average.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <random>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using batches = std::vector<std::vector<float>>;

constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

moving_average watched(double momentum, const batches& seen) {
  moving_average watching(momentum);
  for (const std::vector<float>& batch : seen) watching.observe(batch);
  return watching;
}

TEST(moving_average, begins_with_the_first_batch_and_moves_by_its_momentum) {
  EXPECT_EQ(watched(0.5, {{-1, 3, 2}}).values(), (range{-1, 3}));
  EXPECT_EQ(watched(0.5, {{-1, 3}, {-2, 7}}).values(), (range{-1.5f, 5}));
  EXPECT_EQ(watched(0.75, {{0, 4}, {0, 8}, {-4, 1}}).values(), (range{-1, 4}));  // max: 4, 5, 4
  EXPECT_FLOAT_EQ(watched(0.95, {{0, 1}, {0, 2}}).values().max, 1.05f);
}

TEST(moving_average, without_momentum_is_the_last_batch) {
  EXPECT_EQ(watched(0, {{0, 4}, {5, 8}, {-4, 1}}).values(), (range{-4, 1}));
}

TEST(moving_average, of_equal_batches_is_their_range_exactly) {
  for (const float value : {0.0f, 0.1f, -3.7f, denormal, -huge}) {
    moving_average watching = watched(0.95, batches(100, {value, value}));
    EXPECT_EQ(watching.values(), (range{value, value}));
    watching.merge(watching);
    EXPECT_EQ(watching.values(), (range{value, value}));
  }
}

TEST(moving_average, merged_goes_on_with_the_others_batches) {
  // Every number here has few bits: no rounding, so that merging is one pass to the last bit.
  std::mt19937 generator(9);
  std::uniform_int_distribution<int> whole(-100, 100);
  batches all(12);
  for (std::vector<float>& batch : all)
    for (int sample = 0; sample < 3; ++sample) batch.push_back(static_cast<float>(whole(generator)));
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(cut);
    moving_average before = watched(0.5, {all.begin(), middle});
    before.merge(watched(0.5, {middle, all.end()}));
    EXPECT_EQ(before.values(), watched(0.5, all).values()) << cut;
    before.observe(std::vector{1.0f, 2.0f});
    moving_average whole_pass = watched(0.5, all);
    whole_pass.observe(std::vector{1.0f, 2.0f});
    EXPECT_EQ(before.values(), whole_pass.values()) << cut;
  }
}

TEST(moving_average, merged_counts_the_order) {
  moving_average forwards = watched(0.5, {{0, 1}}), backwards = watched(0.5, {{0, 3}});
  const moving_average first = forwards;
  forwards.merge(backwards);
  backwards.merge(first);
  EXPECT_EQ(forwards.values().max, 2);
  EXPECT_EQ(backwards.values().max, 2);
  forwards.merge(watched(0.5, {{0, 6}}));
  EXPECT_EQ(forwards.values().max, 4);
  moving_average last = watched(0.5, {{0, 6}});
  last.merge(backwards);  // 6, 3, 1: 6, 4.5, 2.75
  EXPECT_EQ(last.values().max, 2.75f);
}

TEST(moving_average, of_no_batches_has_no_range) {
  moving_average nothing;
  nothing.observe({});
  nothing.merge(moving_average());
  EXPECT_EQ(refusal([&] { nothing.values(); }), "moving_average::values: batches observed is 0, expected at least one");
  nothing.merge(watched(0.95, {{1, 2}}));
  nothing.merge(moving_average());
  EXPECT_EQ(nothing.values(), (range{1, 2}));
}

TEST(moving_average, refuses_what_it_cannot_use_by_name) {
  EXPECT_EQ(refusal([] { moving_average(1); }), "moving_average: momentum is 1, expected at least 0, less than 1");
  EXPECT_THROW(moving_average(-0.1), invalid_argument);
  EXPECT_THROW(moving_average{nan_value}, invalid_argument);
  EXPECT_EQ(refusal([] { moving_average(0.5).merge(moving_average(0.25)); }),
            "moving_average::merge: other.momentum() is 0.25, expected this one's, 0.5");
  moving_average watching = watched(0.5, {{1, 2}});
  EXPECT_EQ(refusal([&] {
              watching.observe(std::vector{9.0f, nan_value});
            }),
            "range_of: values[1] is nan, expected a finite number");
  EXPECT_EQ(watching.values(), (range{1, 2}));
}

}  // namespace
}  // namespace bitwright
