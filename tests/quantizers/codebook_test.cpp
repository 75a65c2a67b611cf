// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/codebook.hpp>
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
using floats = std::vector<float>;
using codes = std::vector<std::uint8_t>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

codes quantized(const quantizer auto& q, const floats& values) {
  codes result(values.size());
  q.quantize(values, result);
  return result;
}

floats restored(const quantizer auto& q, const floats& values) {
  floats result(values.size());
  q.dequantize(quantized(q, values), result);
  return result;
}

TEST(codebook, numbers_its_levels_in_order) {
  const codebook<> q(floats{-3, -0.5f, 0.5f, 10});
  EXPECT_EQ(q.bits(), 2);
  const floats values{-100, -1.75f, -1.76f, 0, 5.25f, 5.26f, 4, nan_value, infinity};
  EXPECT_EQ(quantized(q, values), (codes{0, 1, 0, 2, 2, 3, 2, 2, 3}));  // Ties go to the smaller magnitude; 0 goes up.
  EXPECT_EQ(restored(q, values), (floats{-3, -0.5f, -3, 0.5f, 0.5f, 10, 0.5f, 0.5f, 10}));
}

TEST(codebook, restores_its_levels_whole) {
  floats levels;
  for (int i = 0; i < 200; ++i) levels.push_back(static_cast<float>(i * i));
  const codebook<256> q(levels);
  EXPECT_EQ(q.bits(), 8);
  EXPECT_EQ(restored(q, levels), levels);
  const floats values{24.9f, 0.4f, 39601, 1e9f};
  EXPECT_EQ(restored(q, values), (floats{25, 0, 39601, 39601}));
}

TEST(codebook, of_one_level_or_no_values_is_defined) {
  const codebook<> one(floats{2});
  EXPECT_EQ(one.bits(), 1);
  EXPECT_EQ(restored(one, {-1, nan_value, 5}), (floats{2, 2, 2}));
  EXPECT_EQ(restored(one, {}), floats{});
}

TEST(codebook, of_a_group_has_the_groups_own_levels) {
  const floats values{1, 2, 100, 200};
  const auto q = fit_slices(tensor_view<const float>(values, {4}), per_group{2},
                            [](std::span<const float> group) { return codebook<>(group); });
  EXPECT_EQ(restored(q, values), values);
}

TEST(codebook, refuses_levels_that_are_none) {
  EXPECT_EQ(refusal([] { codebook<>{floats{}}; }), "level_table: levels.size() is 0, expected 1 to 16");
  EXPECT_EQ(refusal([] {
              codebook<>{floats{1, 1}};
            }),
            "level_table: levels is [1, 1], expected finite numbers, strictly increasing");
  codes three(3);
  floats two(2);
  EXPECT_EQ(refusal([&] { codebook<>(floats{1}).quantize(two, three); }),
            "codebook::quantize: codes.size() is 3, expected that of the values, 2");
  EXPECT_EQ(refusal([&] { codebook<>(floats{1}).dequantize(three, two); }),
            "codebook::dequantize: values.size() is 2, expected that of the codes, 3");
}

/// The share of normally distributed values below x.
double normal(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

TEST(normal_float4, levels_are_quantiles_of_the_normal_distribution) {
  // The outermost level is the quantile of 0.9677083, the mean of 1 - 1/30 and 1 - 1/32, scaled to 1.
  const double outermost = 0.9677083;
  double low = 0, high = 4;
  for (int i = 0; i < 60; ++i) (normal((low + high) / 2) < outermost ? low : high) = (low + high) / 2;
  for (std::size_t i = 0; i < 16; ++i) {
    const double steps = static_cast<double>(i) - 7;  // Seven levels below 0, eight above.
    const double share = 0.5 + (outermost - 0.5) * steps / (steps < 0 ? 7 : 8);
    EXPECT_NEAR(normal(normal_float4_levels[i] * low), share, 1e-7) << i;  // As exact as 0.9677083 is given.
  }
}

TEST(normal_float4, reaches_its_limit_and_keeps_zero) {
  const codebook<16> q = normal_float4(0.5f);
  EXPECT_EQ(q.bits(), 4);
  EXPECT_EQ(restored(q, {0.5f, -0.5f, 0, 0.001f, -3}), (floats{0.5f, -0.5f, 0, 0, -0.5f}));
  EXPECT_EQ(restored(normal_float4(0), {0, 0}), (floats{0, 0}));
  EXPECT_EQ(refusal([] { normal_float4(-1); }), "normal_float4: limit is -1, expected [0, 2^125]");
  EXPECT_EQ(refusal([] { normal_float4(nan_value); }), "normal_float4: limit is nan, expected [0, 2^125]");
}

template <std::size_t Capacity>
void expect_equal_paths(std::size_t count) {
  floats levels(count);
  for (std::size_t i = 0; i < count; ++i) levels[i] = 0.25f * (static_cast<float>(i) - static_cast<float>(count) / 2);
  reference::expect_every_path_equals_scalar(codebook<Capacity>(levels));
  reference::expect_every_path_restores_every_code(codebook<Capacity>(levels));
}

TEST(codebook, gives_the_same_bits_on_every_path) {
  for (const std::size_t count : {1u, 2u, 3u, 8u, 15u, 16u}) expect_equal_paths<16>(count);
  for (const std::size_t count : {5u, 256u}) expect_equal_paths<256>(count);
  expect_equal_paths<2>(2);
  expect_equal_paths<4>(4);
  expect_equal_paths<8>(7);
  expect_equal_paths<32>(32);
  expect_equal_paths<64>(50);
  expect_equal_paths<128>(128);
}

}  // namespace
}  // namespace bitwright
