// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "quantiles.hpp"
#include "refusal.hpp"
#include <bitwright/core/distortion.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/ternary.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

double squared_error(const ternary& q, const std::vector<float>& values) {
  std::vector<std::int8_t> codes(values.size());
  std::vector<float> restored(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, restored);
  return measure_distortion(values, restored).squared_error;
}

TEST(ternary, zeroes_what_is_at_most_seven_tenths_of_the_mean) {
  const std::vector<float> values{1, -2, 0.5f, -0.5f, 6};  // Mean magnitude 2, threshold 1.4.
  const ternary q = ternary::rule_of_thumb(values);
  EXPECT_EQ(q.threshold(), 1.4f);
  EXPECT_EQ(q.scale(), 4);  // (2 + 6) / 2
  EXPECT_EQ(q.bits(), 2);
  std::vector<std::int8_t> codes(5);
  q.quantize(values, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{0, -1, 0, 0, 1}));
  EXPECT_EQ(q.quantize(1.4f), 0);
}

/// The least squared error over every choice of what is not zero: sum v^2 - (sum_S |v|)^2 / |S|.
double least_error_by_enumeration(const std::vector<float>& values) {
  double energy = 0, best = 0;
  for (const float value : values) energy += double{value} * value;
  for (unsigned set = 1; set < 1u << values.size(); ++set) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if ((set >> i & 1) != 0) sum += std::abs(double{values[i]}), ++count;
    best = std::max(best, sum * sum / count);
  }
  return energy - best;
}

TEST(ternary, optimum_is_that_of_all_choices) {
  std::mt19937 generator(2);
  std::uniform_int_distribution<int> tenths(-30, 30);
  for (int repetition = 0; repetition < 200; ++repetition) {
    std::vector<float> values(1 + static_cast<std::size_t>(repetition) % 10);
    for (float& value : values) value = static_cast<float>(tenths(generator)) / 10;  // Equal magnitudes among them.
    // The scale is rounded to 24 bits, which costs |S| (2^-24 scale)^2; sums in double cost less than 1e-13.
    EXPECT_NEAR(squared_error(ternary::optimal(values), values), least_error_by_enumeration(values), 1e-10);
  }
}

/// The variation of (|x| - scale)^2 and of x^2 up to the last quantile, 4.6, is below 2 * (1.3^2 + 3.4^2) = 27, over
/// 2 * 2^17; what lies beyond it is less than 2^-17 * 25.
constexpr double koksma = 27.0 / (1 << 18) + 25.0 / (1 << 17);

TEST(ternary, of_a_gaussian_has_the_published_threshold_scale_and_error) {
  const std::vector<float> values = reference::gaussian_quantiles(1 << 17);
  const auto count = static_cast<double>(values.size());
  const ternary best = ternary::optimal(values), thumb = ternary::rule_of_thumb(values);
  // The optimal threshold is half the mean beyond it, and that mean is off by no more than koksma / P(|x| > 0.6) each.
  EXPECT_NEAR(best.threshold(), 0.61200, 2 * koksma);
  EXPECT_NEAR(best.scale(), 1.22401, 4 * koksma);
  EXPECT_NEAR(squared_error(best, values) / count, 0.190174, koksma);
  EXPECT_NEAR(squared_error(thumb, values) / count, 0.191625, koksma);
  EXPECT_NEAR(best.threshold() / mean_magnitude(values), 0.76703, 4 * koksma);
}

TEST(ternary, of_a_uniform_distribution_cuts_at_a_third) {
  const std::vector<float> values = reference::uniform_quantiles(3 << 12);
  // The mean beyond a cut at quantile i is linear in i, so that the best cut lies beside 1/3: a step of 2 / count either
  // way. At the optimum the mean beyond the cut is twice the cut.
  EXPECT_NEAR(ternary::optimal(values).threshold(), 1.0 / 3, 2.0 / (3 << 12));
  EXPECT_NEAR(ternary::optimal(values).scale(), 2.0 / 3, 1.0 / (3 << 12));
}

TEST(ternary, of_degenerate_values_is_defined) {
  const std::vector<float> zeros(3), one{-2}, constant(4, 0.7f), denormals{1e-40f, -1e-40f};
  for (const auto fit : {ternary::optimal, ternary::rule_of_thumb}) {
    EXPECT_EQ(squared_error(fit(zeros), zeros), 0);
    EXPECT_EQ(squared_error(fit(one), one), 0);
    EXPECT_EQ(squared_error(fit(constant), constant), 0);
    EXPECT_EQ(fit(denormals).scale(), std::numeric_limits<float>::min());
  }
  const ternary q(1, 2);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::infinity()), 1);
  EXPECT_EQ(q.quantize(-std::numeric_limits<float>::infinity()), -1);
}

TEST(ternary, is_fitted_to_each_group) {
  const std::vector<float> values{1, 1, 0, 0, 8, 8, 0, 0};
  const auto q = fit_slices(tensor_view<const float>(values, {1, 8}), per_group{4}, ternary::optimal);
  EXPECT_EQ(q.quantizers()[0].scale(), 1);
  EXPECT_EQ(q.quantizers()[1].scale(), 8);
}

TEST(ternary, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(ternary(0.75f, 1.3f));
  reference::expect_every_path_equals_scalar(ternary(0, 1.3f));
}

TEST(ternary, refuses_what_has_no_threshold) {
  EXPECT_EQ(refusal([] { ternary::optimal({}); }), "range_of: values.size() is 0, expected at least one value");
  EXPECT_EQ(refusal([] { ternary(-1, 1); }), "ternary: threshold is -1, expected a finite number, at least 0");
  EXPECT_EQ(refusal([] { ternary(1, 0); }), "ternary: map.scale is 0, expected a positive, finite, normal number");
}

}  // namespace
}  // namespace bitwright
