// SPDX-License-Identifier: MIT
/// \file
/// The eigenvalues of a symmetric tridiagonal matrix T, and as many rows of its eigenvectors as are asked for.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace bitwright {

/// T = V diag(values) V', values ascending. rows[r][i] is entry i of the r-th starting row times V.
struct tridiagonal_eigenvalues {
  std::vector<double> values;
  std::vector<std::vector<double>> rows;
};

/// One QR step on the unreduced block [first, last] of T: T <- G' T G with the rotations that a Wilkinson shift starts
/// and that chase its bulge down; `rows` <- rows G. (Golub and Van Loan, Matrix Computations, section 8.3.)
inline void shifted_qr_step(std::span<double> diagonal, std::span<double> off_diagonal,
                            std::vector<std::vector<double>>& rows, std::size_t first, std::size_t last) {
  const double half = (diagonal[last - 1] - diagonal[last]) / 2, coupling = off_diagonal[last - 1];
  const double shift =
      diagonal[last] - coupling * (coupling / (half + std::copysign(std::hypot(half, coupling), half)));
  double along = diagonal[first] - shift, bulge = off_diagonal[first];
  for (std::size_t k = first; k < last; ++k) {
    const double length = std::hypot(along, bulge);
    const double c = length == 0 ? 1 : along / length, s = length == 0 ? 0 : bulge / length;
    if (k > first) off_diagonal[k - 1] = length;
    const double upper = diagonal[k], lower = diagonal[k + 1], between = off_diagonal[k];
    diagonal[k] = c * c * upper + 2 * c * s * between + s * s * lower;
    diagonal[k + 1] = s * s * upper - 2 * c * s * between + c * c * lower;
    off_diagonal[k] = c * s * (lower - upper) + (c * c - s * s) * between;
    if (k + 1 < last) {
      along = off_diagonal[k];
      bulge = s * off_diagonal[k + 1];
      off_diagonal[k + 1] *= c;
    }
    for (std::vector<double>& row : rows) {
      const double left = row[k], right = row[k + 1];
      row[k] = c * left + s * right;
      row[k + 1] = c * right - s * left;
    }
  }
}

/// Diagonalises T with m diagonal entries and m - 1 beside it. Each of `rows` (m entries) is multiplied by V: unit rows
/// give rows of V, so all m of them give V. About 2 m^2 rotations of each row.
/// Throws invalid_argument for sizes that do not match and for entries that are not finite.
inline tridiagonal_eigenvalues diagonalize(std::vector<double> diagonal, std::vector<double> off_diagonal,
                                           std::vector<std::vector<double>> rows = {}) {
  const std::size_t size = diagonal.size();
  require(off_diagonal.size() + 1 == std::max<std::size_t>(size, 1), "diagonalize: off_diagonal.size()",
          off_diagonal.size(), "one less than the diagonal's, ", size);
  for (const std::vector<double>& row : rows)
    require(row.size() == size, "diagonalize: row.size()", row.size(), "the diagonal's, ", size);
  for (const std::vector<double>* entries : {&diagonal, &off_diagonal})
    for (const double entry : *entries) require(std::isfinite(entry), "diagonalize: entry", entry, "a finite number");

  const auto negligible = [&](std::size_t k) {
    const double scale = std::abs(diagonal[k]) + std::abs(diagonal[k + 1]);
    return std::abs(off_diagonal[k]) <= std::numeric_limits<double>::epsilon() * scale ||
           std::abs(off_diagonal[k]) < std::numeric_limits<double>::min();
  };
  std::size_t steps = 0;
  for (std::size_t last = size; last-- > 1;)
    while (!negligible(last - 1)) {
      std::size_t first = last - 1;
      while (first > 0 && !negligible(first - 1)) --first;
      // Two or three steps an eigenvalue are usual; the cubic convergence of the shift leaves no way to need sixty.
      require(++steps <= 60 * size, "diagonalize: QR steps", steps, "at most 60 an eigenvalue");
      shifted_qr_step(diagonal, off_diagonal, rows, first, last);
    }

  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return diagonal[i]; });
  const auto sorted = [&](const std::vector<double>& from) {
    std::vector<double> to;
    for (const std::size_t i : order) to.push_back(from[i]);
    return to;
  };
  for (std::vector<double>& row : rows) row = sorted(row);
  return {sorted(diagonal), std::move(rows)};
}

}  // namespace bitwright
