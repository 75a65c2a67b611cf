// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/output_cotangent.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace bitwright {
namespace {

/// The mean of u u' over as many probes, row by row.
template <class Cotangent>
std::vector<double> mean_square(const Cotangent& cotangent, const std::vector<double>& outputs, std::size_t probes) {
  std::vector<double> u(outputs.size()), mean(outputs.size() * outputs.size());
  for (std::size_t probe = 0; probe < probes; ++probe) {
    cotangent(std::span<const double>(outputs), rademacher_probe(0, probe), std::span(u));
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < u.size(); ++j) mean[i * u.size() + j] += u[i] * u[j] / static_cast<double>(probes);
  }
  return mean;
}

TEST(cross_entropy_cotangent, squares_on_average_to_the_curvature_of_the_loss) {
  // Outputs of log(1), log(2), log(5) have the probabilities 1/8, 2/8, 5/8, and diag(p) - p p' is, in 64ths:
  const double expected[] = {7, -2, -5, -2, 12, -10, -5, -10, 15};
  const std::vector<double> mean = mean_square(cross_entropy_cotangent{}, {0, std::log(2), std::log(5)}, 40000);
  // |u| <= 1, so an entry's deviation is at most 1, its mean's 1/200; 5 of them are 0.025.
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(mean[i], expected[i] / 64, 0.025) << i;
}

TEST(cross_entropy_cotangent, of_two_classes_is_one_number_and_its_opposite) {
  // p = 1/2: u_0 = z_0 / sqrt(2) - (z_0 + z_1) / sqrt(2) / 2 = (z_0 - z_1) / sqrt(8).
  std::vector<double> u(2);
  for (std::size_t probe = 0; probe < 20; ++probe) {
    const rademacher_probe signs(0, probe);
    cross_entropy_cotangent{}(std::span<const double>(std::vector<double>{3, 3}), signs, std::span(u));
    EXPECT_NEAR(u[0], (signs[0] - signs[1]) / std::sqrt(8), 1e-15);
    EXPECT_NEAR(u[1], -u[0], 1e-15);
  }
}

TEST(cross_entropy_cotangent, does_not_overflow_for_large_outputs_and_vanishes_for_a_certain_class) {
  std::vector<float> outputs{1000, -std::numeric_limits<float>::infinity(), 0}, u(3);
  cross_entropy_cotangent{}(std::span<const float>(outputs), rademacher_probe(0, 0), std::span(u));
  EXPECT_EQ(u, (std::vector<float>{0, 0, 0}));
}

TEST(squared_error_cotangent, is_the_probe) {
  std::vector<float> outputs{5, 6, 7}, u(3);
  const rademacher_probe probe(1, 2);
  squared_error_cotangent{}(std::span<const float>(outputs), probe, std::span(u));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(u[i], static_cast<float>(probe[i]));
}

TEST(output_cotangents, refuse_what_does_not_fit) {
  const std::vector<float> outputs{5, 6, 7}, broken{5, std::numeric_limits<float>::quiet_NaN(), 7};
  const std::vector<float> infinite{5, std::numeric_limits<float>::infinity(), 7};
  std::vector<float> two(2), three(3);
  const auto cross_entropy = [&](const std::vector<float>& from, std::vector<float>& to) {
    cross_entropy_cotangent{}(std::span(from), rademacher_probe(0, 0), std::span(to));
  };
  EXPECT_THROW(cross_entropy(outputs, two), invalid_argument);
  EXPECT_THROW(cross_entropy(broken, three), invalid_argument);
  EXPECT_THROW(cross_entropy(infinite, three), invalid_argument);
  EXPECT_THROW(squared_error_cotangent{}(std::span(outputs), rademacher_probe(0, 0), std::span(two)), invalid_argument);
}

}  // namespace
}  // namespace bitwright
