// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/histogram.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();

histogram observed(const std::vector<float>& samples, std::size_t bins = 8) {
  histogram watching(bins);
  watching.observe(samples);
  return watching;
}

std::vector<std::uint64_t> counts(std::span<const std::uint64_t> bins) { return {bins.begin(), bins.end()}; }

void expect_equal(const histogram& a, const histogram& b) {
  EXPECT_EQ(a.values(), b.values());
  EXPECT_EQ(a.width(), b.width());
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.zeros(), b.zeros());
  EXPECT_EQ(counts(a.positive()), counts(b.positive()));
  EXPECT_EQ(counts(a.negative()), counts(b.negative()));
}

TEST(histogram, counts_by_sign_and_magnitude_and_zeros_apart) {
  const histogram seen = observed({0, -0.0f, 0.5f, 0.99f, 1, 7.5f, -0.5f, -7});
  EXPECT_EQ(seen.width(), 1);  // 8 bins up to 8, the next power of two beyond 7.5.
  EXPECT_EQ(counts(seen.positive()), (std::vector<std::uint64_t>{2, 1, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(counts(seen.negative()), (std::vector<std::uint64_t>{1, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(seen.magnitudes(), (std::vector<std::uint64_t>{3, 1, 0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(seen.zeros(), 2u);
  EXPECT_EQ(seen.count(), 8u);
  EXPECT_EQ(seen.values(), (range{-7, 7.5f}));
}

TEST(histogram, pieces_ascend_and_end_where_the_samples_do) {
  const std::vector<histogram_piece> expected = {{-7.25, -7, 1}, {-1, 0, 1}, {0, 0, 2},
                                                 {0, 1, 2},      {1, 2, 1},  {7, 7.5, 1}};
  EXPECT_EQ(observed({7.5f, 0, 0.5f, -0.0f, 0.25f, 1, -0.5f, -7.25f}).pieces(), expected);
  EXPECT_EQ(observed({5}).pieces(), (std::vector<histogram_piece>{{5, 5, 1}}));
  EXPECT_EQ(observed({-5, -5}).pieces(), (std::vector<histogram_piece>{{-5, -5, 2}}));
}

TEST(histogram, doubles_its_range_until_a_sample_fits_and_loses_no_mass) {
  histogram watching = observed({0.1f, 0.3f, 0.6f, 0.9f});
  EXPECT_EQ(watching.width(), 0.125);
  EXPECT_EQ(counts(watching.positive()), (std::vector<std::uint64_t>{1, 0, 1, 0, 1, 0, 0, 1}));
  watching.observe(std::vector{-2.5f});  // Twice as wide, and again: width 1/2.
  EXPECT_EQ(watching.width(), 0.5);
  EXPECT_EQ(counts(watching.positive()), (std::vector<std::uint64_t>{2, 2, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(counts(watching.negative()), (std::vector<std::uint64_t>{0, 0, 0, 0, 0, 1, 0, 0}));
  watching.observe(std::vector{1e30f});
  EXPECT_EQ(watching.positive()[0], 4u);
  EXPECT_EQ(watching.negative()[0], 1u);
  EXPECT_EQ(watching.count(), 6u);
}

TEST(histogram, a_power_of_two_needs_the_next_range) {
  EXPECT_EQ(observed({1}).width(), 0.25);
  EXPECT_EQ(observed({std::nextafter(1.0f, 0.0f)}).width(), 0.125);
  EXPECT_EQ(observed({1}).positive()[4], 1u);
}

TEST(histogram, parts_merged_equal_one_pass_exactly_in_any_order) {
  std::mt19937 generator(2);
  std::normal_distribution<float> normal(0, 1);
  std::uniform_int_distribution<int> exponent(-20, 20);
  std::vector<float> samples(60);
  for (float& sample : samples) sample = std::ldexp(normal(generator), exponent(generator));
  samples[7] = samples[31] = 0;
  const std::span<const float> all = samples;
  const histogram whole = observed(samples, 64);
  for (std::size_t cut = 0; cut <= samples.size(); ++cut) {
    histogram first(64), second(64);
    first.observe(all.first(cut));
    second.observe(all.subspan(cut));
    histogram forwards = first, backwards = second;
    forwards.merge(second);
    backwards.merge(first);
    expect_equal(forwards, whole);
    expect_equal(backwards, whole);
  }
  std::ranges::shuffle(samples, generator);
  histogram one_by_one(64);
  for (const float& sample : samples) one_by_one.observe({&sample, 1});
  expect_equal(one_by_one, whole);
}

TEST(histogram, holds_the_least_and_the_greatest_floats) {
  EXPECT_EQ(observed({denormal}).pieces(), (std::vector<histogram_piece>{{denormal, denormal, 1}}));
  EXPECT_EQ(observed({3 * denormal, denormal}).width(), std::ldexp(1.0, -150));  // 2^-147 in 8 bins.
  EXPECT_EQ(observed({-huge, huge}).width(), 0x1p125);
  histogram both = observed({denormal});
  both.observe(std::vector{huge});  // 276 doublings.
  EXPECT_EQ(both.positive()[0], 1u);
  EXPECT_EQ(both.positive()[7], 1u);
  histogram near = observed({denormal});
  near.observe(std::vector{0x1p-85f});  // 64 doublings, as many as a word has bits.
  EXPECT_EQ(near.positive()[0], 1u);
  EXPECT_EQ(near.positive()[4], 1u);
  histogram merged = observed({huge});
  merged.merge(observed({denormal}));
  expect_equal(both, merged);
}

TEST(histogram, of_zeros_has_a_range_of_zeros) {
  const histogram seen = observed({0, 0, -0.0f});
  EXPECT_EQ(seen.values(), (range{0, 0}));
  EXPECT_EQ(seen.pieces(), (std::vector<histogram_piece>{{0, 0, 3}}));
}

TEST(histogram, of_nothing_has_no_range) {
  histogram nothing(8);
  EXPECT_EQ(refusal([&] { nothing.values(); }), "histogram::values: samples observed is 0, expected at least one");
  nothing.observe({});
  nothing.merge(histogram(8));
  EXPECT_TRUE(nothing.pieces().empty());
  nothing.merge(observed({1, -2}));
  expect_equal(nothing, observed({1, -2}));
}

TEST(histogram, refuses_samples_that_are_not_finite_and_counts_none_of_their_span) {
  histogram watching = observed({-1, 2});
  EXPECT_EQ(refusal([&] {
              watching.observe(std::vector{9.0f, nan_value});
            }),
            "range_of: values[1] is nan, expected a finite number");
  EXPECT_THROW(watching.observe(std::vector{-infinity}), invalid_argument);
  expect_equal(watching, observed({-1, 2}));
}

TEST(histogram, refuses_bins_that_cannot_be_halved_or_differ) {
  EXPECT_EQ(refusal([] { histogram(12); }), "histogram: bins is 12, expected a power of two from 2 to 2^20");
  for (const std::size_t bins : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 21})
    EXPECT_THROW(histogram{bins}, invalid_argument) << bins;
  EXPECT_EQ(refusal([] { histogram(8).merge(histogram(4)); }),
            "histogram::merge: other.bins() is 4, expected that of this histogram, 8");
}

}  // namespace
}  // namespace bitwright
