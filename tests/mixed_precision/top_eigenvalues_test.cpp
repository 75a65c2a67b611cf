// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/layer_block.hpp>
#include <bitwright/mixed_precision/top_eigenvalues.hpp>

#include <Eigen/Eigenvalues>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

auto product_with(const Eigen::MatrixXd& hessian) {
  return [hessian](std::span<const double> direction, std::span<double> result) {
    const auto size = static_cast<Eigen::Index>(direction.size());
    Eigen::VectorXd::Map(result.data(), size) = hessian * Eigen::VectorXd::Map(direction.data(), size);
  };
}

auto diagonal_product(std::vector<double> values) {
  return [values](std::span<const double> direction, std::span<double> result) {
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i] * direction[i];
  };
}

std::vector<double> values_of(const eigenvalue_report& report) {
  std::vector<double> values;
  for (const eigenvalue_estimate& eigenvalue : report.values) values.push_back(eigenvalue.value);
  return values;
}

TEST(top_eigenvalues, equal_those_of_a_dense_solver_within_their_error_bounds) {
  std::mt19937 random(1);
  Eigen::MatrixXd hessian(60, 60);
  for (Eigen::Index i = 0; i < hessian.size(); ++i) hessian(i) = std::normal_distribution()(random);
  hessian = (hessian + hessian.transpose()).eval();
  const Eigen::VectorXd exact = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian).eigenvalues();
  std::vector<double> sorted(exact.begin(), exact.end());
  std::ranges::sort(sorted, std::ranges::greater(), [](double value) { return std::abs(value); });
  for (const double tolerance : {1e-2, 1e-6, 1e-10}) {
    const eigenvalue_report report =
        top_eigenvalues<double>(product_with(hessian), 60, {.count = 6, .relative_tolerance = tolerance});
    ASSERT_EQ(report.stop, eigenvalue_stop::converged);
    ASSERT_EQ(report.values.size(), 6u);
    for (std::size_t i = 0; i < 6; ++i) {
      // Beyond the bound: rounding of 60-term products of norm below 31, 60 * 2^-53 * 31 = 2e-13, in both solvers.
      EXPECT_NEAR(report.values[i].value, sorted[i], report.values[i].error_bound + 4e-13) << i;
      EXPECT_LE(report.values[i].error_bound, 3 * tolerance * std::abs(sorted[0])) << i;
    }
  }
}

TEST(top_eigenvalues, keep_their_sign) {
  const eigenvalue_report report = top_eigenvalues<double>(diagonal_product({3, -7, 1, 5, 0}), 5, {.count = 3});
  const std::vector<double> values = values_of(report);
  ASSERT_EQ(values.size(), 3u);
  EXPECT_NEAR(values[0], -7, 1e-12);
  EXPECT_NEAR(values[1], 5, 1e-12);
  EXPECT_NEAR(values[2], 3, 1e-12);
}

TEST(top_eigenvalues, are_found_as_often_as_they_occur) {
  std::vector<double> spectrum(40, 1);
  spectrum[3] = spectrum[17] = spectrum[30] = 9;
  spectrum[5] = -4;
  const std::vector<double> values = values_of(top_eigenvalues<double>(diagonal_product(spectrum), 40, {.count = 6}));
  const double expected[] = {9, 9, 9, -4, 1, 1};
  ASSERT_EQ(values.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(values[i], expected[i], 1e-10) << i;
}

TEST(top_eigenvalues, of_the_matrix_2_1_1_2_are_3_and_1) {
  const Eigen::MatrixXd hessian{{2, 1}, {1, 2}};
  const std::vector<double> values = values_of(top_eigenvalues<double>(product_with(hessian), 2, {.count = 5}));
  ASSERT_EQ(values.size(), 2u);
  EXPECT_NEAR(values[0], 3, 1e-14);
  EXPECT_NEAR(values[1], 1, 1e-14);
}

TEST(top_eigenvalues, of_rank_one_of_zero_and_of_one_weight_are_exact) {
  const Eigen::VectorXd v = Eigen::VectorXd::LinSpaced(20, -1, 2);
  const std::vector<double> rank_one =
      values_of(top_eigenvalues<double>(product_with(v * v.transpose()), 20, {.count = 2}));
  EXPECT_NEAR(rank_one[0], v.squaredNorm(), 1e-13);
  EXPECT_NEAR(rank_one[1], 0, 1e-13);
  EXPECT_EQ(values_of(top_eigenvalues<double>(diagonal_product({0, 0, 0}), 3)), std::vector<double>{0});
  EXPECT_EQ(values_of(top_eigenvalues<double>(diagonal_product({-2}), 1)), std::vector<double>{-2});
}

TEST(top_eigenvalues, of_a_layers_block_see_no_other_layer) {
  Eigen::MatrixXd hessian = Eigen::MatrixXd::Constant(5, 5, 10);
  hessian.bottomRightCorner(2, 2) << 2, 1, 1, 2;
  auto product = product_with(hessian);
  const std::vector<std::size_t> sizes{3, 2};
  layer_block<double, decltype(product)> block(product, sizes, 1);
  EXPECT_NEAR(top_eigenvalues<double>(block, block.size()).values[0].value, 3, 1e-14);
  EXPECT_THROW((layer_block<double, decltype(product)>(product, sizes, 2)), invalid_argument);
}

TEST(top_eigenvalues, stop_at_the_maximum_or_when_cancelled_and_say_so) {
  std::vector<double> spectrum(300);
  for (std::size_t i = 0; i < spectrum.size(); ++i) spectrum[i] = static_cast<double>(i);
  eigenvalue_options options{.count = 3, .relative_tolerance = 1e-12, .maximum_products = 5};
  const eigenvalue_report limited = top_eigenvalues<double>(diagonal_product(spectrum), 300, options);
  EXPECT_EQ(limited.stop, eigenvalue_stop::maximum_products);
  EXPECT_EQ(limited.products, 5u);
  EXPECT_EQ(limited.values.size(), 3u);
  options.progress = [](const eigenvalue_progress& progress) { return progress.products < 4; };
  const eigenvalue_report cancelled = top_eigenvalues<double>(diagonal_product(spectrum), 300, options);
  EXPECT_EQ(cancelled.stop, eigenvalue_stop::cancelled);
  EXPECT_EQ(cancelled.products, 4u);
}

TEST(top_eigenvalues, refuse_bad_options_and_products) {
  const auto good = diagonal_product({1, 2});
  EXPECT_THROW(top_eigenvalues<double>(good, 0), invalid_argument);
  EXPECT_THROW(top_eigenvalues<double>(good, 2, {.count = 0}), invalid_argument);
  EXPECT_THROW(top_eigenvalues<double>(good, 2, {.relative_tolerance = 0}), invalid_argument);
  EXPECT_THROW(top_eigenvalues<double>(good, 2, {.maximum_products = 0}), invalid_argument);
  const auto forgets = [](std::span<const double>, std::span<double> result) { result[0] = 1; };
  EXPECT_THROW(top_eigenvalues<double>(forgets, 2), invalid_argument);
}

}  // namespace
}  // namespace bitwright
