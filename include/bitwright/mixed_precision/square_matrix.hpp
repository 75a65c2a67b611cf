// SPDX-License-Identifier: MIT
/// \file
/// A small dense matrix that grows by a row and a column at a time, as the Gram matrices of a growing set of probes do.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bitwright {

/// Row-major, in double. Entries that `grow` adds are zero.
class square_matrix {
 public:
  square_matrix() = default;
  explicit square_matrix(std::size_t size) : rows_(size, std::vector<double>(size)) {}

  std::size_t size() const { return rows_.size(); }
  double& operator()(std::size_t row, std::size_t column) { return rows_[row][column]; }
  double operator()(std::size_t row, std::size_t column) const { return rows_[row][column]; }

  void grow() {
    for (std::vector<double>& row : rows_) row.push_back(0);
    rows_.emplace_back(rows_.size() + 1);
  }

  /// v' M v.
  double quadratic_form(std::span<const double> v) const {
    double sum = 0;
    for (std::size_t i = 0; i < size(); ++i)
      for (std::size_t j = 0; j < size(); ++j) sum += v[i] * rows_[i][j] * v[j];
    return sum;
  }

 private:
  std::vector<std::vector<double>> rows_;
};

/// The inverse of an upper triangular matrix without zeros on its diagonal.
inline square_matrix upper_inverse(const square_matrix& upper) {
  square_matrix inverse(upper.size());
  for (std::size_t column = 0; column < upper.size(); ++column)
    for (std::size_t row = column + 1; row-- > 0;) {
      double sum = row == column ? 1 : 0;
      for (std::size_t k = row + 1; k <= column; ++k) sum -= upper(row, k) * inverse(k, column);
      inverse(row, column) = sum / upper(row, row);
    }
  return inverse;
}

/// The upper triangular R with R'R = `matrix` (Cholesky), or nothing where the matrix is not positive definite.
inline std::optional<square_matrix> cholesky(const square_matrix& matrix) {
  square_matrix upper(matrix.size());
  for (std::size_t row = 0; row < matrix.size(); ++row)
    for (std::size_t column = row; column < matrix.size(); ++column) {
      double sum = matrix(row, column);
      for (std::size_t k = 0; k < row; ++k) sum -= upper(k, row) * upper(k, column);
      if (row == column && !(sum > 0)) return std::nullopt;
      upper(row, column) = row == column ? std::sqrt(sum) : sum / upper(row, row);
    }
  return upper;
}

}  // namespace bitwright
