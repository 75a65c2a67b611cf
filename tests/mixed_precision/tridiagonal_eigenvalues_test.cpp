// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/tridiagonal_eigenvalues.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace bitwright {
namespace {

TEST(diagonalize, finds_the_known_eigenvalues_of_the_second_difference) {
  // 2 on the diagonal and -1 beside it: 2 - 2 cos(k pi / (m + 1)). An eigenvalue is good to a few m eps times the norm,
  // 4.
  constexpr std::size_t size = 50;
  const tridiagonal_eigenvalues eigen = diagonalize(std::vector<double>(size, 2), std::vector<double>(size - 1, -1));
  for (std::size_t k = 0; k < size; ++k)
    EXPECT_NEAR(eigen.values[k], 2 - 2 * std::cos(static_cast<double>(k + 1) * std::numbers::pi / (size + 1)), 1e-13);
}

TEST(diagonalize, gives_eigenvectors_with_unit_rows_to_start_from) {
  const std::vector<double> diagonal{4, -1, 0, 0, 3}, off_diagonal{1, 2, 0, 1e-3};
  std::vector<std::vector<double>> identity(5, std::vector<double>(5));
  for (std::size_t i = 0; i < 5; ++i) identity[i][i] = 1;
  const tridiagonal_eigenvalues eigen = diagonalize(diagonal, off_diagonal, identity);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      double entry = 0, product = 0;  // Of V diag(values) V' and of V V'.
      for (std::size_t k = 0; k < 5; ++k) {
        entry += eigen.rows[i][k] * eigen.values[k] * eigen.rows[j][k];
        product += eigen.rows[i][k] * eigen.rows[j][k];
      }
      const double expected = i == j ? diagonal[i] : i + 1 == j ? off_diagonal[i] : j + 1 == i ? off_diagonal[j] : 0;
      EXPECT_NEAR(entry, expected, 1e-14);
      EXPECT_NEAR(product, i == j, 1e-15 * 5);
    }
}

TEST(diagonalize, solves_the_cases_where_a_shift_may_stumble) {
  const auto values = [](std::vector<double> diagonal, std::vector<double> off_diagonal) {
    return diagonalize(std::move(diagonal), std::move(off_diagonal)).values;
  };
  EXPECT_EQ(values({}, {}), std::vector<double>{});
  EXPECT_EQ(values({-3}, {}), std::vector<double>{-3});
  EXPECT_EQ(values({2, 1, 1}, {0, 0}), (std::vector<double>{1, 1, 2}));
  EXPECT_EQ(values({0, 0}, {0}), (std::vector<double>{0, 0}));
  EXPECT_NEAR(values({0, 0}, {1})[0], -1, 1e-15);
  EXPECT_NEAR(values({0, 0}, {1e-300})[1] / 1e-300, 1, 1e-15);
  EXPECT_NEAR(values({0, 0, 0}, {1, 1})[2], std::numbers::sqrt2, 1e-15);
  EXPECT_NEAR(values({1e-20, 1}, {1e-10})[0], 0, 1e-16);
}

TEST(diagonalize, refuses_what_is_no_tridiagonal_matrix) {
  EXPECT_THROW(diagonalize({1, 2}, {}), invalid_argument);
  EXPECT_THROW(diagonalize({}, {1}), invalid_argument);
  EXPECT_THROW(diagonalize({1, 2}, {1}, {{1}}), invalid_argument);
  EXPECT_THROW(diagonalize({1, std::numeric_limits<double>::quiet_NaN()}, {1}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
