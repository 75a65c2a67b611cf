// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/sensitivity_metric.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace bitwright {
namespace {

const std::vector<float> original{1, 2}, quantized{1.5f, 1};  // d = (1/2, -1), |d|^2 = 5/4

TEST(mean_trace_metric, is_the_mean_trace_times_the_squared_error) {
  const std::vector<trace_estimate> layers{{.trace = 8, .standard_error = 2, .weights = 2}};
  EXPECT_EQ(mean_trace_metric{layers}(0, original, quantized), (sensitivity{.omega = 5, .standard_error = 1.25}));
  EXPECT_THROW(mean_trace_metric{layers}(layers.size(), original, quantized), invalid_argument);
}

TEST(top_eigenvalue_metric, is_the_eigenvalues_size_times_the_squared_error) {
  const std::vector<eigenvalue_estimate> layers{{-4, 0.8}, {0.1, 0.8}};
  EXPECT_EQ(top_eigenvalue_metric{layers}(0, original, quantized), (sensitivity{.omega = 5, .standard_error = 1}));
  EXPECT_EQ(top_eigenvalue_metric{layers}(1, original, quantized),
            (sensitivity{.omega = 1, .standard_error = 1, .at_noise_floor = true}));
  EXPECT_THROW(top_eigenvalue_metric{layers}(layers.size(), original, quantized), invalid_argument);
}

TEST(distortion_metric, is_the_squared_error) {
  EXPECT_EQ(distortion_metric{}(7, original, quantized), sensitivity{.omega = 1.25});
}

}  // namespace
}  // namespace bitwright
