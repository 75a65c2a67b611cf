// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/quadratic_form_metric.hpp>
#include <bitwright/mixed_precision/second_moment.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

/// Samples (1, 2) and (3, 4): M = [[1 + 9, 2 + 12], [2 + 12, 4 + 16]] / 2 = [[5, 7], [7, 10]].
second_moment two_samples() {
  second_moment moment(2);
  moment.observe(std::vector<float>{1, 2});
  moment.observe(std::vector<float>{3, 4});
  return moment;
}

TEST(second_moment, is_the_mean_of_the_samples_outer_products) {
  const second_moment moment = two_samples();
  EXPECT_EQ(moment.samples(), 2u);
  EXPECT_EQ(moment(0, 0), 5);
  EXPECT_EQ(moment(0, 1), 7);
  EXPECT_EQ(moment(1, 0), 7);
  EXPECT_EQ(moment(1, 1), 10);
}

TEST(second_moment, multiplies_each_output_channels_part_of_a_direction) {
  const std::vector<double> direction{1, 0, -1, 2};
  std::vector<double> result(4);
  two_samples()(std::span<const double>(direction), std::span<double>(result));
  EXPECT_EQ(result, (std::vector<double>{5, 7, 9, 13}));
}

TEST(second_moment, has_a_trace_with_the_standard_error_of_its_samples) {
  // |x|^2 is 5 and 25, mean 15 and standard error 10; three output channels.
  const trace_estimate trace = two_samples().trace(3);
  EXPECT_EQ(trace.trace, 45);
  EXPECT_NEAR(trace.standard_error, 30, 1e-13);
  EXPECT_EQ(trace.weights, 6u);
  // Hutchinson's samples of 2 channels: 2 * 15 with 2 * 7 to either side for each.
  const std::vector<std::size_t> sizes{4};
  const double sample = hessian_traces<double>(two_samples(), sizes, {.maximum_probes = 1}).layers[0].trace;
  EXPECT_TRUE(sample == 2 || sample == 30 || sample == 58) << sample;
}

TEST(second_moment, makes_the_quadratic_form_half_the_mean_squared_error_of_the_outputs) {
  // Weights change by (1, -1) and (0, 1/2): outputs of the samples by (1 - 2, 1) and (3 - 4, 2), so that half the squared
  // errors are (1 + 1) / 2 and (1 + 4) / 2, and their mean is 7/4.
  const std::vector<float> original{2, 3, 4, 5}, quantized{3, 2, 4, 5.5f};
  const std::vector<std::size_t> sizes{4};
  second_moment moment = two_samples();
  quadratic_form_metric<double, second_moment> metric(moment, sizes);
  EXPECT_EQ(metric(0, original, quantized), sensitivity{.omega = 1.75});
}

TEST(second_moment, refuses_what_is_no_samples_and_keeps_what_it_has) {
  second_moment moment = two_samples();
  EXPECT_THROW(moment.observe(std::vector<float>{1, 2, 3}), invalid_argument);
  EXPECT_THROW(moment.observe(std::vector<float>{7, 8, 9, std::numeric_limits<float>::infinity()}), invalid_argument);
  EXPECT_EQ(moment(0, 0), 5);
  EXPECT_THROW(second_moment(0), invalid_argument);
  EXPECT_THROW(moment.trace(0), invalid_argument);
  std::vector<double> three(3), four(4), two(2);
  EXPECT_THROW(moment(std::span<const double>(three), std::span<double>(three)), invalid_argument);
  EXPECT_THROW(moment(std::span<const double>(four), std::span<double>(two)), invalid_argument);
  EXPECT_THROW(second_moment(2)(std::span<const double>(two), std::span<double>(two)), invalid_argument);
}

}  // namespace
}  // namespace bitwright
