// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/quantizers/breakpoints.hpp>

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
using floats = std::vector<float>;

struct published {
  double limit, exact, fitted, ratio;
};

TEST(breakpoints, of_gaussian_values_are_the_published_ones) {
  for (const published& row : {published{3, 1.15833, 1.16071, .2048},
                               {4, 1.39203, 1.39961, .1709},
                               {5, 1.58893, 1.59230, .1418},
                               {6, 1.75468, 1.75380, .1184},
                               {8, 2.01502, 2.01482, .0852},
                               {10, 2.20960, 2.22161, .0640}})
    for (const double sigma : {1.0, 0.02}) {
      const gaussian values{sigma};
      const auto exact = stationary_breakpoints(values, row.limit * sigma);
      ASSERT_EQ(exact.size(), 1u);
      EXPECT_NEAR(exact[0], row.exact * sigma, 0.5e-5 * sigma);  // Half of the last published digit, here and below.
      EXPECT_NEAR(closed_form_breakpoint(values, row.limit * sigma), row.fitted * sigma, 0.5e-5 * sigma);
      EXPECT_NEAR(error_ratio(values, exact, row.limit * sigma), row.ratio, 0.5e-4);
    }
}

TEST(breakpoints, of_overlapping_pieces_are_the_published_ones) {
  for (const published& row :
       {published{3, 1.36241, 0, .3418}, {4, 1.61671, 0, .2519}, {5, 1.81037, 0, .1921}, {6, 1.96342, 0, .1514}}) {
    const auto exact = stationary_breakpoints<overlapping_pieces>(gaussian{}, row.limit);
    EXPECT_NEAR(exact[0], row.exact, 0.5e-5);
    EXPECT_NEAR(error_ratio<overlapping_pieces>(gaussian{}, exact, row.limit), row.ratio, 0.5e-4);
  }
}

TEST(breakpoints, of_laplacian_values_are_close_to_the_published_fit) {
  for (double limit = 3; limit <= 10; limit += 0.5)
    EXPECT_NEAR(stationary_breakpoints(laplacian{}, limit)[0], closed_form_breakpoint(laplacian{}, limit), 0.03)
        << limit;
}

/// The condition as the paper writes it.
TEST(breakpoints, solve_the_published_stationarity_condition) {
  const double m = 4.5;
  const auto slope = [m](const auto& values, double p) {
    return p - 2 * m + 2 * m * values.cumulative(p) + m * values.density(p) * (2 * p - m);
  };
  EXPECT_NEAR(slope(gaussian{}, stationary_breakpoints(gaussian{}, m)[0]), 0, 1e-9);  // 2^-40 of m, times a slope < 10.
  EXPECT_NEAR(slope(laplacian{}, stationary_breakpoints(laplacian{}, m)[0]), 0, 1e-9);
}

/// The error, with everything beyond the limit counted to the last piece: from the definition.
template <class Layout>
double error_of(const std::vector<double>& points, double limit) {
  const gaussian values;
  double error = 0, begin = 0;
  for (std::size_t i = 0; i <= points.size(); ++i) {
    const double end = i < points.size() ? points[i] : limit;
    const double mass = (i < points.size() ? values.cumulative(end) : 1) - values.cumulative(begin);
    error += std::pow(Layout::width(begin, end), 2) * mass;
    begin = end;
  }
  return error;
}

template <class Layout>
void expect_least_error() {
  for (const std::size_t count : {1u, 2u, 3u})
    for (const double limit : {3.0, 6.0}) {
      const std::vector<double> found = stationary_breakpoints<Layout>(gaussian{}, limit, count);
      const double least = error_of<Layout>(found, limit);
      for (std::size_t i = 0; i < count; ++i)
        for (const double away : {-0.1, -0.001, 0.001, 0.1}) {
          std::vector<double> moved = found;
          moved[i] += away;
          EXPECT_GT(error_of<Layout>(moved, limit), least) << count << ' ' << limit;
        }
    }
}

TEST(breakpoints, have_the_least_error_around) {
  expect_least_error<disjoint_pieces>();
  expect_least_error<overlapping_pieces>();
}

TEST(breakpoints, bring_the_error_down_with_each_one_more) {
  double last = 1;
  for (const std::size_t count : {1u, 2u, 3u}) {
    const double ratio = error_ratio(gaussian{}, stationary_breakpoints(gaussian{}, 4, count), 4);
    EXPECT_LT(ratio, last);
    last = ratio;
  }
}

floats gaussian_values(std::size_t count) {
  std::mt19937 generator(11);
  std::normal_distribution<float> normal;
  floats values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

/// Written anew: value by value, from the published levels.
double squared_error(const floats& values, double p, double m, int bits) {
  double sum = 0;
  for (const float value : values) {
    const double magnitude = std::abs(value),
                 step = magnitude < p ? 2 * p / (std::exp2(bits) - 1) : (m - p) / (std::exp2(bits - 1) - 1);
    const double offset = magnitude < p ? step / 2 : p;
    const double error = offset + step * std::max(0.0, std::round((magnitude - offset) / step)) - magnitude;
    sum += error * error;
  }
  return sum;
}

TEST(breakpoints, found_by_search_are_no_worse_than_any_tenth_or_their_neighbours) {
  const floats values = gaussian_values(2000);
  for (const int bits : {2, 3, 4, 6}) {
    const piecewise_linear<> q = search_breakpoints(values, bits);
    const double m = q.limit(), p = q.piece(1).begin, least = squared_error(values, p, m, bits);
    EXPECT_EQ(q.limit(), range_of(values).limit());
    // The shortened scales move levels by 2^-16 of their magnitude at most, and with them each error.
    const double slack = 2 * 2000 * 2.0 * m * 0x1p-16;
    for (int tenth = 1; tenth < 10; ++tenth) EXPECT_GE(squared_error(values, m * tenth / 10, m, bits), least - slack);
    for (const int away : {-5, -1, 1, 5}) EXPECT_GE(squared_error(values, p + m * away / 1000, m, bits), least - slack);
  }
}

TEST(breakpoints, found_by_search_come_close_to_the_error_model_for_many_bits) {
  const floats values = gaussian_values(20000);
  const piecewise_linear<> q = search_breakpoints(values, 7);
  const double p = stationary_breakpoints(gaussian{}, q.limit())[0];
  // The error around its minimum is flat: 10 % beside the best breakpoint it is 3 % higher.
  EXPECT_NEAR(q.piece(1).begin, p, 0.1 * p);
}

template <class Layout>
double error_by_search(const floats& values, int bits, std::size_t count) {
  const auto q = search_breakpoints<Layout>(values, bits, count);
  EXPECT_EQ(q.pieces(), count + 1);
  std::vector<std::uint8_t> codes(values.size());
  floats restored(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, restored);
  return measure_distortion(values, restored).mse;
}

TEST(breakpoints, found_by_search_lower_the_error_with_each_one_more) {
  const floats values = gaussian_values(1000);
  double last = 1;
  for (const std::size_t count : {1u, 2u, 3u}) {
    const double error = error_by_search<disjoint_pieces>(values, 4, count);
    EXPECT_LT(error, last);
    last = error;
    EXPECT_LT(error, error_by_search<overlapping_pieces>(values, 4, count));
  }
}

TEST(breakpoints, found_by_search_clip_where_they_are_told_to) {
  EXPECT_EQ(search_breakpoints(floats{0.5f, -4}, 3, 1, 1.5f).limit(), 1.5f);
  EXPECT_EQ(search_breakpoints(floats{0.5f, -4}, 3, 1, 10).limit(), 4);
  EXPECT_EQ(refusal([] { search_breakpoints(floats{1}, 3, 1, 0); }),
            "search_breakpoints: clip is 0, expected a positive number");
}

TEST(breakpoints, of_degenerate_values_are_defined) {
  EXPECT_EQ(search_breakpoints({}, 3).limit(), 0);
  EXPECT_EQ(search_breakpoints(floats{0, 0}, 3, 2).limit(), 0);
  EXPECT_EQ(search_breakpoints(floats{std::numeric_limits<float>::denorm_min()}, 3).limit(), 0);
  const piecewise_linear<> constant = search_breakpoints(floats{-2, -2, -2}, 3);
  EXPECT_EQ(constant.limit(), 2);
  EXPECT_NEAR(constant.dequantize(constant.quantize(-2)), -2, 2 * 0x1p-16f);  // The shortened scale.
}

TEST(breakpoints, refuse_what_has_none) {
  EXPECT_EQ(refusal([] { stationary_breakpoints(gaussian{}, 1, 4); }),
            "stationary_breakpoints: count is 4, expected [1, 3]");
  EXPECT_EQ(refusal([] { stationary_breakpoints(gaussian{}, 0); }),
            "stationary_breakpoints: limit is 0, expected a positive number");
  EXPECT_EQ(refusal([] { closed_form_breakpoint(gaussian{2}, 1); }),
            "closed_form_breakpoint: limit / sigma is 0.5, expected [1, 2^20]");
  EXPECT_EQ(refusal([] { closed_form_breakpoint(laplacian{0}, 1); }),
            "closed_form_breakpoint: limit / sigma is inf, expected [1, 2^20]");
  EXPECT_EQ(refusal([] { search_breakpoints(floats{1}, 3, 0); }), "search_breakpoints: count is 0, expected [1, 3]");
  EXPECT_NE(refusal([] { search_breakpoints(floats{std::numeric_limits<float>::quiet_NaN()}, 3); }),
            "nothing was refused");
}

}  // namespace
}  // namespace bitwright
