// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "quantiles.hpp"
#include "refusal.hpp"
#include <bitwright/core/distortion.hpp>
#include <bitwright/quantizers/binary.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float least_normal = std::numeric_limits<float>::min();

std::vector<float> restored(const binary& q, const std::vector<float>& values) {
  std::vector<std::int8_t> codes(values.size());
  std::vector<float> result(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, result);
  return result;
}

TEST(binary, keeps_the_sign_and_the_mean_magnitude) {
  const std::vector<float> values{1, -2, 0, -0.0f, 5};
  const binary q = binary::fit(values);
  EXPECT_EQ(q.scale(), 1.6f);  // 8 / 5
  EXPECT_EQ(q.bits(), 1);
  EXPECT_EQ(restored(q, values), (std::vector<float>{1.6f, -1.6f, 1.6f, 1.6f, 1.6f}));
}

TEST(binary, scale_has_the_least_squared_error) {
  const std::vector<float> values{0.3f, -1.5f, 0.01f, 2, -0.7f, -0.2f};
  const float scale = binary::fit(values).scale();
  const double least = measure_distortion(values, restored(binary(scale), values)).squared_error;
  for (const float factor : {0.9f, 0.999f, 1.001f, 1.1f})
    EXPECT_GT(measure_distortion(values, restored(binary(scale * factor), values)).squared_error, least) << factor;
}

TEST(binary, of_a_gaussian_loses_one_minus_two_over_pi) {
  const std::vector<float> values = reference::gaussian_quantiles(1 << 14);
  const binary q = binary::fit(values);
  // The variation of |x| up to the last quantile, 4.01, is 2 * 4.01; that of (|x| - 0.8)^2 is 2 * (0.64 + 3.21^2): over
  // 2 * 2^14. Beyond the last quantile lies less than one part in 2^14 of the square, 16.
  EXPECT_NEAR(q.scale(), std::sqrt(2 / std::numbers::pi), 1e-3);
  EXPECT_NEAR(measure_distortion(values, restored(q, values)).mse, 1 - 2 / std::numbers::pi, 2e-3);
}

TEST(binary, of_degenerate_values_is_defined) {
  EXPECT_EQ(binary::fit(std::vector<float>{0, 0, 0}).scale(), least_normal);
  EXPECT_EQ(binary::fit(std::vector<float>{1e-40f, -1e-40f}).scale(), least_normal);
  EXPECT_EQ(restored(binary::fit(std::vector<float>{-3}), {-3}), std::vector<float>{-3});
  EXPECT_EQ(binary::fit(std::vector<float>(4, std::numeric_limits<float>::max())).scale(),
            std::numeric_limits<float>::max());
  EXPECT_EQ(binary(1).quantize(std::numeric_limits<float>::quiet_NaN()), 1);
  EXPECT_EQ(binary(1).quantize(-std::numeric_limits<float>::infinity()), -1);
  EXPECT_TRUE(restored(binary(1), {}).empty());
}

TEST(binary, has_a_scale_for_each_channel) {
  const std::vector<float> values{1, -3, 10, 30};
  const auto q = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{}, binary::fit);
  EXPECT_EQ(q.quantizers()[0].scale(), 2);
  EXPECT_EQ(q.quantizers()[1].scale(), 20);
}

TEST(binary, gives_the_same_bits_on_every_path) { reference::expect_every_path_equals_scalar(binary(0.3f)); }

TEST(binary, refuses_what_has_no_mean) {
  EXPECT_EQ(refusal([] { binary::fit({}); }), "range_of: values.size() is 0, expected at least one value");
  EXPECT_EQ(refusal([] {
              binary::fit(std::vector<float>{1, std::numeric_limits<float>::infinity()});
            }),
            "range_of: values[1] is inf, expected a finite number");
  EXPECT_EQ(refusal([] { binary(0); }), "binary: map.scale is 0, expected a positive, finite, normal number");
}

}  // namespace
}  // namespace bitwright
