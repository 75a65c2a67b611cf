// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/expected_error.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

double error_of(const std::vector<histogram_piece>& samples, uniform_levels levels, double power = 2) {
  return expected_error(samples, levels, power);
}

TEST(expected_error, of_points_is_their_distance_to_the_nearest_level) {
  const uniform_levels levels{1, 2, 3};  // -2, -1, 0, 1, 2, 3
  EXPECT_EQ(error_of({{0, 0, 5}, {2, 2, 1}, {-1, -1, 1}}, levels), 0);
  EXPECT_EQ(error_of({{1.25, 1.25, 1}}, levels), 0.0625);
  EXPECT_EQ(error_of({{1.5, 1.5, 3}}, levels), 0.25);
  EXPECT_EQ(error_of({{5, 5, 1}}, levels), 4);    // Two beyond the last level above,
  EXPECT_EQ(error_of({{-5, -5, 1}}, levels), 9);  // three beyond the last below.
  EXPECT_EQ(error_of({{5, 5, 1}, {0, 0, 3}}, levels), 1);
  EXPECT_EQ(error_of({{-5, -5, 1}}, levels, 3), 27);
  EXPECT_EQ(error_of({{-5, -5, 1}}, levels, 1), 3);
}

TEST(expected_error, of_an_even_density_is_its_integral) {
  const uniform_levels levels{2, 5, 5};
  EXPECT_DOUBLE_EQ(error_of({{0, 10, 7}}, levels), 4.0 / 12);  // Whole steps: scale^2 / 12,
  EXPECT_DOUBLE_EQ(error_of({{-10, 0, 7}}, levels), 4.0 / 12);
  EXPECT_DOUBLE_EQ(error_of({{3, 5, 1}}, levels), 4.0 / 12);  // from middle to middle as well.
  EXPECT_DOUBLE_EQ(error_of({{0, 0.5, 1}}, levels), 0.25 / 3);
  EXPECT_DOUBLE_EQ(error_of({{1, 2, 1}}, levels), 1.0 / 3);
  EXPECT_DOUBLE_EQ(error_of({{10, 13, 1}}, levels), 3);              // Clipped: the mean of x^2 over [0, 3].
  EXPECT_DOUBLE_EQ(error_of({{9, 11, 1}}, levels), 1.0 / 3);         // Half inside, half clipped.
  EXPECT_DOUBLE_EQ(error_of({{0, 10, 1}}, levels, 3), 1.0 / 4);      // (scale / 2)^3 / 4
  EXPECT_DOUBLE_EQ(error_of({{0, 10, 1}}, levels, 2.5), 1.0 / 3.5);  // (scale / 2)^2.5 / 3.5
}

TEST(expected_error, of_no_samples_is_zero) { EXPECT_EQ(error_of({}, {1, 1, 1}), 0); }

TEST(expected_error, is_that_of_the_uniform_quantizer_on_samples_one_by_one) {
  const std::vector<float> samples = {-7.9f, -3.1f, -0.2f, 0.4f, 1.7f, 6.3f, 11.9f};
  for (const float sample : samples)
    for (const int bits : {2, 3, 8}) {
      const range covered{-4, 8};
      const auto symmetric = uniform<>::symmetric(covered, bits), affine = uniform<>::affine(covered, bits);
      const auto squared = [sample](const uniform<>& q) {
        return std::pow(static_cast<double>(q.dequantize(q.quantize(sample))) - sample, 2);
      };
      const std::vector<histogram_piece> point = {{sample, sample, 1}};
      // The quantizer's scale and its products are floats: each within 2^-24 of 12, and the error is at most 8.
      EXPECT_NEAR(error_of(point, symmetric_codes::levels(covered, bits)), squared(symmetric), 2 * 8 * 24 * 0x1p-24);
      EXPECT_NEAR(error_of(point, affine_codes::levels(covered, bits)), squared(affine), 2 * 8 * 24 * 0x1p-24);
    }
}

TEST(expected_error, levels_are_laid_as_the_quantizers_lay_them) {
  EXPECT_EQ(symmetric_codes::levels({-3, 7}, 4), (uniform_levels{1, 7, 7}));
  EXPECT_EQ(affine_codes::levels({-5, 10}, 4), (uniform_levels{1, 5, 10}));
  EXPECT_EQ(affine_codes::levels({5, 15}, 4), (uniform_levels{1, 0, 15}));  // Widened to contain 0.
  EXPECT_EQ(affine_codes::levels({-15, -5}, 4), (uniform_levels{1, 15, 0}));
  EXPECT_EQ(affine_codes::levels({0, 1}, 1), (uniform_levels{1, 0, 1}));
}

TEST(expected_error, levels_over_zeros_have_the_scale_one) {
  EXPECT_EQ(symmetric_codes::levels({0, 0}, 4), (uniform_levels{1, 7, 7}));
  EXPECT_EQ(affine_codes::levels({0, 0}, 4), (uniform_levels{1, 0, 15}));
}

TEST(expected_error, levels_refuse_bits_that_number_no_codes) {
  EXPECT_EQ(refusal([] {
              symmetric_codes::levels({0, 1}, 1);
            }),
            "code_range::symmetric_bits: bits is 1, expected [2, 16]");
  EXPECT_THROW(affine_codes::levels({0, 1}, 17), invalid_argument);
}

}  // namespace
}  // namespace bitwright
