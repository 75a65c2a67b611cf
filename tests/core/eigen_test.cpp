// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/eigen.hpp>
#include <bitwright/core/tensor.hpp>

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

TEST(as_eigen, maps_rows_and_columns_onto_the_same_memory) {
  tensor<float> owner({2, 3});
  owner(0, 2) = 5;
  auto matrix = as_eigen(owner.view());
  EXPECT_EQ(matrix.rows(), 2);
  EXPECT_EQ(matrix.cols(), 3);
  EXPECT_EQ(matrix(0, 2), 5);
  matrix(1, 0) = 7;
  EXPECT_EQ(owner(1, 0), 7);
  EXPECT_EQ(matrix.data(), owner.values().data());
}

TEST(as_eigen, maps_a_vector_onto_a_row_and_constants_onto_constants) {
  const tensor<int> owner({4});
  const auto row = as_eigen(owner.view());
  EXPECT_EQ(row.rows(), 1);
  EXPECT_EQ(row.cols(), 4);
  static_assert(std::is_same_v<std::remove_pointer_t<decltype(row.data())>, const int>);
}

TEST(as_eigen, refuses_other_ranks) {
  tensor<float> cube({2, 3, 4}), scalar(shape{});
  EXPECT_EQ(refusal([&] { as_eigen(cube.view()); }),
            "as_eigen: view.shape() is [2, 3, 4], expected one or two dimensions");
  EXPECT_EQ(refusal([&] { as_eigen(scalar.view()); }), "as_eigen: view.shape() is [], expected one or two dimensions");
}

TEST(as_tensor_view, sees_a_row_major_matrix) {
  row_major_matrix<double> matrix(2, 3);
  matrix << 1, 2, 3, 4, 5, 6;
  const auto view = as_tensor_view(matrix);
  EXPECT_EQ(view.shape(), (shape{2, 3}));
  EXPECT_EQ(view(1, 0), 4);
  view(1, 2) = 0;
  EXPECT_EQ(matrix(1, 2), 0);
  static_assert(std::is_same_v<decltype(as_tensor_view(std::as_const(matrix))), tensor_view<const double>>);
  auto map = as_eigen(view);
  EXPECT_EQ(as_tensor_view(map).values().data(), matrix.data());
}

TEST(as_tensor_view, of_an_empty_matrix_is_empty) {
  row_major_matrix<float> matrix(0, 3);
  EXPECT_EQ(as_tensor_view(matrix).shape(), (shape{0, 3}));
}

TEST(as_tensor_view, refuses_maps_with_gaps) {
  std::vector<float> memory(12);
  using outer = Eigen::Map<row_major_matrix<float>, 0, Eigen::OuterStride<>>;
  outer every_second_row(memory.data(), 2, 3, Eigen::OuterStride<>(6));
  EXPECT_EQ(refusal([&] { as_tensor_view(every_second_row); }),
            "as_tensor_view: matrix.outerStride() is 6, expected that of contiguous rows, 3");
  using inner = Eigen::Map<row_major_matrix<float>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  inner every_second_column(memory.data(), 2, 3, {6, 2});
  EXPECT_EQ(refusal([&] { as_tensor_view(every_second_column); }),
            "as_tensor_view: matrix.innerStride() is 2, expected 1");
}

}  // namespace
}  // namespace bitwright
