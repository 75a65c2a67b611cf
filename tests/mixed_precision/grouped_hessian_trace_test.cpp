// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/grouped_hessian_trace.hpp>

#include <gtest/gtest.h>
#include <reference/coupled_hessian.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::coupled_hessian;

TEST(grouped_hessian_traces, are_unbiased_and_their_intervals_cover) {
  // 3 pilot products and 30 rounds of at most 3 groups. 1.96 standard errors of 30 samples cover 94 % (Student's t, 29
  // degrees of freedom), of 400 with a standard deviation of 0.012: [0.90, 0.99] leaves 3.4 and 4.1 of them.
  constexpr int trials = 400;
  sample_mean mean[3];
  int covered[3] = {};
  for (std::uint64_t seed = 0; seed < trials; ++seed) {
    const grouped_trace_report report = grouped_hessian_traces<double>(
        coupled_hessian{}, coupled_hessian::layers, {.relative_tolerance = 0, .maximum_probes = 93, .seed = seed});
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const trace_estimate& estimate = report.traces.layers[layer];
      mean[layer].add(estimate.trace);
      covered[layer] += std::abs(estimate.trace - coupled_hessian::trace(layer)) <= 1.96 * estimate.standard_error;
      EXPECT_GE(estimate.probes, 30u);
    }
  }
  for (std::size_t layer = 0; layer < 3; ++layer) {
    EXPECT_NEAR(mean[layer].mean(), coupled_hessian::trace(layer), 5 * mean[layer].standard_error()) << layer;
    EXPECT_GE(covered[layer], 0.90 * trials) << layer;
    EXPECT_LE(covered[layer], 0.99 * trials) << layer;
  }
}

TEST(grouped_hessian_traces, need_fewer_products_than_shared_probes_where_one_layer_is_dominant) {
  const trace_options options{.relative_tolerance = 0.1, .maximum_probes = 100000};
  const auto grouped = grouped_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options);
  const auto shared = hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options);
  EXPECT_EQ(grouped.traces.stop, trace_stop::tolerance);
  EXPECT_LT(2 * grouped.traces.products, shared.products);
  EXPECT_EQ(grouped.groups.back(), std::vector<std::size_t>{2});
}

TEST(grouped_hessian_traces, of_a_diagonal_hessian_are_exact_from_one_group) {
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<double>(i + 1) * direction[i];
  };
  const std::vector<std::size_t> sizes{2, 1, 2};
  const grouped_trace_report report = grouped_hessian_traces<double>(product, sizes, {.absolute_tolerance = 100});
  EXPECT_EQ(report.groups, (layer_groups{{0, 1, 2}}));
  EXPECT_EQ(report.traces.layers[0].trace, 3);
  EXPECT_EQ(report.traces.layers[1].trace, 3);
  EXPECT_EQ(report.traces.layers[2].trace, 9);
  EXPECT_EQ(report.traces.products, 11u);  // 3 of the pilot, and 8.
}

TEST(grouped_hessian_traces, can_be_cancelled_even_in_the_pilot) {
  trace_options options;
  options.progress = [](const trace_progress& progress) { return progress.probes < 2; };
  const auto report = grouped_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, options);
  EXPECT_EQ(report.traces.stop, trace_stop::cancelled);
  EXPECT_EQ(report.traces.products, 2u);
  EXPECT_EQ(report.traces.layers[0].standard_error, std::numeric_limits<double>::infinity());
}

TEST(grouped_hessian_traces, refuse_a_maximum_without_room_for_the_pilot) {
  EXPECT_THROW(grouped_hessian_traces<double>(coupled_hessian{}, coupled_hessian::layers, {.maximum_probes = 3}),
               invalid_argument);
}

}  // namespace
}  // namespace bitwright
