// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/min_max.hpp>
#include <bitwright/calibration/percentile.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();

range covered(const std::vector<float>& samples, double percent) {
  percentile watching(percent);
  watching.observe(samples);
  return watching.values();
}

std::vector<float> heavy_tailed(std::size_t count) {
  std::mt19937 generator(3);
  std::student_t_distribution<float> student(2);
  std::vector<float> samples(count);
  for (float& sample : samples) sample = student(generator);
  return samples;
}

TEST(percentile, lies_at_most_one_bin_beyond_the_exact_one) {
  std::vector<float> samples = heavy_tailed(5000);
  for (const double percent : {50.1, 75.0, 90.0, 99.0, 99.9, 99.99}) {
    const range found = covered(samples, percent);
    std::ranges::sort(samples);
    const auto rank = static_cast<std::size_t>(std::ceil(percent * 50));
    const float greatest = samples[rank - 1], least = samples[samples.size() - rank];
    const float bin = 2 * range_of(samples).limit() / 4096;
    EXPECT_GE(found.max, greatest);
    EXPECT_LE(found.max, greatest + bin);
    EXPECT_LE(found.min, least);
    EXPECT_GE(found.min, least - bin);
  }
}

TEST(percentile, of_100_is_min_max) {
  for (const std::vector<float>& samples : {heavy_tailed(777),
                                            {3, 5},
                                            {-2, -7},
                                            {4},
                                            {0, 0},
                                            {denormal, 3 * denormal},
                                            {-huge, huge},
                                            {0, 1e-30f, 1e30f}}) {
    min_max exact;
    exact.observe(samples);
    EXPECT_EQ(covered(samples, 100), exact.values());
  }
}

TEST(percentile, never_exceeds_the_samples_and_shrinks_with_the_percentage) {
  const std::vector<float> samples = heavy_tailed(1000);
  range wider = covered(samples, 100);
  for (const double percent : {99.9, 99.0, 90.0, 60.0, 50.1}) {
    const range found = covered(samples, percent);
    EXPECT_LE(wider.min, found.min);
    EXPECT_LE(found.min, found.max);
    EXPECT_LE(found.max, wider.max);
    wider = found;
  }
}

TEST(percentile, leaves_out_the_outlier_and_keeps_the_zeros_of_a_relu) {
  std::vector<float> samples(1000, 0.0f);
  for (std::size_t i = 0; i < 500; ++i) samples[i] = 1;
  samples[999] = 2000;
  const range found = covered(samples, 99.9);  // 999 of 1000 samples, without the greatest.
  EXPECT_EQ(found.min, 0);
  EXPECT_EQ(found.max, 1.5f);  // The samples of 1 lie in [1, 1.5): 2048 / 4096 is a bin.
}

TEST(percentile, of_equal_samples_is_their_value) {
  for (const float value : {0.0f, 5.0f, -3.7f, denormal, -huge})
    for (const std::size_t count : {1u, 2u, 1000u})
      EXPECT_EQ(covered(std::vector<float>(count, value), 99), (range{value, value}));
}

TEST(percentile, parts_merged_equal_one_pass_exactly) {
  const std::vector<float> samples = heavy_tailed(500);
  const std::span<const float> all = samples;
  for (const std::size_t cut : {0u, 1u, 250u, 499u, 500u}) {
    percentile first(95), second(95);
    first.observe(all.first(cut));
    second.observe(all.subspan(cut));
    second.merge(first);
    EXPECT_EQ(second.values(), covered(samples, 95)) << cut;
  }
}

TEST(percentile, refuses_what_it_cannot_use_by_name) {
  EXPECT_EQ(refusal([] { percentile(50); }), "percentile: percent is 50, expected more than 50, at most 100");
  for (const double percent : {0.0, 100.1, static_cast<double>(nan_value)})
    EXPECT_THROW(percentile{percent}, invalid_argument);
  EXPECT_EQ(refusal([] { percentile(99).merge(percentile(98)); }),
            "percentile::merge: other's percent is 98, expected this one's, 99");
  percentile watching;
  EXPECT_THROW(watching.values(), invalid_argument);
  EXPECT_THROW(watching.observe(std::vector{nan_value}), invalid_argument);
  EXPECT_THROW(watching.values(), invalid_argument);
}

}  // namespace
}  // namespace bitwright
