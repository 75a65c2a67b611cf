// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/model_trace.hpp>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

auto product_with(const Eigen::MatrixXd& hessian) {
  return [&hessian](std::span<const double> direction, std::span<double> result) {
    const auto size = static_cast<Eigen::Index>(direction.size());
    Eigen::VectorXd::Map(result.data(), size) = hessian * Eigen::VectorXd::Map(direction.data(), size);
  };
}

/// Orthogonal matrix * diag(eigenvalue(i)) * its transpose.
template <class Eigenvalue>
Eigen::MatrixXd with_spectrum(Eigen::Index size, Eigenvalue eigenvalue) {
  std::mt19937 random(5);
  Eigen::MatrixXd gaussian(size, size);
  for (Eigen::Index i = 0; i < gaussian.size(); ++i) gaussian(i) = std::normal_distribution()(random);
  const Eigen::MatrixXd basis = Eigen::HouseholderQR<Eigen::MatrixXd>(gaussian).householderQ();
  Eigen::VectorXd values(size);
  for (Eigen::Index i = 0; i < size; ++i) values(i) = eigenvalue(static_cast<double>(i));
  return basis * values.asDiagonal() * basis.transpose();
}
Eigen::MatrixXd definite(Eigen::Index size) {
  return with_spectrum(size, [](double i) { return 1 / (1 + i); });
}
Eigen::MatrixXd indefinite(Eigen::Index size) {
  return with_spectrum(size, [](double i) { return (i < 3 ? 10.0 : 1.0) * std::cos(2 * i); });
}

Eigen::MatrixXd probes(Eigen::Index weights, Eigen::Index count, std::uint64_t seed) {
  Eigen::MatrixXd result(weights, count);
  for (Eigen::Index i = 0; i < count; ++i)
    rademacher_probe(seed, static_cast<std::uint64_t>(i))
        .fill(std::span(result.col(i).data(), static_cast<std::size_t>(weights)));
  return result;
}
Eigen::MatrixXd without_column(const Eigen::MatrixXd& matrix, Eigen::Index left_out) {
  Eigen::MatrixXd result(matrix.rows(), matrix.cols() - 1);
  result << matrix.leftCols(left_out), matrix.rightCols(matrix.cols() - 1 - left_out);
  return result;
}

model_trace_options budget(trace_method method, std::size_t products, std::uint64_t seed = 0) {
  return {.relative_tolerance = 0, .maximum_products = products, .method = method, .seed = seed};
}

TEST(model_trace, by_xtrace_is_the_mean_of_its_definition_leaving_out_each_probe) {
  const Eigen::MatrixXd hessian = indefinite(50), z = probes(50, 9, 3), image = hessian * z;
  double mean = 0;
  for (Eigen::Index i = 0; i < 9; ++i) {
    const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(without_column(image, i)).householderQ() *
                              Eigen::MatrixXd::Identity(50, 8);
    const Eigen::VectorXd rest = z.col(i) - q * (q.transpose() * z.col(i));
    mean += ((q.transpose() * hessian * q).trace() + rest.dot(hessian * rest)) / 9;
  }
  const model_trace_report report = model_trace<double>(product_with(hessian), 50, budget(trace_method::xtrace, 18, 3));
  EXPECT_NEAR(report.estimate.trace, mean, 1e-11);
  EXPECT_EQ(report.products, 18u);
  EXPECT_EQ(report.estimate.probes, 9u);
  EXPECT_TRUE(report.estimate.heuristic);
}

TEST(model_trace, by_xnystrace_is_the_mean_of_its_definition_leaving_out_each_probe) {
  const Eigen::MatrixXd hessian = definite(50), z = probes(50, 9, 3), image = hessian * z;
  double mean = 0;
  for (Eigen::Index i = 0; i < 9; ++i) {
    const Eigen::MatrixXd y = without_column(image, i), m = without_column(z, i).transpose() * y;
    const Eigen::MatrixXd nystrom = y * m.ldlt().solve(y.transpose());
    mean += (nystrom.trace() + z.col(i).dot((hessian - nystrom) * z.col(i))) / 9;
  }
  const model_trace_report report =
      model_trace<double>(product_with(hessian), 50, budget(trace_method::xnystrace, 9, 3));
  // The shift, 1e-7 |Hz| / sqrt(50) = 2e-8, changes a t_i by some of its own trace, 50 * 2e-8 = 1e-6.
  EXPECT_NEAR(report.estimate.trace, mean, 1e-6);
  EXPECT_EQ(report.products, 9u);
}

void expect_unbiased(trace_method method, const Eigen::MatrixXd& hessian, std::size_t products) {
  // The mean of 400 seeds passes 5 of its standard errors once in 1.7 million.
  sample_mean mean;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto weights = static_cast<std::size_t>(hessian.rows());
    mean.add(model_trace<double>(product_with(hessian), weights, budget(method, products, seed)).estimate.trace);
  }
  EXPECT_NEAR(mean.mean(), hessian.trace(), 5 * mean.standard_error()) << static_cast<int>(method);
  EXPECT_GT(mean.standard_error(), 1e-6);
}

TEST(model_trace, is_unbiased_by_every_method) {
  for (const trace_method method : {trace_method::hutchinson, trace_method::hutch_plus_plus, trace_method::xtrace})
    expect_unbiased(method, indefinite(40), 15);
  expect_unbiased(trace_method::xnystrace, definite(40), 10);
}

TEST(model_trace, has_intervals_that_cover_where_they_are_not_marked_heuristic) {
  // 400 trials with 30 samples of the rest: 2.045 standard errors (Student's t, 29 degrees of freedom) cover 95 %, of 400
  // with a standard deviation of 0.011, so that [0.90, 0.99] leaves 4.6 and 3.7 of them.
  const Eigen::MatrixXd hessian = indefinite(60);
  for (const trace_method method : {trace_method::hutchinson, trace_method::hutch_plus_plus}) {
    int covered = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      const std::size_t products = method == trace_method::hutchinson ? 30 : 90;
      const trace_estimate estimate =
          model_trace<double>(product_with(hessian), 60, budget(method, products, seed)).estimate;
      ASSERT_EQ(estimate.probes, 30u);
      EXPECT_FALSE(estimate.heuristic);
      covered += std::abs(estimate.trace - hessian.trace()) <= 2.045 * estimate.standard_error;
    }
    EXPECT_GE(covered, 360) << static_cast<int>(method);
    EXPECT_LE(covered, 396) << static_cast<int>(method);
  }
}

TEST(model_trace, of_low_rank_is_exact_by_every_method_that_finds_the_range) {
  const Eigen::MatrixXd hessian = with_spectrum(60, [](double i) { return i < 4 ? 2 + i : 0; });  // 2 + 3 + 4 + 5
  for (const trace_method method : {trace_method::hutch_plus_plus, trace_method::xtrace, trace_method::xnystrace}) {
    const model_trace_report report = model_trace<double>(product_with(hessian), 60, {.method = method});
    EXPECT_NEAR(report.estimate.trace, 14, method == trace_method::xnystrace ? 1e-5 : 1e-12);
    EXPECT_EQ(report.stop, trace_stop::tolerance);
  }
}

TEST(model_trace, of_a_zero_hessian_is_zero) {
  const Eigen::MatrixXd hessian = Eigen::MatrixXd::Zero(40, 40);
  for (const trace_method method :
       {trace_method::hutchinson, trace_method::hutch_plus_plus, trace_method::xtrace, trace_method::xnystrace}) {
    const model_trace_report report = model_trace<double>(product_with(hessian), 40, {.method = method});
    EXPECT_EQ(report.estimate.trace, 0);
    EXPECT_EQ(report.estimate.standard_error, 0);
  }
}

TEST(model_trace, of_few_weights_is_computed_exactly) {
  for (const Eigen::Index size : {1, 2, 20}) {
    const Eigen::MatrixXd hessian = indefinite(size);
    const model_trace_report report = model_trace<double>(product_with(hessian), static_cast<std::size_t>(size));
    EXPECT_NEAR(report.estimate.trace, hessian.trace(), 1e-13);
    EXPECT_EQ(report.estimate.standard_error, 0);
    EXPECT_EQ(report.products, static_cast<std::size_t>(size));
    EXPECT_EQ(report.method, trace_method::exact);
    EXPECT_EQ(report.stop, trace_stop::tolerance);
  }
}

TEST(model_trace, chooses_its_method_by_products_and_memory) {
  const auto choice = [](const model_trace_options& options) { return choose_trace_method(1000, 4, options); };
  constexpr std::size_t vector = 4000;
  EXPECT_EQ(choice({}), trace_method::xtrace);
  EXPECT_EQ(choice({.semidefinite = true}), trace_method::xnystrace);
  EXPECT_EQ(choice({.memory_limit = 96 * vector, .semidefinite = true}), trace_method::xtrace);
  EXPECT_EQ(choice({.memory_limit = 50 * vector}), trace_method::xtrace);
  EXPECT_EQ(choice({.memory_limit = 49 * vector}), trace_method::hutch_plus_plus);
  EXPECT_EQ(choice({.memory_limit = 2 * vector}), trace_method::hutchinson);
}

TEST(model_trace, stops_at_the_tolerance_at_the_maximum_and_when_cancelled) {
  const Eigen::MatrixXd hessian = definite(100);
  const model_trace_report loose = model_trace<double>(product_with(hessian), 100, {.relative_tolerance = 10});
  EXPECT_EQ(loose.stop, trace_stop::tolerance);
  EXPECT_EQ(loose.products, 16u);
  const model_trace_report strict =
      model_trace<double>(product_with(hessian), 100, {.relative_tolerance = 0, .maximum_products = 21});
  EXPECT_EQ(strict.stop, trace_stop::maximum);
  EXPECT_EQ(strict.products, 20u);  // A probe takes two.
  model_trace_options options;
  options.progress = [](const model_trace_progress& progress) { return progress.products < 6; };
  const model_trace_report cancelled = model_trace<double>(product_with(hessian), 100, options);
  EXPECT_EQ(cancelled.stop, trace_stop::cancelled);
  EXPECT_EQ(cancelled.products, 6u);
}

TEST(model_trace, refuses_bad_options_products_and_negative_curvature_where_it_was_excluded) {
  const Eigen::MatrixXd hessian = definite(40), negative = -hessian;
  const auto product = product_with(hessian);
  EXPECT_THROW(model_trace<double>(product, 0), invalid_argument);
  EXPECT_THROW(model_trace<double>(product, 40, {.relative_tolerance = -1}), invalid_argument);
  EXPECT_THROW(model_trace<double>(product, 40, {.maximum_products = 0}), invalid_argument);
  EXPECT_THROW(model_trace<double>(product, 40, budget(trace_method::exact, 39)), invalid_argument);
  EXPECT_THROW(model_trace<double>(product, 40, budget(trace_method::hutch_plus_plus, 2)), invalid_argument);
  EXPECT_THROW(model_trace<double>(product_with(negative), 40, {.semidefinite = true}), invalid_argument);
  const auto forgets = [](std::span<const double>, std::span<double> result) { result[0] = 1; };
  for (const std::size_t weights : {2u, 40u}) EXPECT_THROW(model_trace<double>(forgets, weights), invalid_argument);
}

}  // namespace
}  // namespace bitwright
