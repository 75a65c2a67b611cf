// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/quantizers/learned_bases.hpp>
#include <bitwright/quantizers/optimal_levels.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using floats = std::vector<float>;

floats gaussian_values(std::size_t count, float mean = 0) {
  std::mt19937 generator(4);
  std::normal_distribution<float> normal(mean, 1);
  floats values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

template <class Levels>
double squared_error(const floats& values, const Levels& levels) {
  double sum = 0;
  for (const float value : values) {
    double least = std::numeric_limits<double>::infinity();
    for (const float level : levels) least = std::min(least, std::pow(double{level} - value, 2));
    sum += least;
  }
  return sum;
}

TEST(learned_bases, levels_are_all_sums_and_differences) {
  const learned_bases q(floats{-3, 1});
  EXPECT_EQ(floats(q.basis().begin(), q.basis().end()), (floats{1, 3}));
  EXPECT_EQ(floats(q.levels().begin(), q.levels().end()), (floats{-4, -2, 2, 4}));
  EXPECT_EQ(q.bits(), 2);
  for (const auto& [value, code, signs] :
       {std::tuple{-10.0f, 0, 0b00}, {-2.9f, 1, 0b01}, {1.5f, 2, 0b10}, {3.5f, 3, 0b11}}) {
    EXPECT_EQ(q.quantize(value), code);
    EXPECT_EQ(q.signs(static_cast<std::uint8_t>(code)), signs);
  }
  const learned_bases same(floats{1, 1});
  EXPECT_EQ(floats(same.levels().begin(), same.levels().end()), (floats{-2, 0, 2}));
  EXPECT_EQ(same.bits(), 2);
}

TEST(learned_bases, level_of_a_code_is_the_sum_with_its_signs) {
  const learned_bases q = learned_bases::fit(gaussian_values(500), 4);
  for (std::uint8_t code = 0; code < q.levels().size(); ++code) {
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) sum += (q.signs(code) >> i & 1) != 0 ? q.basis()[i] : -q.basis()[i];
    EXPECT_EQ(q.dequantize(code), static_cast<float>(sum));
  }
}

TEST(learned_bases, multiply_by_population_counts) {
  const floats values = gaussian_values(64);
  const learned_bases q = learned_bases::fit(values, 3);
  const std::uint64_t other = 0x9e3779b97f4a7c15;  // Sixty-four signs: bit n is that of the other side's element n.
  std::array<std::uint64_t, 3> planes{};
  double expected = 0;
  for (std::size_t n = 0; n < 64; ++n) {
    const std::uint8_t code = q.quantize(values[n]);
    for (std::size_t i = 0; i < 3; ++i) planes[i] |= static_cast<std::uint64_t>(q.signs(code) >> i & 1) << n;
    expected += (other >> n & 1) != 0 ? q.dequantize(code) : -q.dequantize(code);
  }
  double product = 0;
  for (std::size_t i = 0; i < 3; ++i) product += double{q.basis()[i]} * (64 - 2 * std::popcount(planes[i] ^ other));
  EXPECT_NEAR(product, expected, 64 * 0x1p-22);  // Levels of up to 4 are sums rounded to floats.
}

TEST(learned_bases, of_one_bit_is_the_mean_magnitude) {
  const floats values{1, -2, 3, -6};
  EXPECT_FLOAT_EQ(learned_bases::fit(values, 1).basis()[0], 3);
}

TEST(learned_bases, fitting_never_raises_the_error) {
  for (const float mean : {0.0f, 2.0f})
    for (int bits = 1; bits <= 4; ++bits) {
      const floats values = gaussian_values(500, mean);
      double last = std::numeric_limits<double>::infinity();
      for (std::size_t iterations = 0; iterations < 20; ++iterations) {
        const double error = squared_error(values, learned_bases::fit(values, bits, iterations).levels());
        EXPECT_LE(error, last * (1 + 1e-6)) << bits;  // The basis is rounded to floats.
        last = error;
      }
    }
}

TEST(learned_bases, error_lies_between_those_of_free_levels_and_of_a_bit_less) {
  const floats values = gaussian_values(2000);
  double last = std::numeric_limits<double>::infinity();
  for (int bits = 1; bits <= 4; ++bits) {
    const double error = squared_error(values, learned_bases::fit(values, bits).levels());
    EXPECT_GE(error * (1 + 1e-6), squared_error(values, optimal_levels(values, std::size_t{1} << bits)));
    EXPECT_LT(error, last / 2);
    last = error;
  }
}

TEST(learned_bases, fit_values_that_leave_a_sign_unused) {
  // Two values, four levels: the matrix of the equations has rank 1.
  const floats values{1, -1, 1, -1};
  const learned_bases q = learned_bases::fit(values, 2);
  EXPECT_NEAR(squared_error(values, q.levels()), 0, 1e-10);
  for (const float number : q.basis()) EXPECT_TRUE(std::isfinite(number));
}

TEST(learned_bases, of_degenerate_values_are_defined) {
  for (const floats& values : {floats{}, floats{0, 0}}) {
    const learned_bases q = learned_bases::fit(values, 3);
    EXPECT_EQ(floats(q.levels().begin(), q.levels().end()), floats{0});
    EXPECT_EQ(q.dequantize(q.quantize(5)), 0);
  }
  const learned_bases one = learned_bases::fit(floats{4}, 1);
  EXPECT_EQ(one.dequantize(one.quantize(4)), 4);
  EXPECT_EQ(one.dequantize(one.quantize(std::numeric_limits<float>::quiet_NaN())), 4);  // 0 lies as near to both.
  EXPECT_EQ(one.dequantize(one.quantize(-std::numeric_limits<float>::infinity())), -4);
}

TEST(learned_bases, give_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(learned_bases::fit(gaussian_values(200), 4));
}

TEST(learned_bases, refuse_what_has_no_basis) {
  EXPECT_EQ(refusal([] { learned_bases{floats{}}; }), "learned_bases: basis is [], expected one to four numbers");
  EXPECT_EQ(refusal([] { learned_bases::fit(floats{1}, 5); }), "learned_bases::fit: bits is 5, expected [1, 4]");
  EXPECT_EQ(refusal([] { learned_bases::fit(floats{INFINITY}, 1); }),
            "learned_bases::fit: values is inf, expected finite numbers of at most 2^125");
}

}  // namespace
}  // namespace bitwright
