// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/mixed_precision/sensitivity.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

TEST(trace_sensitivity, is_the_mean_trace_times_the_squared_error) {
  const sensitivity result = trace_sensitivity({.trace = 12, .standard_error = 2, .weights = 4}, 0.5);
  EXPECT_EQ(result, (sensitivity{.omega = 1.5, .standard_error = 0.25, .at_noise_floor = false}));
}

TEST(trace_sensitivity, of_a_trace_below_its_noise_is_the_noise_and_says_so) {
  const sensitivity expected{.omega = 0.25, .standard_error = 0.25, .at_noise_floor = true};
  for (const double trace : {1.5, 0.0, -12.0})
    EXPECT_EQ(trace_sensitivity({.trace = trace, .standard_error = 2, .weights = 4}, 0.5), expected) << trace;
  EXPECT_FALSE(trace_sensitivity({.trace = 2, .standard_error = 2, .weights = 4}, 0.5).at_noise_floor);
}

TEST(trace_sensitivity, of_a_layer_without_curvature_or_without_distortion_is_zero) {
  EXPECT_EQ(trace_sensitivity({.trace = 0, .standard_error = 0, .weights = 4}, 0.5).omega, 0);
  EXPECT_EQ(trace_sensitivity({.trace = 12, .standard_error = 2, .weights = 4}, 0).omega, 0);
}

std::string refusal(const trace_estimate& estimate, double squared_error) {
  return reference::refusal([&] { trace_sensitivity(estimate, squared_error); });
}

TEST(trace_sensitivity, refuses_what_it_cannot_know) {
  EXPECT_EQ(refusal({.trace = 1}, 1),  // One probe: the standard error is infinite.
            "trace_sensitivity: estimate.standard_error is inf, expected a finite number of at least 0: a trace of two "
            "probes or more");
  EXPECT_EQ(refusal({.trace = nan_value, .standard_error = 1}, 1),
            "trace_sensitivity: estimate.trace is nan, expected a finite number");
  EXPECT_EQ(refusal({.trace = 1, .standard_error = 1, .weights = 0}, 1),
            "trace_sensitivity: estimate.weights is 0, expected at least 1");
  for (const double error : {-1.0, nan_value, infinity})
    EXPECT_NE(refusal({.trace = 1, .standard_error = 1}, error).find("trace_sensitivity: squared_error is"),
              std::string::npos)
        << error;
}

/// A user's own scheme: the whole number below.
struct whole_numbers {
  using code_type = std::int8_t;
  int bits() const { return 8; }
  void quantize(std::span<const float> values, std::span<std::int8_t> codes) const {
    for (std::size_t i = 0; i < values.size(); ++i) codes[i] = static_cast<std::int8_t>(values[i]);
  }
  void dequantize(std::span<const std::int8_t> codes, std::span<float> values) const {
    for (std::size_t i = 0; i < codes.size(); ++i) values[i] = static_cast<float>(codes[i]);
  }
};

TEST(quantization_distortion, is_what_is_lost_on_the_way_through_the_codes) {
  const std::vector<float> weights{1.5f, 2, 3.25f, 0};
  EXPECT_EQ(quantization_distortion(whole_numbers{}, weights).squared_error, 0.3125);  // 1/4 + 1/16
  EXPECT_EQ(quantization_distortion(whole_numbers{}, std::span<const float>()).squared_error, 0);
}

}  // namespace
}  // namespace bitwright
