// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers/additive_power_of_two.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

template <int Bits>
std::vector<int> numerators() {
  const auto all = additive_power_of_two_numerators<Bits>();
  return {all.begin(), all.end()};
}

TEST(additive_power_of_two, has_the_published_levels) {
  EXPECT_EQ(numerators<2>(), (std::vector<int>{0, 1, 2, 4}));                                              // Quarters
  EXPECT_EQ(numerators<3>(), (std::vector<int>{0, 1, 2, 3, 4, 6, 8, 10}));                                 // Tenths
  EXPECT_EQ(numerators<4>(), (std::vector<int>{0, 1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32, 33, 36, 48}));  // 48ths
}

template <int Bits>
void expect_distinct_sums(const std::vector<std::vector<int>>& exponents) {
  std::set<double> levels{0};
  for (const std::vector<int>& term : exponents) {
    std::set<double> sums;
    for (const double sum : levels) {
      sums.insert(sum);
      for (const int exponent : term) sums.insert(sum + std::ldexp(1.0, exponent));
    }
    levels = sums;
  }
  const std::vector<int> whole = numerators<Bits>();
  ASSERT_EQ(whole.size(), std::size_t{1} << Bits);
  ASSERT_EQ(levels.size(), whole.size());
  auto level = levels.begin();
  for (const int numerator : whole) {
    EXPECT_EQ(numerator * *levels.rbegin(), *level++ * whole.back());
    EXPECT_LE(std::popcount(static_cast<unsigned>(numerator)), 3);
  }
}

TEST(additive_power_of_two, levels_are_all_sums_of_the_published_sets) {
  expect_distinct_sums<2>({{-1, -2, -3}});
  expect_distinct_sums<3>({{-1, -2, -4}, {-3}});
  expect_distinct_sums<4>({{-1, -3, -5}, {-2, -4, -6}});
  expect_distinct_sums<5>({{-1, -3, -6}, {-2, -4, -7}, {-5}});
  expect_distinct_sums<6>({{-1, -4, -7}, {-2, -5, -8}, {-3, -6, -9}});
}

TEST(additive_power_of_two, takes_the_nearest_level) {
  const additive_power_of_two<4> q(10);  // Levels 0, 1, 2, 3, 4, 6, 8, 10.
  EXPECT_EQ(q.unit(), 1);
  const auto restored = [&q](float value) { return q.dequantize(q.quantize(value)); };
  EXPECT_EQ(restored(5.1f), 6);
  EXPECT_EQ(restored(5), 4);  // A tie, to the smaller.
  EXPECT_EQ(restored(-5), -4);
  EXPECT_EQ(restored(-6.9f), -6);
  EXPECT_EQ(restored(100), 10);
  EXPECT_EQ(restored(-0.4f), 0);
  EXPECT_EQ(q.quantize(-8), -6);
  EXPECT_EQ(q.numerator(-6), -8);
  EXPECT_EQ(q.bits(), 4);
  const additive_power_of_two<3, std::uint8_t> u(10);
  EXPECT_EQ(u.quantize(8), 6);
  EXPECT_EQ(u.quantize(-8), 0);
  EXPECT_EQ(u.bits(), 3);
}

template <int Bits>
void expect_restores_its_codes() {
  const additive_power_of_two<Bits> q(0.37f);
  const int most = (1 << (Bits - 1)) - 1;
  for (int code = -most; code <= most; ++code) {
    const auto narrow = static_cast<std::int8_t>(code);
    EXPECT_EQ(q.quantize(q.dequantize(narrow)), code);
    EXPECT_EQ(q.dequantize(narrow), q.unit() * static_cast<float>(q.numerator(narrow)));
  }
  EXPECT_FLOAT_EQ(q.dequantize(static_cast<std::int8_t>(most)), 0.37f);
}

TEST(additive_power_of_two, restores_its_codes) {
  expect_restores_its_codes<3>();
  expect_restores_its_codes<4>();
  expect_restores_its_codes<5>();
  expect_restores_its_codes<6>();
  expect_restores_its_codes<7>();
}

TEST(additive_power_of_two, of_degenerate_values_is_defined) {
  EXPECT_EQ(additive_power_of_two<4>::symmetric({0, 0}).unit(), 0.1f);
  EXPECT_EQ(additive_power_of_two<7>::symmetric({-1e-40f, 0}).unit(), 0x1p-117f / 448);
  const additive_power_of_two<4> q(1);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::infinity()), 7);
  EXPECT_EQ(q.quantize(-std::numeric_limits<float>::infinity()), -7);
}

TEST(additive_power_of_two, is_fitted_to_each_channel) {
  const std::vector<float> values{10, 6, 100, 60};
  const auto q = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{}, [](std::span<const float> slice) {
    return additive_power_of_two<4>::symmetric(range_of(slice));
  });
  std::vector<std::int8_t> codes(4);
  q.quantize(values, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{7, 5, 7, 5}));
}

TEST(additive_power_of_two, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(additive_power_of_two<3>(10));
  reference::expect_every_path_equals_scalar(additive_power_of_two<4>(10));
  reference::expect_every_path_equals_scalar(additive_power_of_two<5>(6));
  reference::expect_every_path_equals_scalar(additive_power_of_two<7>(0.3f));
  reference::expect_every_path_equals_scalar(additive_power_of_two<6>(8));
  reference::expect_every_path_equals_scalar(additive_power_of_two<4, std::uint8_t>(6));
  reference::expect_every_path_equals_scalar(additive_power_of_two<6, std::uint8_t>(9));
}

TEST(additive_power_of_two, refuses_what_has_no_levels) {
  const std::string expected = ", expected finite, at least 2^-117";
  EXPECT_EQ(refusal([] { additive_power_of_two<4>(0); }), "additive_power_of_two: alpha is 0" + expected);
  EXPECT_EQ(refusal([] { additive_power_of_two<4>(-1); }), "additive_power_of_two: alpha is -1" + expected);
  EXPECT_EQ(refusal([] {
              additive_power_of_two<4, std::uint8_t>::symmetric({-1, 1});
            }),
            "additive_power_of_two: values.min is -1, expected at least 0 for unsigned codes");
  EXPECT_EQ(refusal([] {
              additive_power_of_two<4>::symmetric({1, -1});
            }),
            "additive_power_of_two: values is [1, -1], expected a range with -2^125 <= min <= max <= 2^125");
}

}  // namespace
}  // namespace bitwright
