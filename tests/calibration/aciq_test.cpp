// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/aciq.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using std::numbers::sqrt2;

constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

struct optimum {
  double clip;  ///< In units of sigma for Gaussian values, of the mean magnitude for Laplacian ones.
  double mse;
};

// For 2 to 8 bits.
constexpr std::array<optimum, 7> gaussian_optima = {{{1.710635, 8.714848e-2},
                                                     {2.151593, 3.142944e-2},
                                                     {2.559136, 1.049325e-2},
                                                     {2.936201, 3.322594e-3},
                                                     {3.286914, 1.012917e-3},
                                                     {3.615114, 3.002152e-4},
                                                     {3.924035, 8.707790e-5}}};
constexpr std::array<optimum, 7> laplacian_optima = {{{2.830683, .2848778},
                                                      {3.897229, .1197024},
                                                      {5.028640, 4.602149e-2},
                                                      {6.204766, 1.657183e-2},
                                                      {7.413126, 5.678767e-3},
                                                      {8.645620, 1.872518e-3},
                                                      {9.896760, 5.988534e-4}}};

template <class Observer>
range watched(Observer watching, const std::vector<float>& samples) {
  watching.observe(samples);
  return watching.values();
}

/// Quantiles of the normal distribution with a mean and a sigma: the i-th of `count` at the share (i + 1/2) / count.
std::vector<float> normal_quantiles(std::size_t count, double mean, double sigma) {
  std::vector<float> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    double low = -10, high = 10;
    for (int step = 0; step < 60; ++step) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / sqrt2) * static_cast<double>(count) < static_cast<double>(i) + 0.5 ? low : high) =
          middle;
    }
    samples[i] = static_cast<float>(mean + sigma * low);
  }
  return samples;
}

TEST(best_clip, of_gaussian_values_is_the_known_one) {
  for (int bits = 2; bits <= 8; ++bits) {
    const optimum known = gaussian_optima.at(static_cast<std::size_t>(bits - 2));
    const double clip = best_clip(gaussian{1}, bits);
    EXPECT_NEAR(clip, known.clip, 0.5e-6) << bits;  // All digits given.
    EXPECT_NEAR(clipped_mse(gaussian{1}, clip, bits), known.mse, 0.5e-6 * known.mse) << bits;
    EXPECT_DOUBLE_EQ(best_clip(gaussian{4}, bits), 4 * clip);
  }
}

TEST(best_clip, of_laplacian_values_is_the_known_one) {
  for (int bits = 2; bits <= 8; ++bits) {
    const optimum known = laplacian_optima.at(static_cast<std::size_t>(bits - 2));
    const laplacian unit{sqrt2};  // Mean magnitude 1.
    const double clip = best_clip(unit, bits);
    EXPECT_NEAR(clip, known.clip, 0.5e-6) << bits;
    EXPECT_NEAR(clipped_mse(unit, clip, bits), known.mse, 0.5e-6 * known.mse) << bits;
  }
}

TEST(clipped_mse, is_least_at_the_best_clip_and_the_variance_where_all_is_clipped) {
  for (int bits = 1; bits <= 16; ++bits) {
    const double gauss = best_clip(gaussian{2}, bits), laplace = best_clip(laplacian{2}, bits);
    for (const double factor : {0.9, 1.1}) {
      EXPECT_LT(clipped_mse(gaussian{2}, gauss, bits), clipped_mse(gaussian{2}, factor * gauss, bits));
      EXPECT_LT(clipped_mse(laplacian{2}, laplace, bits), clipped_mse(laplacian{2}, factor * laplace, bits));
    }
  }
  EXPECT_DOUBLE_EQ(clipped_mse(gaussian{2}, 0, 4), 4);
  EXPECT_DOUBLE_EQ(clipped_mse(laplacian{2}, 0, 4), 4);
}

TEST(mean_excess, is_its_integral) {
  const auto expect = [](auto values, double clip) {
    double excess = 0, squared = 0;
    constexpr double step = 1e-3;
    for (double x = clip + step / 2; x < clip + 60; x += step) {
      excess += (x - clip) * values.density(x) * step;
      squared += (x - clip) * (x - clip) * values.density(x) * step;
    }
    EXPECT_NEAR(mean_excess(values, clip), excess,
                1e-6);  // The midpoint rule errs by step^2 / 24 times slopes below 2.
    EXPECT_NEAR(mean_squared_excess(values, clip), squared, 1e-6);
  };
  for (const double clip : {0.0, 0.5, 2.0, 4.0}) {
    expect(gaussian{1.5}, clip);
    expect(laplacian{1.5}, clip);
  }
}

TEST(aciq, clips_at_so_many_spreads_around_the_mean) {
  const std::vector<float> samples = normal_quantiles(4001, 0.5, 2);
  double variance = 0, deviation = 0;
  for (const float sample : samples) {
    variance += (sample - 0.5) * (sample - 0.5) / 4001;
    deviation += std::abs(sample - 0.5) / 4001;
  }
  // Moments over bins err by at most a bin, 16 / 4096; the clips are at most 3 and 4 spreads.
  const range gauss = watched(aciq<gaussian>(4), samples);
  EXPECT_NEAR(gauss.max, 0.5 + 2.559136 * std::sqrt(variance), 4 * 16.0 / 4096);
  EXPECT_NEAR(gauss.min, 0.5 - 2.559136 * std::sqrt(variance), 4 * 16.0 / 4096);
  const range laplace = watched(aciq<laplacian>(3), samples);
  EXPECT_NEAR(laplace.max, 0.5 + 3.897229 * deviation, 5 * 16.0 / 4096);
  EXPECT_NEAR(laplace.min, 0.5 - 3.897229 * deviation, 5 * 16.0 / 4096);
}

TEST(aciq, takes_samples_of_one_sign_for_half_a_distribution_with_one_bit_more) {
  std::vector<float> samples = normal_quantiles(4001, 0, 2);
  for (float& sample : samples) sample = std::max(sample, 0.0f);  // A ReLU.
  const range found = watched(aciq<gaussian>(3), samples);
  EXPECT_EQ(found.min, 0);
  EXPECT_NEAR(found.max, 2.559136 * 2, 0.02);  // 4001 samples end at 3.7 sigma: 0.3 % of the variance is lost.
  for (float& sample : samples) sample = -sample;
  EXPECT_EQ(watched(aciq<gaussian>(3), samples), (range{-found.max, 0}));
}

TEST(aciq, is_never_wider_than_the_samples) {
  const std::vector<float> samples = normal_quantiles(9, 1, 1);
  EXPECT_EQ(watched(aciq<gaussian>(8), samples), range_of(samples));
  EXPECT_EQ(watched(aciq<laplacian>(8), samples), range_of(samples));
}

TEST(aciq, of_equal_samples_keeps_them) {
  for (const float value : {0.0f, 5.0f, -3.7f, denormal, -huge})
    for (const std::size_t count : {1u, 1000u}) {
      EXPECT_EQ(watched(aciq<gaussian>(4), std::vector<float>(count, value)), (range{value, value}));
      EXPECT_EQ(watched(aciq<laplacian>(4), std::vector<float>(count, value)), (range{value, value}));
    }
}

TEST(aciq, of_parts_merged_equals_that_of_one_pass) {
  const std::vector<float> samples = normal_quantiles(400, 0.3, 1);
  for (const std::size_t cut : {0u, 1u, 200u, 400u}) {
    aciq<laplacian> first(2), second(2);
    first.observe(std::span(samples).first(cut));
    second.observe(std::span(samples).subspan(cut));
    second.merge(first);
    EXPECT_EQ(second.values(), watched(aciq<laplacian>(2), samples)) << cut;
  }
}

TEST(aciq, refuses_what_it_cannot_use_by_name) {
  EXPECT_EQ(refusal([] { aciq<gaussian>(0); }), "aciq: bits is 0, expected [1, 15]");
  EXPECT_EQ(refusal([] { best_clip(gaussian{1}, 17); }), "best_clip: bits is 17, expected [1, 16]");
  EXPECT_EQ(refusal([] { aciq<gaussian>(8).merge(aciq<gaussian>(7)); }),
            "aciq::merge: other.bits() is 7, expected this one's, 8");
  aciq<gaussian> watching(4);
  EXPECT_THROW(watching.values(), invalid_argument);
  EXPECT_THROW(watching.observe(std::vector{nan_value}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
