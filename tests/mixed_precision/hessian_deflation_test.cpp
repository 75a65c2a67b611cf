// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/hessian_deflation.hpp>

#include <gtest/gtest.h>
#include <reference/coupled_hessian.hpp>

#include <cmath>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::coupled_hessian;

TEST(deflated_hessian_traces, are_unbiased_and_their_intervals_cover) {
  // 5 directions and 30 probes; the bounds are those of 400 intervals that cover 94 %: 0.94 - 3.4 and + 4.1 deviations
  // of sqrt(0.94 * 0.06 / 400) = 0.012.
  constexpr int trials = 400;
  sample_mean mean[3];
  int covered[3] = {};
  for (std::uint64_t seed = 0; seed < trials; ++seed) {
    const trace_report report = deflated_hessian_traces<double>(
        coupled_hessian{}, coupled_hessian::layers, {.relative_tolerance = 0, .maximum_probes = 35, .seed = seed}, 5);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const trace_estimate& estimate = report.layers[layer];
      mean[layer].add(estimate.trace);
      covered[layer] += std::abs(estimate.trace - coupled_hessian::trace(layer)) <= 1.96 * estimate.standard_error;
      EXPECT_EQ(estimate.probes, 30u);
      EXPECT_FALSE(estimate.heuristic);
    }
  }
  for (std::size_t layer = 0; layer < 3; ++layer) {
    EXPECT_NEAR(mean[layer].mean(), coupled_hessian::trace(layer), 5 * mean[layer].standard_error()) << layer;
    EXPECT_GE(covered[layer], 0.90 * trials) << layer;
    EXPECT_LE(covered[layer], 0.99 * trials) << layer;
  }
}

TEST(deflated_hessian_traces, are_unbiased_for_the_very_directions_they_have) {
  // Averaged over directions, a wrong share of the mixed terms cancels: two directions and many probes show it.
  const trace_report report = deflated_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers,
                                                              {.relative_tolerance = 0, .maximum_probes = 20002}, 2);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const trace_estimate& estimate = report.layers[layer];
    EXPECT_NEAR(estimate.trace, coupled_hessian::trace(layer), 5 * estimate.standard_error) << layer;
  }
}

TEST(deflated_hessian_traces, need_fewer_products_where_few_directions_hold_the_curvature) {
  const trace_options options{.relative_tolerance = 0.1, .maximum_probes = 100000};
  const auto deflated = deflated_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options, 8);
  const auto plain = hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options);
  EXPECT_EQ(deflated.stop, trace_stop::tolerance);
  EXPECT_LT(5 * deflated.products, plain.products);
}

TEST(deflated_hessian_traces, of_low_rank_are_exact_once_the_directions_span_the_range) {
  // H = a a' + 2 b b' with a = (1, ..., 1) and b = (1, 0, 0, 1, 0, 0, ...). Layer sums of a_i^2 + 2 b_i^2 are 5 + 4 and
  // 4 + 2.
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    double a = 0, b = 0;
    for (std::size_t i = 0; i < 9; ++i) a += direction[i], b += i % 3 == 0 ? direction[i] : 0;
    for (std::size_t i = 0; i < 9; ++i) result[i] = a + (i % 3 == 0 ? 2 * b : 0);
  };
  const std::vector<std::size_t> sizes{5, 4};
  const trace_report report = deflated_hessian_traces<double>(product, sizes, {}, 6);
  EXPECT_NEAR(report.layers[0].trace, 9, 1e-12);
  EXPECT_NEAR(report.layers[1].trace, 6, 1e-12);
  EXPECT_LE(report.layers[0].standard_error, 1e-12);
  EXPECT_LE(report.products,
            12u);  // At most 4 directions: the start, the range, and perhaps one of rounding; 8 probes.
}

TEST(deflated_hessian_traces, without_directions_are_hutchinsons) {
  const trace_options options{.relative_tolerance = 0, .maximum_probes = 9, .seed = 4};
  const auto deflated = deflated_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options, 0);
  const auto plain = hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options);
  for (std::size_t layer = 0; layer < 3; ++layer)
    EXPECT_NEAR(deflated.layers[layer].trace, plain.layers[layer].trace, 1e-12);
}

TEST(deflated_hessian_traces, of_a_product_that_is_no_symmetric_matrix_say_that_they_are_heuristic) {
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    coupled_hessian{}(direction, result);
    for (double& value : result) value = value > 0 ? value : 0.9 * value;
  };
  EXPECT_TRUE(deflated_hessian_traces<double>(product, coupled_hessian::layers, {}, 8).layers[0].heuristic);
  EXPECT_LT(hessian_deflation<double>(coupled_hessian{}, coupled_hessian::layers, 8, 0).asymmetry(), 1e-12);
}

TEST(deflated_hessian_traces, refuse_a_maximum_without_room_for_the_directions) {
  EXPECT_THROW(deflated_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, {.maximum_probes = 16}),
               invalid_argument);
}

}  // namespace
}  // namespace bitwright
