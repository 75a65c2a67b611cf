// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/min_max.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

min_max observed(const std::vector<float>& samples) {
  min_max watching;
  watching.observe(samples);
  return watching;
}

TEST(min_max, covers_every_sample_and_no_more) {
  min_max watching = observed({0.5f, -1, 2});
  EXPECT_EQ(watching.values(), (range{-1, 2}));
  watching.observe(std::vector{1.0f});
  EXPECT_EQ(watching.values(), (range{-1, 2}));
  watching.observe(std::vector{-3.0f, 5.0f});
  EXPECT_EQ(watching.values(), (range{-3, 5}));
  EXPECT_EQ(observed({7}).values(), (range{7, 7}));  // Not widened to 0: that is the quantizer's business.
  EXPECT_EQ(observed({-2, -4}).values(), (range{-4, -2}));
}

TEST(min_max, parts_merged_equal_one_pass_however_they_are_cut) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(3, 1);
  std::vector<float> samples(50);
  for (float& sample : samples) sample = normal(generator);
  const std::span<const float> all = samples;
  for (std::size_t cut = 0; cut <= samples.size(); ++cut) {
    min_max first, second;
    first.observe(all.first(cut));
    second.observe(all.subspan(cut));
    min_max forwards = first, backwards = second;
    forwards.merge(second);
    backwards.merge(first);
    EXPECT_EQ(forwards.values(), observed(samples).values()) << cut;
    EXPECT_EQ(backwards.values(), observed(samples).values()) << cut;
  }
}

TEST(min_max, of_nothing_has_no_range) {
  min_max nothing;
  EXPECT_EQ(refusal([&] { nothing.values(); }), "min_max::values: samples observed is 0, expected at least one");
  nothing.observe({});
  nothing.merge(min_max());
  EXPECT_THROW(nothing.values(), invalid_argument);
  nothing.merge(observed({1, 2}));
  EXPECT_EQ(nothing.values(), (range{1, 2}));
  nothing.merge(min_max());
  EXPECT_EQ(nothing.values(), (range{1, 2}));
}

TEST(min_max, refuses_samples_that_are_not_finite_and_counts_none_of_their_span) {
  min_max watching = observed({-1, 2});
  EXPECT_EQ(refusal([&] {
              watching.observe(std::vector{9.0f, nan_value});
            }),
            "range_of: values[1] is nan, expected a finite number");
  EXPECT_EQ(refusal([&] {
              watching.observe(std::vector{-9.0f, 3.0f, -infinity});
            }),
            "range_of: values[2] is -inf, expected a finite number");
  EXPECT_EQ(watching.values(), (range{-1, 2}));
  min_max nothing;
  EXPECT_THROW(nothing.observe(std::vector{1.0f, infinity}), invalid_argument);
  EXPECT_THROW(nothing.values(), invalid_argument);
}

}  // namespace
}  // namespace bitwright
