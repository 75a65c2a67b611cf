// SPDX-License-Identifier: MIT
/// \file
/// Eigen and tensor_view see the same memory: maps both ways, without a copy.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <span>
#include <type_traits>

namespace bitwright {

/// A row-major Eigen matrix whose size is known at run time.
template <class T>
using row_major_matrix = Eigen::Matrix<std::remove_cv_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// An Eigen map of a view with one dimension (a single row) or two (rows x columns). The view's memory must outlive it.
/// Throws invalid_argument for any other number of dimensions.
template <class T>
auto as_eigen(tensor_view<T> view) {
  require(view.shape().rank() == 1 || view.shape().rank() == 2, "as_eigen: view.shape()", view.shape(),
          "one or two dimensions");
  using matrix = std::conditional_t<std::is_const_v<T>, const row_major_matrix<T>, row_major_matrix<T>>;
  const std::size_t rows = view.shape().rank() == 1 ? 1 : view.size(0);
  const std::size_t columns = view.size(view.shape().rank() - 1);
  return Eigen::Map<matrix>(view.values().data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
}

/// A view of a row-major Eigen matrix (or of a map of one): rows x columns. The matrix must outlive the view.
/// Column-major matrices are refused when compiling: their memory is that of the transpose.
/// Throws invalid_argument for a map with gaps between its elements or rows.
template <class Matrix>
auto as_tensor_view(Matrix& matrix) {
  using plain = std::remove_const_t<Matrix>;
  static_assert(plain::IsRowMajor, "as_tensor_view: expected a row-major Eigen matrix");
  using element = std::remove_pointer_t<decltype(matrix.data())>;
  require(matrix.innerStride() == 1, "as_tensor_view: matrix.innerStride()", matrix.innerStride(), "1");
  require(matrix.outerStride() == matrix.cols(), "as_tensor_view: matrix.outerStride()", matrix.outerStride(),
          "that of contiguous rows, ", matrix.cols());
  const auto rows = static_cast<std::size_t>(matrix.rows()), columns = static_cast<std::size_t>(matrix.cols());
  return tensor_view<element>(std::span<element>(matrix.data(), rows * columns), {rows, columns});
}

}  // namespace bitwright
