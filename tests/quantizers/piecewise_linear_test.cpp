// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/granularity.hpp>
#include <bitwright/quantizers/piecewise_linear.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::expect_every_path_equals_scalar;
using reference::expect_every_path_restores_every_code;
using reference::refusal;
using floats = std::vector<float>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

template <class Layout>
floats restored(const piecewise_linear<Layout>& q, const floats& values) {
  std::vector<std::uint8_t> codes(values.size());
  floats result(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, result);
  return result;
}

floats gaussian_values(std::size_t count, float sigma = 1) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(0, sigma);
  floats values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

TEST(piecewise_linear, levels_are_those_worked_out_by_hand) {
  const piecewise_linear<disjoint_pieces> q(floats{3}, 6, 2);
  EXPECT_EQ(q.bits(), 3);
  EXPECT_EQ(q.piece(0), (linear_piece{0, 1, 2}));  // 3 / (2^2 - 1), and twice that: -3, -1, 1, 3
  EXPECT_EQ(q.piece(1), (linear_piece{3, 3, 3}));  // (6 - 3) / (2^1 - 1): -6, -3, 3, 6
  EXPECT_EQ(restored(q, {0, -0.1f, 1.9f, 2.1f, 2.9f, 3, 4.4f, 4.6f, -5, 7, -100}),
            (floats{1, -1, 1, 3, 3, 3, 3, 6, -6, 6, -6}));
  const piecewise_linear<overlapping_pieces> o(floats{3}, 6, 2);
  EXPECT_EQ(o.piece(0), (linear_piece{0, 1, 2}));
  EXPECT_EQ(o.piece(1), (linear_piece{3, 2, 4}));  // -6, -2, 2, 6, for magnitudes from 3 upwards only
  EXPECT_EQ(restored(o, {2.9f, 3, 3.9f, 4.1f, -5, 7}), (floats{3, 2, 2, 6, -6, 6}));
}

TEST(piecewise_linear, code_names_its_piece_its_sign_and_its_step) {
  const piecewise_linear<disjoint_pieces> q(floats{3, 6, 12}, 24, 3);
  EXPECT_EQ(q.bits(), 5);
  EXPECT_EQ(q.quantize(0.5f), 0b00'0'00);
  EXPECT_EQ(q.quantize(-3.1f), 0b01'1'00);
  EXPECT_EQ(q.quantize(11.9f), 0b10'0'11);
  EXPECT_EQ(q.quantize(-23), 0b11'1'11);
  EXPECT_EQ(q.step_of(0b11'1'10), (linear_step{3, true, 2}));
  EXPECT_EQ((piecewise_linear<>(floats{3, 6}, 24, 3).bits()), 5);
  EXPECT_EQ((piecewise_linear<>(floats{3}, 24, 3).bits()), 4);
}

/// The definition, in double: the piece by the value's magnitude, then the nearest of its levels.
template <class Layout>
double nearest_in_piece(const floats& ends, int bits, double value) {
  const double magnitude = std::abs(value);
  std::size_t piece = 0;
  while (piece + 2 < ends.size() && magnitude >= ends[piece + 1]) ++piece;
  const piece_grid grid = Layout::grid(ends[piece], ends[piece + 1], bits);
  double best = grid.offset;
  for (int step = 1; step < 1 << (bits - 1); ++step) {
    const double level = grid.offset + grid.scale * step;
    if (std::abs(level - magnitude) < std::abs(best - magnitude)) best = level;
  }
  return value < 0 ? -best : best;
}

const std::vector<floats> breakpoint_sets = {{1.25f}, {0.5f, 2}, {0.7f, 1.3f, 2.1f}};

template <class Layout>
void expect_the_nearest_level() {
  const floats values = gaussian_values(2000);
  for (const floats& breakpoints : breakpoint_sets)
    for (int bits = 2; bits <= (breakpoints.size() == 1 ? 7 : 6); ++bits) {
      floats ends{0};
      ends.insert(ends.end(), breakpoints.begin(), breakpoints.end());
      ends.push_back(3.3f);
      const piecewise_linear<Layout> q(breakpoints, 3.3f, bits);
      const floats found = restored(q, values);
      for (std::size_t i = 0; i < values.size(); ++i) {
        // Where two levels are about as near, the other one's error is as large. A level is off by the 2^-17 that its
        // scale was shortened by, on a way of at most 3.3; the quotient by 2^-22 of 63 steps of at most 1.1.
        const double exact = nearest_in_piece<Layout>(ends, bits, values[i]);
        ASSERT_NEAR(std::abs(found[i] - values[i]), std::abs(exact - values[i]), 3.3 * 0x1p-16) << values[i];
      }
    }
}

TEST(piecewise_linear, takes_the_nearest_level_of_the_values_own_piece) {
  expect_the_nearest_level<disjoint_pieces>();
  expect_the_nearest_level<overlapping_pieces>();
}

TEST(piecewise_linear, error_is_at_most_half_a_step_of_the_piece) {
  const double p = 1.1f, m = 2.9f;
  for (int bits = 2; bits <= 7; ++bits) {
    const piecewise_linear<disjoint_pieces> q(floats{1.1f}, 2.9f, bits);
    for (float value = -2.9f; value <= 2.9f; value += 0.0007f) {
      const double bound = std::abs(value) < p ? p / ((1 << bits) - 1) : (m - p) / (2 * ((1 << (bits - 1)) - 1));
      ASSERT_LE(std::abs(q.dequantize(q.quantize(value)) - value), bound + m * 0x1p-16) << value;  // As above.
    }
  }
}

TEST(piecewise_linear, levels_are_symmetric_within_the_limit_and_reach_it) {
  for (const floats& breakpoints : breakpoint_sets)
    for (int bits = 2; bits <= 6; ++bits) {
      const piecewise_linear<disjoint_pieces> q(breakpoints, 3.3f, bits);
      std::set<float> levels;
      for (std::size_t piece = 0; piece < q.pieces(); ++piece)
        for (int step = 0; step < 1 << bits; ++step) {
          const auto code = static_cast<std::uint8_t>((piece << bits) + static_cast<std::size_t>(step));
          levels.insert(q.dequantize(code));
          EXPECT_EQ(q.dequantize(code), -q.dequantize(static_cast<std::uint8_t>(code ^ (1 << (bits - 1)))));
        }
      EXPECT_LE(*levels.rbegin(), 3.3f);
      EXPECT_GE(*levels.rbegin(), 3.3f * (1 - 0x1p-16f));
      EXPECT_EQ(*levels.begin(), -*levels.rbegin());
      // Where pieces meet, one's last level and the next one's first are the same, but for the shortened scale.
      EXPECT_LE(levels.size(), q.pieces() << bits);
      EXPECT_GE(levels.size(), (q.pieces() << bits) - 2 * breakpoints.size());
    }
}

TEST(piecewise_linear, error_with_two_bits_is_at_most_nine_sixteenths_of_the_uniform_one) {
  // Squares of steps, for the breakpoint m / 2 that the best one is not worse than. Uniform: 2^2 levels over [-m, m].
  const piecewise_linear<disjoint_pieces> q(floats{3}, 6, 2);
  const double uniform_step = 2 * 6.0 / 3;
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_LE(q.piece(i).scale * q.piece(i).scale, 9.0 / 16 * uniform_step * uniform_step);
}

TEST(piecewise_linear, restores_its_own_levels) {
  for (const floats& breakpoints : breakpoint_sets) {
    const piecewise_linear<disjoint_pieces> q(breakpoints, 3.3f, 4);
    const floats once = restored(q, gaussian_values(1000));
    EXPECT_EQ(restored(q, once), once);
  }
}

/// A product of codes with integers: one sum of steps for each piece, one of signs for each piece but the middle, whose
/// levels are odd multiples of one number.
TEST(piecewise_linear, codes_multiply_with_an_accumulator_for_each_piece_and_offset) {
  const floats values = gaussian_values(500);
  for (const floats& breakpoints : breakpoint_sets) {
    const piecewise_linear<disjoint_pieces> q(breakpoints, 3.3f, 4);
    std::vector<std::int64_t> steps(q.pieces()), signs(q.pieces());
    double expected = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto factor = static_cast<std::int64_t>(i * 37 % 255);
      const std::uint8_t code = q.quantize(values[i]);
      const auto [piece, negative, step] = q.step_of(code);
      const std::int64_t sign = negative ? -1 : 1;
      if (piece == 0) {
        steps[0] += sign * (2 * step + 1) * factor;
      } else {
        steps[static_cast<std::size_t>(piece)] += sign * step * factor;
        signs[static_cast<std::size_t>(piece)] += sign * factor;
      }
      expected += double{q.dequantize(code)} * static_cast<double>(factor);
    }
    double product = q.piece(0).scale / 2 * static_cast<double>(steps[0]);
    for (std::size_t i = 1; i < q.pieces(); ++i)
      product += q.piece(i).scale * static_cast<double>(steps[i]) + q.piece(i).offset * static_cast<double>(signs[i]);
    // 500 levels of at most 3.3, each within 2^-16 of the odd multiple, times at most 254.
    EXPECT_NEAR(product, expected, 500 * 3.3 * 254 * 0x1p-16);
  }
}

TEST(piecewise_linear, bias_correction_restores_mean_and_deviation) {
  floats values = gaussian_values(3000, 0.25f);
  for (float& value : values) value = std::abs(value) + 0.5f;
  const piecewise_linear<disjoint_pieces> q = piecewise_linear<>(floats{0.4f}, 1.2f, 2).bias_corrected(values);
  const auto moments = [](const floats& of) {
    double mean = 0, square = 0;
    for (const float value : of) mean += value / static_cast<double>(of.size());
    for (const float value : of) square += (value - mean) * (value - mean) / static_cast<double>(of.size());
    return std::array{mean, std::sqrt(square)};
  };
  const auto exact = moments(values), corrected = moments(restored(q, values)),
             plain = moments(restored(piecewise_linear<>(floats{0.4f}, 1.2f, 2), values));
  EXPECT_NEAR(corrected[0], exact[0], 1.2 * 0x1p-16);  // The shortened scales again.
  EXPECT_NEAR(corrected[1], exact[1], 1.2 * 0x1p-16);
  EXPECT_GT(std::abs(plain[0] - exact[0]), 0.01);
  EXPECT_EQ(restored(q.bias_corrected(values), values).size(), values.size());
}

TEST(piecewise_linear, of_a_channel_has_the_channels_own_pieces) {
  const floats values{1, -2, 10, -20};
  const auto q =
      fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{}, [](std::span<const float> channel) {
        const float limit = std::abs(channel[1]);
        return piecewise_linear<>(floats{limit / 2}, limit, 4);
      });
  std::vector<std::uint8_t> codes(4);
  q.quantize(values, codes);
  EXPECT_EQ(codes[0], codes[2]);
  EXPECT_EQ(codes[1], codes[3]);
}

TEST(piecewise_linear, of_degenerate_input_is_defined) {
  const piecewise_linear<disjoint_pieces> q(floats{3}, 6, 2);
  EXPECT_EQ(restored(q, {}), floats{});
  EXPECT_EQ(restored(q, {nan_value, infinity, -infinity, -0.0f}), (floats{1, 6, -6, 1}));
  for (const floats& breakpoints : breakpoint_sets)  // Also where the fourth piece is not there.
    EXPECT_EQ(q.dequantize(q.quantize(infinity)), restored(q, {std::numeric_limits<float>::max()})[0])
        << breakpoints.size();
  EXPECT_EQ(piecewise_linear<>(floats{0.5f, 1}, 2, 2).quantize(infinity), 0b10'0'1);
  const piecewise_linear<disjoint_pieces> zero(floats{0, 0}, 0, 3);
  EXPECT_EQ(restored(zero, {0, 1, -5}), (floats{0, 0, 0}));
  const float denormal = std::numeric_limits<float>::denorm_min();
  for (const float value :
       restored(piecewise_linear<>(floats{100 * denormal}, 200 * denormal, 3), {denormal, -150 * denormal}))
    EXPECT_LE(std::abs(value), 200 * denormal);
  EXPECT_EQ(restored(q.bias_corrected({}), {1}), floats{1});
  EXPECT_EQ(restored(q.bias_corrected(floats{2.5f}), {2.5f}), floats{2.5f});
}

TEST(piecewise_linear, refuses_what_makes_no_pieces) {
  const auto message = [](const floats& breakpoints, float limit, int bits) {
    return refusal([&] { piecewise_linear<>(breakpoints, limit, bits); });
  };
  EXPECT_EQ(message({}, 1, 3), "piecewise_linear: breakpoints is [], expected one, two or three");
  EXPECT_EQ(message({1, 2, 3, 4}, 5, 3), "piecewise_linear: breakpoints is [1, 2, 3, 4], expected one, two or three");
  EXPECT_EQ(message({1}, 2, 1), "piecewise_linear: piece_bits is 1, expected [2, 7]");
  EXPECT_EQ(message({1, 1.5f}, 2, 7), "piecewise_linear: piece_bits is 7, expected [2, 6]");
  const std::string order = ", expected strictly increasing between 0 and the limit, ";
  EXPECT_EQ(message({2}, 2, 3), "piecewise_linear: breakpoints is [2]" + order + "2");
  EXPECT_EQ(message({1, 1}, 2, 3), "piecewise_linear: breakpoints is [1, 1]" + order + "2");
  EXPECT_EQ(message({0}, 2, 3), "piecewise_linear: breakpoints is [0]" + order + "2");
  EXPECT_EQ(message({1}, 0, 3), "piecewise_linear: breakpoints is [1]" + order + "0");
  EXPECT_EQ(message({1}, nan_value, 3), "piecewise_linear: limit is nan, expected [0, 2^125]");
  EXPECT_EQ(message({1}, infinity, 3), "piecewise_linear: limit is inf, expected [0, 2^125]");
}

TEST(piecewise_linear, gives_the_same_bits_on_every_path) {
  for (const floats& breakpoints : breakpoint_sets)
    for (const int bits : {2, 4, 6}) {
      expect_every_path_equals_scalar(piecewise_linear<disjoint_pieces>(breakpoints, 3.3f, bits));
      expect_every_path_equals_scalar(
          piecewise_linear<disjoint_pieces>(breakpoints, 3.3f, bits).bias_corrected(gaussian_values(50)));
      expect_every_path_restores_every_code(
          piecewise_linear<disjoint_pieces>(breakpoints, 3.3f, bits).bias_corrected(gaussian_values(50)));
    }
  expect_every_path_equals_scalar(piecewise_linear<overlapping_pieces>(floats{0.7f}, 3.3f, 4));
}

}  // namespace
}  // namespace bitwright
