// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/quantizers/logarithmic.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();

using classic = logarithmic<base_two, most_significant_bit>;

template <class Q>
float restored(const Q& q, float value) {
  return q.dequantize(q.quantize(value));
}

TEST(logarithmic, keeps_the_most_significant_bit) {
  const classic q(1, 7);
  EXPECT_EQ(restored(q, 21), 16);
  EXPECT_EQ(restored(q, 6), 4);
  EXPECT_EQ(restored(q, 17), 16);
  EXPECT_EQ(restored(q, 11), 8);
  EXPECT_EQ(restored(q, 0.5f), 0);  // Rounds to 0 first, to even,
  EXPECT_EQ(restored(q, 1.5f), 2);  // and this to 2.
  EXPECT_EQ(restored(q, -21), -16);
}

TEST(logarithmic, never_raises_the_uniform_code_and_keeps_more_than_half) {
  const range values{-1, 1};
  const auto u = uniform<8>::symmetric(values);
  const auto q = classic::of_uniform_codes(values, 8);
  EXPECT_EQ(q.unit(), u.scale());
  EXPECT_EQ(q.count(), 7);  // 1, 2, ... 64 of the codes up to 127.
  for (int i = -1000; i <= 1000; ++i) {
    const float value = static_cast<float>(i) / 1000;
    const int code = u.quantize(value), kept = q.quantize(value);
    const int magnitude = kept == 0 ? 0 : 1 << (std::abs(kept) - 1);
    ASSERT_EQ(magnitude, static_cast<int>(std::bit_floor(static_cast<unsigned>(std::abs(code))))) << value;
    ASSERT_TRUE(magnitude <= std::abs(code) && (code == 0 || std::abs(code) < 2 * magnitude));
    ASSERT_GE(kept * code, 0);
  }
}

TEST(logarithmic, product_with_a_code_is_a_shift) {
  const logarithmic<> q(1, 20);
  EXPECT_EQ(5 << (q.quantize(8) - 1), 40);
  for (std::int8_t code = 1; code <= 20; ++code)
    for (const int value : {5, -7, 1000})
      EXPECT_EQ(static_cast<float>(value * (1 << (code - 1))), static_cast<float>(value) * q.dequantize(code));
}

/// The code by definition: levels compared one by one, in double. `beyond(value, lower, upper)` says whether the value
/// belongs to the upper of two levels.
template <class Q, class Beyond>
int code_by_search(const Q& q, double magnitude, Beyond beyond) {
  int code = 0;
  for (int next = 1; next <= q.count(); ++next) {
    const double lower = code == 0 ? 0 : q.dequantize(static_cast<std::int8_t>(code));
    if (!beyond(magnitude, lower, double{q.dequantize(static_cast<std::int8_t>(next))})) break;
    code = next;
  }
  return code;
}

/// Every border, the floats beside it, and what lies between.
template <class Base, class Assignment, class Beyond>
void expect_definition(float unit, Beyond beyond) {
  const logarithmic<Base, Assignment> q(unit, 12);
  std::vector<float> values;
  for (std::int8_t code = 0; code < 12; ++code) {
    const float lower = q.dequantize(code), upper = q.dequantize(static_cast<std::int8_t>(code + 1));
    for (const double border : {(double{lower} + upper) / 2, std::sqrt(double{lower} * upper), double{upper}}) {
      float near = std::nextafter(std::nextafter(static_cast<float>(border), 0.0f), 0.0f);
      for (int i = 0; i < 5; ++i, near = std::nextafter(near, infinity)) values.push_back(near);
    }
    for (int i = 0; i < 50; ++i) values.push_back(lower + (upper - lower) * static_cast<float>(i) / 50);
  }
  for (const float value : values) {
    const int code = code_by_search(q, value, beyond);
    ASSERT_EQ(q.quantize(value), code) << value << " in units of " << unit;
    ASSERT_EQ(q.quantize(-value), -code) << value << " in units of " << unit;
  }
}

TEST(logarithmic, nearest_value_has_the_least_error) {
  // Twice a float, and the sum of two of these levels, are exact in double; a tie goes up.
  const auto beyond = [](double value, double lower, double upper) { return 2 * value >= lower + upper; };
  expect_definition<base_two, nearest_value>(0.25f, beyond);
  expect_definition<base_sqrt_two, nearest_value>(0.25f, beyond);
}

TEST(logarithmic, nearest_exponent_has_the_least_error_of_the_logarithm) {
  // Below the least level the progression goes on, and what is nearer to the next level down is 0. The borders are
  // irrational and further from any float than double rounds the powers.
  const auto beyond = [](double base) {
    return [base](double value, double, double upper) { return value >= upper / std::sqrt(base); };
  };
  expect_definition<base_two, nearest_exponent>(0.25f, beyond(2));
  const logarithmic<base_sqrt_two, nearest_exponent> q(1, 12);
  for (int i = 1; i < 60000; ++i) {
    const float value = static_cast<float>(i) / 1000;
    const double exact = 2 * std::log2(double{value});
    if (std::abs(exact - std::floor(exact) - 0.5) < 1e-6) continue;  // sqrt(2) as a float has an error too.
    const double code = std::min(12.0, std::max(0.0, std::floor(exact + 0.5) + 1));
    ASSERT_EQ(q.quantize(value), static_cast<int>(code)) << value;
  }
  EXPECT_EQ((logarithmic<base_two, nearest_exponent>(1, 7).quantize(6)), 4);  // 8, where nearest_value ties to 8 too,
  EXPECT_EQ((logarithmic<base_two, nearest_exponent>(1, 7).quantize(5.7f)), 4);  // and 8 again,
  EXPECT_EQ((logarithmic<base_two, nearest_value>(1, 7).quantize(5.7f)), 3);     // but 4 is nearer.
}

TEST(logarithmic, of_the_square_root_of_two_keeps_the_level_below) {
  const logarithmic<base_sqrt_two, most_significant_bit> q(1, 14);
  EXPECT_EQ(restored(q, 1), 1);
  EXPECT_EQ(restored(q, 3), 0x1.6a09e6p1f);    // 2.83
  EXPECT_EQ(restored(q, 11), 8);               // Below 11.3.
  EXPECT_EQ(restored(q, 127), 0x1.6a09e6p6f);  // 90.5
}

TEST(logarithmic, restores_its_levels_and_is_odd_and_monotone) {
  const auto check = [](const auto& q) {
    float before = -infinity;
    for (int code = -q.count(); code <= q.count(); ++code) {
      const auto narrow = static_cast<std::int8_t>(code);
      const float level = q.dequantize(narrow);
      EXPECT_GT(level, before);
      EXPECT_EQ(q.dequantize(static_cast<std::int8_t>(-code)), -level);
      before = level;
    }
  };
  check(logarithmic<>(0.37f, 30));
  check(logarithmic<base_sqrt_two>(0.37f, 30));
  const logarithmic<> q(0.37f, 30);
  const logarithmic<base_sqrt_two, nearest_exponent> r(0.37f, 30);
  for (int code = -30; code <= 30; ++code) {
    EXPECT_EQ(q.quantize(q.dequantize(static_cast<std::int8_t>(code))), code);
    EXPECT_EQ(r.quantize(r.dequantize(static_cast<std::int8_t>(code))), code);
  }
}

TEST(logarithmic, greatest_level_of_a_range_is_its_limit) {
  for (int bits = 2; bits <= 7; ++bits) {
    const auto q = logarithmic<>::symmetric({-3, 2}, bits);
    EXPECT_EQ(q.bits(), bits);
    EXPECT_EQ(q.dequantize(static_cast<std::int8_t>(q.count())), 3);
    const auto r = logarithmic<base_sqrt_two>::symmetric({-3, 2}, bits);
    EXPECT_FLOAT_EQ(r.dequantize(static_cast<std::int8_t>(r.count())), 3);
  }
  EXPECT_EQ(logarithmic<>(1, 8).bits(), 5);  // 17 codes.
}

TEST(logarithmic, of_degenerate_values_is_defined) {
  EXPECT_EQ(logarithmic<>::symmetric({0, 0}, 4).unit(), 0x1p-6f);
  EXPECT_EQ(logarithmic<>::symmetric({0, 1e-44f}, 7).unit(), std::numeric_limits<float>::min());
  const logarithmic<> q(1, 7);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(q.quantize(infinity), 7);
  EXPECT_EQ(q.quantize(-infinity), -7);
  EXPECT_EQ(q.quantize(-0.0f), 0);
  EXPECT_FALSE(std::signbit(q.dequantize(0)));
  EXPECT_EQ(classic(1, 7).quantize(-std::numeric_limits<float>::quiet_NaN()), 0);
}

TEST(logarithmic, is_fitted_to_each_channel) {
  const std::vector<float> values{1, 0.5f, 8, 3};
  const auto q = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{},
                            [](std::span<const float> slice) { return logarithmic<>::symmetric(range_of(slice), 4); });
  std::vector<std::int8_t> codes(4);
  q.quantize(values, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{7, 6, 7, 6}));  // 3 ties between 2 and 4.
}

TEST(logarithmic, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(logarithmic<base_two, most_significant_bit>(0.03125f, 9));
  reference::expect_every_path_equals_scalar(logarithmic<base_two, nearest_value>(0.07f, 7));
  reference::expect_every_path_equals_scalar(logarithmic<base_two, nearest_exponent>(0.0625f, 9));
  reference::expect_every_path_equals_scalar(logarithmic<base_sqrt_two, most_significant_bit>(0.07f, 15));
  reference::expect_every_path_equals_scalar(logarithmic<base_sqrt_two, nearest_value>(0.0625f, 15));
  reference::expect_every_path_equals_scalar(logarithmic<base_sqrt_two, nearest_exponent>(0.07f, 126));
}

TEST(logarithmic, refuses_parameters_that_have_no_levels) {
  const std::string unit = ", expected a positive, normal number with a normal inverse";
  EXPECT_EQ(refusal([] { logarithmic<>(0, 3); }), "logarithmic: unit is 0" + unit);
  EXPECT_EQ(refusal([] { logarithmic<>(0x1p127f, 3); }), "logarithmic: unit is 1.7014118e+38" + unit);
  EXPECT_EQ(refusal([] { logarithmic<>(1, 0); }), "logarithmic: count is 0, expected [1, 126]");
  EXPECT_EQ(refusal([] { logarithmic<>(0x1p100f, 30); }), "logarithmic: count is 30, expected a finite greatest level");
  EXPECT_EQ(refusal([] {
              logarithmic<>::symmetric({-1, 1}, 8);
            }),
            "logarithmic::symmetric: bits is 8, expected [2, 7]");
  EXPECT_EQ(refusal([] {
              logarithmic<>::symmetric({1, -1}, 4);
            }),
            "logarithmic: values is [1, -1], expected a range with -2^125 <= min <= max <= 2^125");
}

}  // namespace
}  // namespace bitwright
