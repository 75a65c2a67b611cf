// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/spectral_density.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <gtest/gtest.h>
#include <reference/coupled_hessian.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

/// 1, 2, ..., 100 on the diagonal.
void staircase(std::span<const double> direction, std::span<double> result) {
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<double>(i + 1) * direction[i];
}

double total_weight(const spectral_density& density) {
  return density.mean([](double) { return 1.0; });
}

TEST(spectral_density, has_the_moments_of_a_diagonal_hessian_exactly_up_to_twice_the_steps) {
  // z_i^2 = 1, so z' f(H) z is the trace of f(H), for every probe. 5 steps integrate degree 9 exactly.
  const spectral_density density = estimate_spectral_density<double>(staircase, 100, {.probes = 3, .steps = 5});
  EXPECT_EQ(density.products, 15u);
  EXPECT_NEAR(total_weight(density), 1, 1e-13);
  EXPECT_NEAR(density.mean([](double x) { return x; }), 50.5, 1e-11);
  EXPECT_NEAR(density.mean([](double x) { return x * x; }), 3383.5, 1e-9);  // 101 * 201 / 6
  double ninth = 0;
  for (int i = 1; i <= 100; ++i) ninth += std::pow(i, 9) / 100;
  EXPECT_NEAR(density.mean([](double x) { return std::pow(x, 9); }) / ninth, 1, 1e-11);
}

TEST(spectral_density, has_moments_without_bias) {
  // Two steps integrate degree 3 exactly, so a probe's k-th moment is z' H^k z / n, of mean Tr(H^k) / n, whatever H. The
  // mean of 2000 probes passes 5 of its standard errors once in 1.7 million times.
  using reference::coupled_hessian;
  constexpr std::size_t n = coupled_hessian::size;
  double first = 0, second = 0, third = 0;  // Tr(H), Tr(H^2) and Tr(H^3), over n.
  for (std::size_t i = 0; i < n; ++i) {
    first += coupled_hessian::entry(i, i) / n;
    for (std::size_t j = 0; j < n; ++j) {
      second += std::pow(coupled_hessian::entry(i, j), 2) / n;
      for (std::size_t k = 0; k < n; ++k)
        third += coupled_hessian::entry(i, j) * coupled_hessian::entry(j, k) * coupled_hessian::entry(k, i) / n;
    }
  }
  const double exact[] = {first, second, third};
  sample_mean moments[3];
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto density =
        estimate_spectral_density<double>(coupled_hessian{}, n, {.probes = 1, .steps = 2, .seed = seed});
    for (int k = 0; k < 3; ++k) moments[k].add(density.mean([&](double x) { return std::pow(x, k + 1); }));
  }
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(moments[k].mean(), exact[k], 5 * moments[k].standard_error()) << k;
}

TEST(spectral_density, of_few_distinct_eigenvalues_is_exact_and_needs_no_more_products_than_there_are) {
  // 60 eigenvalues -1, 30 of 0 and 10 of 5.
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    for (std::size_t i = 0; i < 100; ++i) result[i] = (i < 60 ? -1 : i < 90 ? 0 : 5) * direction[i];
  };
  const spectral_density density = estimate_spectral_density<double>(product, 100, {.probes = 2, .steps = 50});
  EXPECT_LE(density.products, 8u);  // Three a probe, and perhaps one that only rounding asks for.
  const auto share_near = [&](double centre) {
    return density.mean([&](double x) { return std::abs(x - centre) < 1e-9 ? 1.0 : 0.0; });
  };
  EXPECT_NEAR(share_near(-1), 0.6, 1e-12);
  EXPECT_NEAR(share_near(0), 0.3, 1e-12);
  EXPECT_NEAR(share_near(5), 0.1, 1e-12);
}

TEST(spectral_density, is_a_density) {
  const spectral_density density = estimate_spectral_density<double>(staircase, 100, {.probes = 2, .steps = 20});
  double area = 0;  // Trapezoids of width 1 are exact to 1e-15 for Gaussians of deviation 3.
  for (int x = -50; x <= 150; ++x) area += density(x, 3);
  EXPECT_NEAR(area, 1, 1e-12);
  EXPECT_NEAR(density(50, 20), 0.01, 0.002);
  EXPECT_THROW(density(0, 0), invalid_argument);
}

TEST(spectral_density, can_be_cancelled_and_keeps_complete_probes) {
  spectral_density_options options{.probes = 4, .steps = 5};
  options.progress = [](std::size_t products, std::size_t maximum) {
    EXPECT_EQ(maximum, 20u);
    return products < 13;
  };
  const spectral_density density = estimate_spectral_density<double>(staircase, 100, options);
  EXPECT_TRUE(density.cancelled);
  EXPECT_EQ(density.products, 13u);
  EXPECT_EQ(density.nodes.size(), 10u);
  EXPECT_NEAR(total_weight(density), 1, 1e-13);
}

TEST(spectral_density, refuses_bad_options_and_products) {
  EXPECT_THROW(estimate_spectral_density<double>(staircase, 0), invalid_argument);
  EXPECT_THROW(estimate_spectral_density<double>(staircase, 3, {.probes = 0}), invalid_argument);
  EXPECT_THROW(estimate_spectral_density<double>(staircase, 3, {.steps = 0}), invalid_argument);
  const auto forgets = [](std::span<const double>, std::span<double> result) { result[0] = 1; };
  EXPECT_THROW(estimate_spectral_density<double>(forgets, 2), invalid_argument);
}

}  // namespace
}  // namespace bitwright
