// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/output_divergence_metric.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bitwright {
namespace {

const std::vector<float> original{1, 2}, quantized{1.5f, 1};

TEST(output_divergence, is_kullback_and_leiblers) {
  // Probabilities 1/4, 3/4 against 1/2, 1/2: log 2 / -4 + 3 / 4 log(3 / 2).
  const std::vector<float> p{0, static_cast<float>(std::log(3))}, q{5, 5};
  EXPECT_NEAR(output_divergence(p, q), -std::log(2) / 4 + 0.75 * std::log(1.5), 1e-7);  // log 3 as a float: 2^-24.
  EXPECT_EQ(output_divergence(q, q), 0);
  const std::vector<float> large{1000, -1000}, swapped{-1000, 1000};
  EXPECT_EQ(output_divergence(large, swapped), 2000);
}

TEST(output_divergence_metric, is_the_mean_over_samples_with_its_standard_error) {
  // Two samples of two classes; the layer's one value is added to the first output of the second sample: no divergence
  // there, 2000 here, mean 1000 and standard error |2000 - 0| / 2.
  const auto forward = [](std::size_t layer, std::span<const float> values, std::span<float> outputs) {
    EXPECT_EQ(layer, 3u);
    const float all[] = {1, 2, 1000 + values[0], -1000 - values[0]};
    std::ranges::copy(all, outputs.begin());
  };
  output_divergence_metric metric({1, 2, 1000, -1000}, 2, forward);
  const std::vector<float> zero{0}, swap{-2000};
  EXPECT_EQ(metric(3, zero, swap), (sensitivity{.omega = 1000, .standard_error = 1000}));
  EXPECT_EQ(metric(3, zero, zero), sensitivity{});
}

TEST(output_divergence_metric, refuses_what_is_no_outputs) {
  const auto nothing = [](std::size_t, std::span<const float>, std::span<float>) {};
  EXPECT_THROW(output_divergence_metric({1, 2}, 2, nothing), invalid_argument);
  EXPECT_THROW(output_divergence_metric({1, 2, 3, 4, 5}, 2, nothing), invalid_argument);
  EXPECT_THROW(output_divergence_metric({1, 2, 3, 4}, 0, nothing), invalid_argument);
  output_divergence_metric forgets({1, 2, 3, 4}, 2, nothing);
  EXPECT_THROW(forgets(0, original, quantized), invalid_argument);
}

}  // namespace
}  // namespace bitwright
