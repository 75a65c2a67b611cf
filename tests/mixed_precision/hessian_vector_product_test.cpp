// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/mixed_precision/hessian_vector_product.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

/// The loss sum_k log(1 + exp(a_k w)) over 40 random rows a_k of 12 entries: smooth, and not quadratic.
template <class Scalar>
struct logistic_loss {
  static constexpr std::size_t size = 12;
  std::vector<Scalar> rows = std::vector<Scalar>(40 * size);

  logistic_loss() {
    std::mt19937 random(7);
    for (Scalar& entry : rows) entry = static_cast<Scalar>(std::normal_distribution<double>()(random));
  }
  template <class Vector>
  auto times_row(std::size_t row, const Vector& vector) const {
    auto sum = vector[0] * 0;
    for (std::size_t i = 0; i < size; ++i) sum += rows[row * size + i] * vector[i];
    return sum;
  }
  void gradient(std::span<const Scalar> weights, std::span<Scalar> result) const {
    std::ranges::fill(result, Scalar{0});
    for (std::size_t row = 0; row < rows.size() / size; ++row) {
      const Scalar slope = 1 / (1 + std::exp(-times_row(row, weights)));
      for (std::size_t i = 0; i < size; ++i) result[i] += slope * rows[row * size + i];
    }
  }
  std::vector<double> exact_product(const std::vector<Scalar>& weights, const std::vector<Scalar>& direction) const {
    std::vector<double> result(size);
    for (std::size_t row = 0; row < rows.size() / size; ++row) {
      const double slope = 1 / (1 + std::exp(-static_cast<double>(times_row(row, weights))));
      const double curvature = slope * (1 - slope) * static_cast<double>(times_row(row, direction));
      for (std::size_t i = 0; i < size; ++i) result[i] += curvature * static_cast<double>(rows[row * size + i]);
    }
    return result;
  }
};

template <class Scalar>
double relative_error_of_central_difference(double step_factor) {
  const logistic_loss<Scalar> loss;
  std::vector<Scalar> weights(loss.size), direction(loss.size), result(loss.size);
  for (std::size_t i = 0; i < loss.size; ++i) {
    weights[i] = static_cast<Scalar>(0.05 * static_cast<double>(i) - 0.3);
    direction[i] = i % 3 == 0 ? Scalar{-1} : Scalar{1};
  }
  central_difference product(
      weights, [&](std::span<const Scalar> w, std::span<Scalar> out) { loss.gradient(w, out); }, step_factor);
  product(direction, result);
  double error = 0, norm = 0;
  const std::vector<double> exact = loss.exact_product(weights, direction);
  for (std::size_t i = 0; i < loss.size; ++i) {
    error += std::pow(static_cast<double>(result[i]) - exact[i], 2);
    norm += std::pow(exact[i], 2);
  }
  return std::sqrt(error / norm);
}

TEST(central_difference, follows_a_smooth_loss_to_a_thousandth_in_float_and_to_1e_8_in_double) {
  for (const double step_factor : {1.0, 2.0, 3.0}) {
    EXPECT_LE(relative_error_of_central_difference<float>(step_factor), 1e-3) << step_factor;
    EXPECT_LE(relative_error_of_central_difference<double>(step_factor), 1e-8) << step_factor;
  }
}

/// The gradient of (2 x^2 + 2 x y + 2 y^2) / 2: H = [[2, 1], [1, 2]].
void coupled_gradient(std::span<const double> w, std::span<double> result) {
  result[0] = 2 * w[0] + w[1];
  result[1] = w[0] + 2 * w[1];
}

TEST(central_difference, of_a_quadratic_has_rounding_for_its_only_error) {
  const std::vector<double> weights{3, -4}, direction{1, -2};
  std::vector<double> result(2);
  central_difference product(weights, coupled_gradient);
  product(direction, result);
  // |w| = 5, |v| = sqrt 5: 2 h = 4 eps^(1/3) sqrt 5 = 5e-5. Each gradient is a sum of three terms below 12, with an
  // error below 3 * 12 * 1.2e-16 = 4e-15: at most 2 * 4e-15 / 5e-5 = 2e-10.
  EXPECT_NEAR(result[0], 0, 2e-10);
  EXPECT_NEAR(result[1], -3, 2e-10);
  EXPECT_EQ(product.gradients(), 2u);
}

TEST(central_difference, takes_zero_weights_as_of_norm_one) {
  const std::vector<double> weights{0, 0}, direction{1, 0};
  std::vector<double> result(2);
  double farthest = 0;
  central_difference product(
      weights,
      [&](std::span<const double> w, std::span<double> out) {
        farthest = std::max(farthest, std::abs(w[0]));
        coupled_gradient(w, out);
      },
      1.0);
  product(direction, result);
  EXPECT_NEAR(result[0], 2, 1e-10);
  EXPECT_NEAR(farthest, 6.0554544523933429e-06, 1e-20);  // 2^(-52/3)
}

TEST(central_difference, of_a_zero_direction_is_zero_and_costs_nothing) {
  const std::vector<double> weights{1, 2}, direction{0, 0};
  std::vector<double> result{5, 5};
  central_difference product(weights, coupled_gradient);
  product(direction, result);
  EXPECT_EQ(result, (std::vector<double>{0, 0}));
  EXPECT_EQ(product.gradients(), 0u);
}

TEST(central_difference, takes_a_direction_whose_square_underflows_for_what_it_is) {
  const std::vector<double> weights{3, -4}, direction{1e-170, 0};
  std::vector<double> result(2);
  central_difference product(weights, coupled_gradient);
  product(direction, result);
  EXPECT_NEAR(result[0] / 1e-170, 2, 1e-9);  // Rounding: 2 * 4e-15 / (2 h |v|) = 8e-15 / 6e-5.
}

TEST(central_difference, refuses_bad_weights_and_step_factors) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> none, weights{1, 2}, broken{1, nan};
  EXPECT_EQ(refusal([&] { central_difference(none, coupled_gradient); }),
            "central_difference: weights.size() is 0, expected at least 1");
  EXPECT_EQ(refusal([&] { central_difference(broken, coupled_gradient); }),
            "central_difference: norm of the weights is nan, expected a finite number");
  for (const double factor : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()})
    EXPECT_THROW(central_difference(weights, coupled_gradient, factor), invalid_argument) << factor;
}

TEST(central_difference, refuses_directions_that_do_not_fit) {
  const std::vector<double> weights{1, 2};
  central_difference product(weights, coupled_gradient);
  std::vector<double> two(2), three(3), infinite{1, std::numeric_limits<double>::infinity()};
  EXPECT_EQ(refusal([&] { product(three, two); }),
            "central_difference: direction.size() is 3, expected that of the weights, 2");
  EXPECT_EQ(refusal([&] { product(two, three); }),
            "central_difference: result.size() is 3, expected that of the weights, 2");
  EXPECT_EQ(refusal([&] { product(infinite, two); }),
            "central_difference: norm of the direction is inf, expected a finite number");
}

TEST(central_difference, names_the_first_element_of_a_gradient_that_is_not_finite) {
  const std::vector<double> weights{1, 2};
  std::vector<double> result(2);
  central_difference broken(weights, [](std::span<const double>, std::span<double> out) {
    out[0] = 1;
    out[1] = std::numeric_limits<double>::infinity();
  });
  EXPECT_EQ(refusal([&] { broken(weights, result); }),
            "central_difference: gradient[1] is inf, expected a finite number");
  central_difference lazy(weights, [](std::span<const double>, std::span<double> out) { out[0] = 1; });
  EXPECT_EQ(refusal([&] { lazy(weights, result); }),
            "central_difference: gradient[1] is nan, expected a finite number");
}

}  // namespace
}  // namespace bitwright
