// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/hessian_diagonal.hpp>

#include <gtest/gtest.h>
#include <reference/coupled_hessian.hpp>

#include <cmath>
#include <limits>
#include <span>

namespace bitwright {
namespace {

using reference::coupled_hessian;

TEST(hessian_diagonal, of_a_diagonal_hessian_is_exact_from_one_probe) {
  const auto product = [](std::span<const float> direction, std::span<float> result) {
    for (std::size_t i = 0; i < 3; ++i) result[i] = static_cast<float>(i) * direction[i];
  };
  const hessian_diagonal diagonal = estimate_hessian_diagonal<float>(product, 3, 1);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(diagonal.entries[i].mean(), static_cast<double>(i));
  EXPECT_EQ(diagonal.squared_norm.mean(), 5);  // 0 + 1 + 4
  EXPECT_EQ(diagonal.squared_norm.standard_error(), std::numeric_limits<double>::infinity());
}

TEST(hessian_diagonal, is_unbiased_entry_by_entry_and_in_its_norm) {
  // 5 standard errors are passed once in 1.7 million times.
  const auto diagonal = estimate_hessian_diagonal<double>(coupled_hessian{}, coupled_hessian::size, 20000);
  double squared_norm = 0;
  for (std::size_t i = 0; i < coupled_hessian::size; ++i) {
    const sample_mean& entry = diagonal.entries[i];
    EXPECT_NEAR(entry.mean(), coupled_hessian::entry(i, i), 5 * entry.standard_error()) << i;
    for (std::size_t j = 0; j < coupled_hessian::size; ++j) squared_norm += std::pow(coupled_hessian::entry(i, j), 2);
  }
  EXPECT_NEAR(diagonal.squared_norm.mean(), squared_norm, 5 * diagonal.squared_norm.standard_error());
}

TEST(hessian_diagonal, has_intervals_that_cover_as_often_as_they_say) {
  // 400 trials of 60 probes: 2.001 standard errors (Student's t, 59 degrees of freedom) cover 95 % of means that are
  // nearly normal, with a standard deviation of 0.011, so that [0.90, 0.99] leaves 4.6 and 3.7 of them.
  constexpr std::size_t entries[] = {0, 7, 23};
  double squared_norm = 0;
  for (std::size_t i = 0; i < coupled_hessian::size * coupled_hessian::size; ++i)
    squared_norm += std::pow(coupled_hessian::entry(i / coupled_hessian::size, i % coupled_hessian::size), 2);
  int covered[4] = {};
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto diagonal = estimate_hessian_diagonal<double>(coupled_hessian{}, coupled_hessian::size, 60, seed);
    const auto covers = [](const sample_mean& estimate, double exact) {
      return std::abs(estimate.mean() - exact) <= 2.001 * estimate.standard_error();
    };
    for (std::size_t i = 0; i < 3; ++i)
      covered[i] += covers(diagonal.entries[entries[i]], coupled_hessian::entry(entries[i], entries[i]));
    covered[3] += covers(diagonal.squared_norm, squared_norm);
  }
  for (const int count : covered) {
    EXPECT_GE(count, 360);
    EXPECT_LE(count, 396);
  }
}

TEST(hessian_diagonal, refuses_nothing_to_do_and_broken_products) {
  EXPECT_THROW(estimate_hessian_diagonal<double>(coupled_hessian{}, 0, 1), invalid_argument);
  EXPECT_THROW(estimate_hessian_diagonal<double>(coupled_hessian{}, 24, 0), invalid_argument);
  const auto forgets = [](std::span<const double>, std::span<double> result) { result[0] = 1; };
  EXPECT_THROW(estimate_hessian_diagonal<double>(forgets, 2, 1), invalid_argument);
}

}  // namespace
}  // namespace bitwright
