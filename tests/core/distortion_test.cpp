// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/distortion.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

distortion between(const std::vector<float>& reference, const std::vector<float>& approximation) {
  return measure_distortion(reference, approximation);
}

TEST(distortion, has_four_readings) {
  const distortion result = between({3, 4, 0, 5}, {3, 3.5f, 0.25f, 5});
  EXPECT_EQ(result.squared_error, 0.3125);  // 1/4 + 1/16
  EXPECT_EQ(result.mse, 0.078125);
  EXPECT_EQ(result.maximum_error, 0.5);
  // One logarithm, product and quotient: a few units in the last place of 22.04.
  EXPECT_NEAR(result.sqnr, 10 * std::log10(160), 1e-13);            // 50 / 0.3125 = 160
  EXPECT_NEAR(result.cosine, 48 / std::sqrt(50 * 46.3125), 1e-15);  // (9 + 14 + 25) / (|r| |a|)
}

TEST(distortion, of_an_exact_copy_is_none) {
  const distortion result = between({3, -4}, {3, -4});
  EXPECT_EQ(result.squared_error, 0);
  EXPECT_EQ(result.maximum_error, 0);
  EXPECT_EQ(result.sqnr, infinity);
  EXPECT_EQ(result.cosine, 1);
}

TEST(distortion, of_nothing_is_none) {
  const distortion result = between({}, {});
  EXPECT_EQ(result.mse, 0);
  EXPECT_EQ(result.sqnr, infinity);
  EXPECT_EQ(result.cosine, 1);
}

TEST(distortion, of_zero_vectors_is_defined) {
  EXPECT_EQ(between({0, 0}, {0, 0}).cosine, 1);
  EXPECT_EQ(between({0, 0}, {0, 1}).cosine, 0);
  EXPECT_EQ(between({0, 0}, {0, 1}).sqnr, -infinity);
  EXPECT_EQ(between({0, 2}, {0, 0}).cosine, 0);
  EXPECT_EQ(between({0, 2}, {0, 0}).sqnr, 0);  // All is lost: the noise is the signal.
}

TEST(distortion, cosine_is_never_more_than_one) {
  // Rounded square roots alone give 1.0000000000000002 for many of these.
  for (int n = 1; n < 200; ++n) {
    const std::vector<float> values(static_cast<std::size_t>(n), 0.1f);
    std::vector<float> opposite(values);
    for (float& value : opposite) value = -value;
    EXPECT_LE(between(values, values).cosine, 1);
    EXPECT_GE(between(values, opposite).cosine, -1);
    EXPECT_NEAR(between(values, opposite).cosine, -1, 1e-15);
  }
}

TEST(distortion, keeps_its_head_at_both_ends_of_float) {
  constexpr float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(between({most}, {-most}).maximum_error, 2 * static_cast<double>(most));
  EXPECT_EQ(between({most}, {-most}).cosine, -1);
  EXPECT_EQ(between({least}, {0}).maximum_error, static_cast<double>(least));
  EXPECT_EQ(between({least}, {2 * least}).cosine, 1);
  // A small error beside large ones is not lost: 2^-24 is 1/16 of the last place of a float near 2^3.
  EXPECT_EQ(between({8, 0x1p-24f}, {8, 0}).squared_error, 0x1p-48);
}

TEST(distortion, shows_nan_in_every_reading) {
  for (const std::vector<float>& spoilt : {std::vector{nan_value, 1.0f}, std::vector{1.0f, nan_value}}) {
    const distortion result = between({1, 1}, spoilt);
    for (const double reading : {result.squared_error, result.mse, result.sqnr, result.maximum_error, result.cosine})
      EXPECT_TRUE(std::isnan(reading));
  }
}

TEST(distortion, refuses_spans_of_different_sizes) {
  EXPECT_EQ(refusal([] {
              between({1, 2}, {1});
            }),
            "measure_distortion: approximation.size() is 1, expected that of the reference, 2");
}

}  // namespace
}  // namespace bitwright
