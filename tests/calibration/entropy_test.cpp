// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/entropy.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr double no_end = std::numeric_limits<double>::infinity();
constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// KL(P || Q) by its definition, bin by bin.
double relative_entropy(const std::vector<std::uint64_t>& magnitudes, std::size_t bins, double step) {
  std::vector<double> p(magnitudes.begin(), magnitudes.begin() + static_cast<std::ptrdiff_t>(bins));
  const std::vector<double> within = p;
  for (std::size_t bin = bins; bin < magnitudes.size(); ++bin) p[bins - 1] += static_cast<double>(magnitudes[bin]);
  const auto level_of = [step](std::size_t bin) { return std::floor((static_cast<double>(bin) + 0.5) / step + 0.5); };
  const double all = std::accumulate(p.begin(), p.end(), 0.0);
  const double kept = std::accumulate(within.begin(), within.end(), 0.0);
  double divergence = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    if (p[bin] == 0) continue;
    double mass = 0, occupied = 0;
    for (std::size_t other = 0; other < bins; ++other)
      if (level_of(other) == level_of(bin) && p[other] > 0) {
        mass += within[other];
        ++occupied;
      }
    if (mass == 0) return no_end;
    divergence += p[bin] / all * std::log(p[bin] / all / (mass / occupied / kept));
  }
  return divergence;
}

std::vector<float> normal_samples(std::size_t count) {
  std::mt19937 generator(6);
  std::normal_distribution<float> normal;
  std::vector<float> samples(count);
  for (float& sample : samples) sample = normal(generator);
  return samples;
}

template <class Observer>
range watched(Observer watching, const std::vector<float>& samples) {
  watching.observe(samples);
  return watching.values();
}

TEST(clipped_relative_entropy, is_its_definition) {
  std::mt19937 generator(7);
  std::poisson_distribution<std::uint64_t> poisson(1.5);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<std::uint64_t> magnitudes(24);
    for (std::uint64_t& count : magnitudes) count = poisson(generator);
    magnitudes[0] = 1;
    const clipped_relative_entropy divergence(magnitudes);
    for (std::size_t bins = 1; bins <= magnitudes.size(); ++bins)
      for (const double step : {0.75, 1.0, 1.9, 3.3, 7.0}) {
        const double expected = relative_entropy(magnitudes, bins, step);
        if (expected == no_end)
          EXPECT_EQ(divergence(bins, step), no_end);
        else  // Some 30 terms of at most 36 log 36, each rounded to 2^-53 of itself.
          EXPECT_NEAR(divergence(bins, step), expected, 30 * 130 * 0x1p-52);
      }
  }
}

TEST(clipped_relative_entropy, worked_by_hand) {
  const std::vector<std::uint64_t> magnitudes = {4, 2, 1, 1};
  const clipped_relative_entropy divergence(magnitudes);
  EXPECT_NEAR(divergence(4, 1), 0, 1e-15);  // A level a bin keeps all there is.
  // Clipped to three bins: P = (4, 2, 2) / 8, Q = (4, 2, 1) / 7.
  EXPECT_NEAR(divergence(3, 1), (6 * std::log(7.0 / 8) + 2 * std::log(2 * 7.0 / 8)) / 8, 1e-15);
  // Steps of four bins: the middles 1/2 and 3/2 round to 0, 5/2 and 7/2 to 4. Q = (3, 3, 1, 1) / 8.
  EXPECT_NEAR(divergence(4, 4), (4 * std::log(4.0 / 3) + 2 * std::log(2.0 / 3)) / 8, 1e-15);
}

TEST(entropy, is_the_least_of_all_limits) {
  const std::vector<float> samples = normal_samples(2000);
  const entropy<> watching(4, 128);
  histogram seen(128);
  seen.observe(samples);
  const auto most = static_cast<std::size_t>(seen.values().limit() / seen.width()) + 1;
  double least = relative_entropy(seen.magnitudes(), most, seen.values().limit() / seen.width() / 7);
  float limit = seen.values().limit();
  for (std::size_t bins = most - 1; bins >= 7; --bins) {
    const double divergence = relative_entropy(seen.magnitudes(), bins, static_cast<double>(bins) / 7);
    if (divergence >= least - 1e-12) continue;
    least = divergence;
    limit = static_cast<float>(static_cast<double>(bins) * seen.width());
  }
  EXPECT_LT(limit, seen.values().limit());
  EXPECT_EQ(watched(watching, samples).limit(), limit);
}

TEST(entropy, clips_an_outlier_and_keeps_an_even_distribution) {
  std::vector<float> samples = normal_samples(50000);
  samples[3] = 100;
  const range found = watched(entropy<>(), samples);
  EXPECT_LT(found.max, 10);
  EXPECT_GT(found.max, 2);
  EXPECT_EQ(found.min, std::max(range_of(samples).min, -found.max));
  std::vector<float> even(4096);
  for (std::size_t i = 0; i < even.size(); ++i) even[i] = static_cast<float>(i) - 2047.5f;
  EXPECT_EQ(watched(entropy<>(), even), (range{-2047.5f, 2047.5f}));
}

TEST(entropy, is_never_wider_than_the_samples) {
  std::mt19937 generator(8);
  std::student_t_distribution<float> student(2);
  for (int trial = 0; trial < 10; ++trial) {
    std::vector<float> samples(100);
    for (float& sample : samples) sample = student(generator);
    const range seen = range_of(samples);
    for (const range found : {watched(entropy<>(4, 256), samples), watched(entropy<affine_codes>(4, 256), samples)}) {
      EXPECT_LE(seen.min, found.min);
      EXPECT_LE(found.min, found.max);
      EXPECT_LE(found.max, seen.max);
    }
  }
}

TEST(entropy, of_one_or_two_values_keeps_them) {
  for (const float value : {0.0f, 5.0f, -3.7f, denormal, -huge})
    for (const std::size_t count : {1u, 1000u})
      EXPECT_EQ(watched(entropy<>(), std::vector<float>(count, value)), (range{value, value}));
  for (std::size_t ones = 1; ones <= 5; ++ones)  // All to 1 or all kept: both distributions are kept whole.
    for (std::size_t fives = 1; fives <= 5; ++fives) {
      std::vector<float> samples(ones, 1);
      samples.resize(ones + fives, 5);
      EXPECT_EQ(watched(entropy<>(), samples), (range{1, 5}));
    }
}

TEST(entropy, does_not_depend_on_zeros) {
  std::vector<float> samples = normal_samples(3000);
  for (float& sample : samples) sample = std::abs(sample);
  const range expected = watched(entropy<affine_codes>(4), samples);
  samples.resize(30000);
  const range found = watched(entropy<affine_codes>(4), samples);
  EXPECT_EQ(found.max, expected.max);
  EXPECT_EQ(found.min, 0);
}

TEST(entropy, of_parts_merged_equals_that_of_one_pass) {
  const std::vector<float> samples = normal_samples(400);
  for (const std::size_t cut : {0u, 1u, 200u, 400u}) {
    entropy<> first(4, 256), second(4, 256);
    first.observe(std::span(samples).first(cut));
    second.observe(std::span(samples).subspan(cut));
    first.merge(second);
    EXPECT_EQ(first.values(), watched(entropy<>(4, 256), samples)) << cut;
  }
}

TEST(entropy, refuses_what_it_cannot_use_by_name) {
  EXPECT_THROW(entropy<>(1), invalid_argument);
  EXPECT_THROW(entropy<>(8, 100), invalid_argument);
  EXPECT_EQ(refusal([] { entropy<>(8).merge(entropy<>(7)); }),
            "entropy::merge: other.bits() is 7, expected this one's, 8");
  entropy<> watching;
  EXPECT_THROW(watching.values(), invalid_argument);
  EXPECT_THROW(watching.observe(std::vector{nan_value}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
