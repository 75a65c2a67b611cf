// SPDX-License-Identifier: MIT
// Every estimator on Hessians that are known in closed form: least squares, softmax regression, rank one, one weight,
// and eigenvalues in clusters.
#include <bitwright/mixed_precision/gauss_newton_trace.hpp>
#include <bitwright/mixed_precision/grouped_hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_deflation.hpp>
#include <bitwright/mixed_precision/hessian_diagonal.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/model_trace.hpp>
#include <bitwright/mixed_precision/spectral_density.hpp>
#include <bitwright/mixed_precision/top_eigenvalues.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using sizes = std::vector<std::size_t>;

/// Samples (1, 0), (1, 1), (1, 2), (1, 3): mean x x' = [[1, 1.5], [1.5, 3.5]], of trace 4.5 and determinant 1.25.
constexpr std::size_t samples = 4;
std::array<double, 2> input(std::size_t sample) { return {1, static_cast<double>(sample)}; }
const double root = std::sqrt(15.25);  // The eigenvalues are (4.5 +- root) / 2: root^2 = 4.5^2 - 4 * 1.25.

/// The gradient of mean (x w - sample^2)^2 / 2, whose Hessian is mean x x'.
void least_squares(std::span<const double> w, std::span<double> gradient) {
  gradient[0] = gradient[1] = 0;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const auto x = input(sample);
    const double residual = x[0] * w[0] + x[1] * w[1] - static_cast<double>(sample * sample);
    for (std::size_t i = 0; i < 2; ++i) gradient[i] += residual * x[i] / samples;
  }
}

/// The gradient of the mean cross-entropy of softmax(W x), three classes, labelled sample mod 3. Its Hessian is
/// mean (diag(p) - p p') x (x x'); for W = 0 all p are 1/3, a class's block is 2/9 mean x x', and the eigenvalues are a
/// third of those of mean x x', each twice, and two zeros.
void softmax_regression(std::span<const double> w, std::span<double> gradient) {
  std::ranges::fill(gradient, 0.0);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const auto x = input(sample);
    double p[3], total = 0;
    for (std::size_t c = 0; c < 3; ++c) total += p[c] = std::exp(w[2 * c] * x[0] + w[2 * c + 1] * x[1]);
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < 2; ++i)
        gradient[2 * c + i] += (p[c] / total - (c == sample % 3 ? 1 : 0)) * x[i] / samples;
  }
}

// Central differences: rounding as in hessian_traces_of_three_parabolas, below 1e-9 for these sizes of weights.
// Softmax's truncation error, h^2 / 6 times a third derivative below 27 along |v| = 1, h = 1.2e-5, is below 1e-9 too.
constexpr double difference_error = 1e-8;

TEST(known_hessians, least_squares_has_its_trace_diagonal_and_eigenvalues) {
  const std::vector<double> weights{0.5, -1};
  central_difference product(weights, least_squares);
  EXPECT_NEAR(model_trace<double>(product, 2).estimate.trace, 4.5, difference_error);
  const eigenvalue_report top = top_eigenvalues<double>(product, 2, {.count = 2});
  EXPECT_NEAR(top.values[0].value, (4.5 + root) / 2, difference_error);
  EXPECT_NEAR(top.values[1].value, (4.5 - root) / 2, difference_error);
  // A layer of one weight shares probes with the other: its samples are 1 +- 1.5 and 3.5 +- 1.5.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const trace_report one =
        hessian_traces<double>(product, sizes{1, 1}, {.relative_tolerance = 0, .maximum_probes = 1, .seed = seed});
    EXPECT_NEAR(std::abs(one.layers[0].trace - 1), 1.5, difference_error);
    EXPECT_NEAR(one.layers[1].trace - 3.5, one.layers[0].trace - 1, difference_error);
  }
  // Groups of one have none of that: each layer alone is a diagonal Hessian.
  const auto grouped = grouped_hessian_traces<double>(product, sizes{1, 1}, {.relative_tolerance = 1e-3});
  EXPECT_EQ(grouped.groups, (layer_groups{{0}, {1}}));
  EXPECT_NEAR(grouped.traces.layers[0].trace, 1, difference_error);
  EXPECT_NEAR(grouped.traces.layers[1].trace, 3.5, difference_error);
}

TEST(known_hessians, softmax_regression_has_its_traces_and_eigenvalues) {
  const std::vector<double> weights(6);
  central_difference product(weights, softmax_regression);
  EXPECT_NEAR(model_trace<double>(product, 6).estimate.trace, 3, difference_error);  // 3 classes of 2/9 * 4.5
  const eigenvalue_report top = top_eigenvalues<double>(product, 6, {.count = 6, .relative_tolerance = 1e-6});
  const double expected[] = {(4.5 + root) / 6, (4.5 + root) / 6, (4.5 - root) / 6, (4.5 - root) / 6, 0, 0};
  ASSERT_EQ(top.values.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(top.values[i].value, expected[i], top.values[i].error_bound + difference_error) << i;
  // Once the directions span the range nothing is left to chance.
  const trace_report traces = deflated_hessian_traces<double>(product, sizes{2, 2, 2}, {}, 6);
  for (const trace_estimate& of_class : traces.layers) EXPECT_NEAR(of_class.trace, 1, 10 * difference_error);
}

TEST(known_hessians, a_sketch_of_softmax_regression_converges_to_its_hessian) {
  // The outputs are linear in the weights, so Gauss-Newton is the Hessian. A class's gradient is u_c x with
  // |u_c|^2 <= 4/9 * 3 and |x|^2 <= 10, so a sample of the trace is below 40/3, whatever the chance; the mean of 4000,
  // of deviation below sqrt(1 * 40/3) (mean 1, between 0 and 40/3), is within 5 * sqrt(40 / 3 / 4000) = 0.29 of 1.
  const auto backward = [](std::size_t sample, const cotangent_source<double>& cotangent_of,
                           std::span<double> gradient) {
    const double outputs[3] = {};
    double cotangent[3];
    cotangent_of(outputs, cotangent);
    for (std::size_t i = 0; i < 6; ++i) gradient[i] = cotangent[i / 2] * input(sample)[i % 2];
  };
  const trace_report report = gauss_newton_traces<double>(backward, samples, cross_entropy_cotangent{}, sizes{2, 2, 2},
                                                          {.relative_tolerance = 0, .maximum_probes = 4000});
  for (const trace_estimate& of_class : report.layers) {
    EXPECT_NEAR(of_class.trace, 1, 0.29);
    EXPECT_NEAR(of_class.trace, 1, 5 * of_class.standard_error);
  }
}

/// b b' with b = (1, 2, ..., 40): |b|^2 = 40 * 41 * 81 / 6 = 22140, of which 285 in the first nine weights.
void rank_one(std::span<const double> direction, std::span<double> result) {
  double along = 0;
  for (std::size_t i = 0; i < 40; ++i) along += static_cast<double>(i + 1) * direction[i];
  for (std::size_t i = 0; i < 40; ++i) result[i] = static_cast<double>(i + 1) * along;
}
const sizes nine_and_the_rest{9, 31};

TEST(known_hessians, rank_one_is_exact_for_all_that_find_the_range) {
  for (const trace_method method : {trace_method::exact, trace_method::hutch_plus_plus, trace_method::xtrace})
    EXPECT_NEAR(model_trace<double>(rank_one, 40, {.method = method}).estimate.trace, 22140, 1e-7);
  // The shift is 1e-7 |H z| / sqrt(40), at most 1e-7 * 820 * 149 / 6.3 = 0.002; ten times that is far off.
  EXPECT_NEAR(model_trace<double>(rank_one, 40, {.method = trace_method::xnystrace}).estimate.trace, 22140, 0.02);
  const trace_report deflated = deflated_hessian_traces<double>(rank_one, nine_and_the_rest, {}, 4);
  EXPECT_NEAR(deflated.layers[0].trace, 285, 1e-7);
  EXPECT_NEAR(deflated.layers[1].trace, 22140 - 285, 1e-7);
  const spectral_density density = estimate_spectral_density<double>(rank_one, 40, {.probes = 3, .steps = 10});
  for (const spectral_node& node : density.nodes)
    EXPECT_TRUE(std::abs(node.value) < 1e-7 || std::abs(node.value - 22140) < 1e-7) << node.value;
}

TEST(known_hessians, rank_one_is_unbiased_for_all_that_leave_it_to_chance) {
  // z_l'(H z)_l = (z b)_l (z b) has the variance 2 (|b_l|^4 - sum b_l^4) + |b_l|^2 |b_rest|^2: for the nine weights
  // 2 * (285^2 - 15333) + 285 * 21855 = 6.36e6 where they share probes, and 1.32e5 alone.
  const auto expect_near = [](const trace_estimate& estimate, double variance) {
    EXPECT_NEAR(estimate.trace, 285, 5 * std::sqrt(variance / static_cast<double>(estimate.probes)));
    EXPECT_NEAR(estimate.standard_error, std::sqrt(variance / static_cast<double>(estimate.probes)),
                0.2 * estimate.standard_error);
  };
  const trace_options many{.relative_tolerance = 0, .maximum_probes = 4002};
  expect_near(hessian_traces<double>(rank_one, nine_and_the_rest, many).layers[0], 6.36e6);
  const auto grouped = grouped_hessian_traces<double>(rank_one, nine_and_the_rest, many);
  ASSERT_EQ(grouped.groups.size(), 2u);
  expect_near(grouped.traces.layers[0], 1.32e5);
  const hessian_diagonal diagonal = estimate_hessian_diagonal<double>(rank_one, 40, 4000);
  // Entry i has the variance b_i^2 (|b|^2 - b_i^2).
  for (std::size_t i = 0; i < 40; ++i) {
    const double square = static_cast<double>((i + 1) * (i + 1));
    EXPECT_NEAR(diagonal.entries[i].mean(), square, 5 * std::sqrt(square * (22140 - square) / 4000)) << i;
  }
}

TEST(known_hessians, one_weight_is_exact_for_every_estimator) {
  const auto three = [](std::span<const double> direction, std::span<double> result) { result[0] = 3 * direction[0]; };
  for (const trace_method method : {trace_method::automatic, trace_method::exact, trace_method::hutchinson,
                                    trace_method::hutch_plus_plus, trace_method::xtrace})
    EXPECT_EQ(model_trace<double>(three, 1, {.method = method}).estimate.trace, 3) << static_cast<int>(method);
  // But for the shift, 1e-7 * 3, which goes in and comes out in rounded arithmetic.
  EXPECT_NEAR(model_trace<double>(three, 1, {.method = trace_method::xnystrace}).estimate.trace, 3, 1e-14);
  const trace_report reports[] = {hessian_traces<double>(three, sizes{1}),
                                  grouped_hessian_traces<double>(three, sizes{1}).traces,
                                  deflated_hessian_traces<double>(three, sizes{1})};
  for (const trace_report& report : reports) {
    EXPECT_EQ(report.layers[0].trace, 3);
    EXPECT_EQ(report.layers[0].standard_error, 0);
    EXPECT_EQ(report.stop, trace_stop::tolerance);
  }
  EXPECT_EQ(top_eigenvalues<double>(three, 1).values[0].value, 3);
  EXPECT_EQ(estimate_hessian_diagonal<double>(three, 1, 2).entries[0].mean(), 3);
  const spectral_density density = estimate_spectral_density<double>(three, 1);
  EXPECT_NEAR(density.mean([](double x) { return x; }), 3, 1e-14);
}

/// Three eigenvalues within 2e-6 of 9, forty within 4e-7 of 1, and an isolated -4. All eigenvectors are along
/// coordinates, so Hutchinson's samples are exact and say nothing; Lanczos and its kin see the eigenvalues alone.
double clustered(std::size_t i) {
  if (i < 3) return 9 + 1e-6 * static_cast<double>(i);
  return i < 43 ? 1 + 1e-8 * static_cast<double>(i - 3) : -4;
}
void clusters(std::span<const double> direction, std::span<double> result) {
  for (std::size_t i = 0; i < 44; ++i) result[i] = clustered(i) * direction[i];
}

TEST(known_hessians, clustered_eigenvalues_are_found_within_their_bounds) {
  const double expected[] = {clustered(2), clustered(1), clustered(0), -4, clustered(42), clustered(41)};
  for (const double tolerance : {1e-3, 1e-9}) {
    const eigenvalue_report top = top_eigenvalues<double>(clusters, 44, {.count = 6, .relative_tolerance = tolerance});
    ASSERT_EQ(top.stop, eigenvalue_stop::converged);
    ASSERT_EQ(top.values.size(), 6u);
    // A bound says that there is an eigenvalue as near, not that it is the largest of its cluster: one a cluster's
    // width away will do, where the tolerance does not resolve the cluster.
    const double width = tolerance > 1e-6 ? 2e-6 : 0;
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_NEAR(top.values[i].value, expected[i], top.values[i].error_bound + width + 1e-13) << tolerance << ' ' << i;
    for (std::size_t i = 4; i < 6; ++i)
      EXPECT_NEAR(top.values[i].value, expected[i], top.values[i].error_bound + 4e-7) << tolerance << ' ' << i;
  }
}

TEST(known_hessians, clustered_eigenvalues_have_their_share_of_the_density) {
  const spectral_density density = estimate_spectral_density<double>(clusters, 44, {.probes = 2, .steps = 30});
  const auto share_near = [&](double centre) {
    return density.mean([&](double x) { return std::abs(x - centre) < 1e-5 ? 1.0 : 0.0; });
  };
  // Rademacher entries have size 1, so weights are shares of the count.
  EXPECT_NEAR(share_near(9), 3.0 / 44, 1e-9);
  EXPECT_NEAR(share_near(1), 40.0 / 44, 1e-9);
  EXPECT_NEAR(share_near(-4), 1.0 / 44, 1e-9);
}

TEST(known_hessians, clustered_eigenvalues_are_a_low_rank_to_what_finds_the_range) {
  // Off the coordinate axes by a reflection, and three large ones close to each other above many small ones alike.
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    const auto reflect = [](std::span<double> v) {
      const double twice_mean = 2 * std::reduce(v.begin(), v.end()) / static_cast<double>(v.size());
      for (double& entry : v) entry -= twice_mean;
    };
    std::vector<double> turned(direction.begin(), direction.end());
    reflect(turned);
    for (std::size_t i = 0; i < 60; ++i)
      result[i] = turned[i] * (i < 3 ? 9 + 1e-6 * static_cast<double>(i) : 0.01 + 1e-8 * static_cast<double>(i));
    reflect(result);
  };
  // 27 + 3e-6 + 57 * 0.01 + 1e-8 * (3 + ... + 59 = 1767); what chance leaves is of the reflection: below 0.1 %.
  constexpr double trace = 27 + 3e-6 + 0.57 + 1.767e-5;
  for (const trace_method method : {trace_method::hutch_plus_plus, trace_method::xtrace, trace_method::xnystrace})
    EXPECT_NEAR(model_trace<double>(product, 60, {.relative_tolerance = 1e-4, .method = method}).estimate.trace, trace,
                1e-3 * trace)
        << static_cast<int>(method);
}

}  // namespace
}  // namespace bitwright
