// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/least_error.hpp>
#include <bitwright/calibration/mse.hpp>
#include <bitwright/quantizers/uniform.hpp>

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

constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

template <class Observer>
range watched(Observer watching, const std::vector<float>& samples) {
  watching.observe(samples);
  return watching.values();
}

std::vector<float> normal_samples(std::size_t count, float mean = 0) {
  std::mt19937 generator(4);
  std::normal_distribution<float> normal(mean, 1);
  std::vector<float> samples(count);
  for (float& sample : samples) sample = normal(generator);
  return samples;
}

/// The mean of (|error| + slack)^power, where a quantizer makes the errors on the samples themselves.
double measured(const uniform<>& q, const std::vector<float>& samples, double power, double slack = 0) {
  double sum = 0;
  for (const float sample : samples)
    sum += std::pow(std::abs(static_cast<double>(q.dequantize(q.quantize(sample))) - sample) + slack, power);
  return sum / static_cast<double>(samples.size());
}

/// How far the mean |error|^power over a histogram can lie from that over the samples: each sample lies within a bin of
/// where the histogram takes it to be, and d/dx |x - level|^power is at most power * |x - level|^(power - 1).
double lost_to_bins(const uniform<>& q, const std::vector<float>& samples, double power, std::size_t bins) {
  const double bin = 2 * range_of(samples).limit() / static_cast<double>(bins);
  return bin * power * measured(q, samples, power - 1, bin);
}

/// Fails unless `found`, chosen over a histogram, is as good as `best` but for what the bins hide of either.
void expect_as_good(const uniform<>& found, const uniform<>& best, const std::vector<float>& samples, double power,
                    std::size_t bins) {
  EXPECT_LE(measured(found, samples, power), measured(best, samples, power) +
                                                 lost_to_bins(found, samples, power, bins) +
                                                 lost_to_bins(best, samples, power, bins));
}

TEST(least_error, is_as_small_as_that_of_any_limit) {
  const std::vector<float> samples = normal_samples(600);
  const float largest = range_of(samples).limit();
  constexpr std::size_t bins = 1 << 16;
  for (const double power : {2.0, 3.0})
    for (const int bits : {2, 3, 4, 6}) {
      const auto found = uniform<>::symmetric(watched(least_error<>(power, bits, bins), samples), bits);
      for (int step = 1; step <= 30; ++step) {
        const float limit = largest * static_cast<float>(step) / 30;
        expect_as_good(found, uniform<>::symmetric({-limit, limit}, bits), samples, power, bins);
      }
    }
}

TEST(least_error, of_affine_codes_is_as_small_as_that_of_any_pair_of_ends) {
  const std::vector<float> samples = normal_samples(200, 1.5f);
  const range seen = range_of(samples);
  constexpr std::size_t bins = 1 << 16;
  const auto found = uniform<>::affine(watched(mse<affine_codes>(3, bins), samples), 3);
  for (int low = 0; low <= 10; ++low)
    for (int high = 2; high <= 10; ++high) {
      const range tried{seen.min * static_cast<float>(low) / 10, seen.max * static_cast<float>(high) / 10};
      expect_as_good(found, uniform<>::affine(tried, 3), samples, 2, bins);
    }
}

TEST(least_error, of_a_higher_power_clips_less) {
  const std::vector<float> samples = normal_samples(500);
  float limit = 0;
  for (const double power : {1.0, 2.0, 2.5, 3.0, 4.0}) {
    const float found = watched(least_error<>(power, 3), samples).limit();
    EXPECT_GT(found, limit) << power;
    limit = found;
  }
}

TEST(least_error, clips_one_outlier_away_when_bits_are_few) {
  std::vector<float> samples = normal_samples(20000);
  samples[1] = 20;
  const range found = watched(mse(4), samples);
  EXPECT_LT(found.max, 6);
  EXPECT_GT(found.max, 2);
  EXPECT_EQ(watched(mse(16), samples).max, 20);
}

TEST(least_error, is_never_wider_than_the_samples) {
  std::mt19937 generator(5);
  std::student_t_distribution<float> student(2);
  for (int trial = 0; trial < 10; ++trial) {
    std::vector<float> samples(20);
    for (float& sample : samples) sample = student(generator);
    const range seen = range_of(samples);
    for (const range found : {watched(mse(3, 256), samples), watched(mse<affine_codes>(2, 256), samples),
                              watched(least_error<>(4, 2, 256), samples)}) {
      EXPECT_LE(seen.min, found.min);
      EXPECT_LE(found.min, found.max);
      EXPECT_LE(found.max, seen.max);
    }
  }
}

TEST(least_error, of_samples_that_are_levels_is_zero_with_the_whole_range) {
  EXPECT_EQ(watched(mse(4), {-7, -3, 0, 1, 7}), (range{-7, 7}));
}

TEST(least_error, of_equal_samples_keeps_them) {
  for (const float value : {0.0f, 5.0f, -3.7f, denormal, -huge})
    for (const std::size_t count : {1u, 1000u}) {
      EXPECT_EQ(watched(mse(4), std::vector<float>(count, value)), (range{value, value}));
      EXPECT_EQ(watched(mse<affine_codes>(4), std::vector<float>(count, value)), (range{value, value}));
    }
}

TEST(least_error, of_parts_merged_equals_that_of_one_pass) {
  const std::vector<float> samples = normal_samples(400);
  const mse<> nothing(4, 512);
  for (const std::size_t cut : {0u, 1u, 200u, 400u}) {
    mse<> first = nothing, second = nothing;
    first.observe(std::span(samples).first(cut));
    second.observe(std::span(samples).subspan(cut));
    first.merge(second);
    EXPECT_EQ(first.values(), watched(nothing, samples)) << cut;
  }
}

TEST(least_error, refuses_what_it_cannot_use_by_name) {
  EXPECT_EQ(refusal([] { least_error<>(0.5, 4); }), "least_error: power is 0.5, expected [1, 16]");
  EXPECT_THROW(least_error<>(nan_value, 4), invalid_argument);
  EXPECT_EQ(refusal([] { mse<>(1); }), "code_range::symmetric_bits: bits is 1, expected [2, 16]");
  EXPECT_THROW(mse<>(4, 3), invalid_argument);
  EXPECT_EQ(refusal([] { least_error<>(2, 4).merge(least_error<>(3, 4)); }),
            "least_error::merge: other's power and bits is [3, 4], expected this one's, [2, 4]");
  mse<> watching(4);
  EXPECT_THROW(watching.values(), invalid_argument);
  EXPECT_THROW(watching.observe(std::vector{nan_value}), invalid_argument);
}

TEST(fit_least_error, picks_the_best_of_its_limits_on_the_values_themselves) {
  const std::vector<float> values = normal_samples(200);
  const float largest = range_of(values).limit();
  for (const double power : {2.0, 3.0}) {
    std::vector<double> errors;
    for (int percent = 100; percent >= 20; percent -= 2) {
      const float limit = largest * static_cast<float>(percent) / 100;
      errors.push_back(measured(uniform<>::symmetric({-limit, limit}, 3), values, power));
    }
    const auto best = fit_least_error(values, power, [](range r) { return uniform<>::symmetric(r, 3); });
    const auto least = std::ranges::min_element(errors);
    EXPECT_NE(least, errors.begin());
    const float limit = largest * static_cast<float>(100 - 2 * (least - errors.begin())) / 100;
    EXPECT_EQ(best.scale(), uniform<>::symmetric({-limit, limit}, 3).scale());
  }
}

TEST(fit_least_error, keeps_the_whole_range_where_clipping_gains_nothing) {
  const auto fit = [](range r) { return uniform<4>::symmetric(r); };
  EXPECT_EQ(fit_least_error(std::vector{0.0f, 0.0f}, 2, fit).scale(), 1);
  EXPECT_EQ(fit_least_error(std::vector{-7.0f}, 2, fit).scale(), 1);
  EXPECT_EQ(fit_least_error(std::vector{7.0f, 1.0f, -3.0f}, 2, fit).scale(), 1);
}

TEST(fit_least_error, refuses_what_it_cannot_use_by_name) {
  const auto fit = [](range r) { return uniform<4>::symmetric(r); };
  EXPECT_EQ(refusal([&] { fit_least_error(std::vector{1.0f}, 0, fit); }),
            "fit_least_error: power is 0, expected [1, 16]");
  EXPECT_THROW(fit_least_error(std::vector<float>{}, 2, fit), invalid_argument);
  EXPECT_THROW(fit_least_error(std::vector{1.0f, nan_value}, 2, fit), invalid_argument);
}

}  // namespace
}  // namespace bitwright
