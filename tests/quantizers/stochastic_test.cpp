// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include <bitwright/quantizers/fixed_point.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/stochastic.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using rounded = uniform<8, std::int8_t, stochastic>;

std::vector<std::int8_t> codes_of(const rounded& q, std::span<const float> values) {
  std::vector<std::int8_t> codes(values.size());
  q.quantize(values, codes);
  return codes;
}

rounded with(stochastic rounding) { return {{0.25f, 0}, {-127, 127}, rounding}; }

TEST(stochastic, is_unbiased_with_the_variance_of_a_coin) {
  const std::uint32_t count = 1 << 16;
  for (const float value : {0.5f, 0.125f, 3.7f, -3.7f, -0.001f, 100.9f})
    for (const std::uint64_t seed : {0u, 1u, 12345u}) {
      double sum = 0, squares = 0;
      for (std::uint32_t i = 0; i < count; ++i) {
        const double error = double{stochastic{seed}.round(value, i)} - value;
        ASSERT_LT(std::abs(error), 1);
        sum += error;
        squares += error * error;
      }
      const double fraction = double{value} - std::floor(value), variance = fraction * (1 - fraction);
      // Five standard deviations of a mean of `count` errors, and of their squares (of which the variance is f (1 - f)
      // (1 - 2 f)^2, at most 1/16), beside the 2^-24 that 24 random bits cost.
      EXPECT_NEAR(sum / count, 0, 5 * std::sqrt(variance / count) + 0x1p-24) << value << " with seed " << seed;
      const double spread = std::sqrt(variance) * std::abs(1 - 2 * fraction);
      EXPECT_NEAR(squares / count, variance, 5 * spread / std::sqrt(count) + 0x1p-20) << value << " with seed " << seed;
    }
}

TEST(stochastic, never_moves_a_whole_number) {
  for (std::uint32_t i = 0; i < 10000; ++i)
    for (const float whole : {0.0f, 1.0f, -1.0f, 127.0f, -8388607.0f, 0x1p24f})
      ASSERT_EQ((stochastic{7}.round(whole, i)), whole);
}

TEST(stochastic, never_moves_a_code) {
  const rounded q = with({1});
  std::vector<float> values;
  for (int code = -127; code <= 127; ++code) values.push_back(q.dequantize(static_cast<std::int8_t>(code)));
  const std::vector<std::int8_t> codes = codes_of(q, values);
  for (int code = -127; code <= 127; ++code) EXPECT_EQ(codes[static_cast<std::size_t>(code + 127)], code);
}

TEST(stochastic, of_a_part_is_that_of_the_whole) {
  std::vector<float> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.0137f;
  const std::vector<std::int8_t> whole = codes_of(with({5, 100}), values);
  EXPECT_EQ(codes_of(with({5, 100}), values), whole) << "the same again";
  for (const std::size_t cut : {1u, 63u, 64u, 500u}) {
    std::vector<std::int8_t> later =
        codes_of(with({5, 100 + static_cast<std::uint32_t>(cut)}), std::span(values).subspan(cut));
    EXPECT_TRUE(std::equal(later.begin(), later.end(), whole.begin() + static_cast<std::ptrdiff_t>(cut))) << cut;
  }
}

TEST(stochastic, differs_from_seed_to_seed_and_from_place_to_place) {
  // Of 4096 coins, two sequences that know nothing of each other share half, within 5 standard deviations of 32.
  const auto agreement = [](stochastic a, stochastic b) {
    int equal = 0;
    for (std::uint32_t i = 0; i < 4096; ++i) equal += a.round(0.5f, i) == b.round(0.5f, i) ? 1 : 0;
    return equal;
  };
  for (const stochastic other : {stochastic{1}, stochastic{2}, stochastic{std::uint64_t{1} << 32}, stochastic{0, 1},
                                 stochastic{0, 4096}, stochastic{0, 1u << 31}})
    EXPECT_NEAR(agreement({0}, other), 2048, 160) << other.seed << " from " << other.first;
}

TEST(stochastic, keeps_nan_and_infinity) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isnan((stochastic{1}.round(std::numeric_limits<float>::quiet_NaN(), 3))));
  EXPECT_EQ((stochastic{1}.round(infinity, 3)), infinity);
  EXPECT_EQ((stochastic{1}.round(-infinity, 3)), -infinity);
}

TEST(stochastic, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(with({3, 1000}));
  reference::expect_every_path_equals_scalar(uniform<8, std::uint8_t, stochastic, wrap>({0.1f, 3}, {0, 255}, {9}));
  reference::expect_every_path_equals_scalar(fixed_point<4, 8, stochastic>({9, 0xfffffff0}));  // Across 2^32.
}

TEST(stochastic, serves_each_channel_with_its_own_seed) {
  std::uint64_t channel = 0;
  const std::vector<float> values(2 * 256, 0.125f);
  const auto fit = [&channel](std::span<const float>) { return with({channel++}); };
  const auto q = fit_slices(tensor_view<const float>(values, {2, 256}), per_channel{}, fit);
  std::vector<std::int8_t> codes(values.size());
  q.quantize(values, codes);
  EXPECT_FALSE(std::equal(codes.begin(), codes.begin() + 256, codes.begin() + 256));
}

}  // namespace
}  // namespace bitwright
