// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/tensor_view.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

TEST(shape, has_as_many_elements_as_the_product_of_its_sizes) {
  static_assert(shape{2, 3, 4}.elements() == 24 && shape{2, 3, 4}.rank() == 3 && shape{2, 3, 4}[1] == 3);
  static_assert(shape{}.elements() == 1 && shape{}.rank() == 0);
  static_assert(shape{5, 0, 2}.elements() == 0);
  static_assert(shape{1, 2, 3, 4, 5}.elements() == 120);
  constexpr shape extent{2, 3, 4};
  EXPECT_EQ(std::vector<std::size_t>(extent.begin(), extent.end()), (std::vector<std::size_t>{2, 3, 4}));
}

TEST(shape, equals_only_the_same_sizes_in_the_same_order) {
  EXPECT_EQ((shape{2, 3}), (shape{2, 3}));
  EXPECT_NE((shape{2, 3}), (shape{3, 2}));
  EXPECT_NE((shape{2, 3}), (shape{2, 3, 1}));
  EXPECT_NE((shape{0}), (shape{0, 0}));
  const std::vector<std::size_t> sizes{2, 3};
  EXPECT_EQ(shape(sizes), (shape{2, 3}));
}

TEST(shape, refuses_more_than_five_dimensions_and_more_elements_than_can_be_counted) {
  EXPECT_EQ(refusal([] { shape{1, 1, 1, 1, 1, 1}; }), "shape: dimensions is 6, expected at most 5");
  EXPECT_EQ(refusal([] {
              shape{std::size_t{1} << 32, std::size_t{1} << 32};
            }),
            "shape: sizes is [4294967296, 4294967296], expected fewer elements than overflow a std::size_t");
  EXPECT_EQ((shape{(std::size_t{1} << 32) - 1, (std::size_t{1} << 32) + 1}).elements(), ~std::size_t{0});  // Just fits.
}

TEST(tensor_view, counts_the_last_dimension_fastest) {
  std::vector<int> values(24);
  std::iota(values.begin(), values.end(), 0);
  const tensor_view<int> view(values, {2, 3, 4});
  EXPECT_EQ(view(0, 0, 0), 0);
  EXPECT_EQ(view(0, 0, 3), 3);
  EXPECT_EQ(view(0, 2, 0), 8);
  EXPECT_EQ(view(1, 2, 3), 23);
  EXPECT_EQ(view.size(1), 3u);
}

TEST(tensor_view, part_at_an_index_is_a_view_of_the_same_memory) {
  std::vector<int> values(24);
  std::iota(values.begin(), values.end(), 0);
  const tensor_view<int> view(values, {2, 3, 4});
  EXPECT_EQ(view[1].shape(), (shape{3, 4}));
  EXPECT_EQ(view[1].values().data(), values.data() + 12);
  EXPECT_EQ(view[1][2].shape(), (shape{4}));
  EXPECT_EQ(view[1][2][3].shape(), shape{});
  EXPECT_EQ(view[1][2][3](), 23);
  view[1][2](3) = -1;
  EXPECT_EQ(values[23], -1);
}

TEST(tensor_view, of_mutable_elements_becomes_one_of_constant_elements_and_not_back) {
  std::vector<float> values(6);
  const tensor_view<float> view(values, {2, 3});
  const tensor_view<const float> constant = view;
  EXPECT_EQ(constant.values().data(), values.data());
  EXPECT_EQ(constant.shape(), view.shape());
  static_assert(!std::is_convertible_v<tensor_view<const float>, tensor_view<float>>);
}

TEST(tensor_view, copies_see_the_same_memory) {
  std::vector<float> values(6);
  tensor_view<float> view(values, {2, 3});
  const tensor_view<float> copy = view;
  copy(1, 2) = 4;
  EXPECT_EQ(view(1, 2), 4);
  view = copy[0];
  EXPECT_EQ(view.shape(), (shape{3}));
  static_assert(std::is_trivially_copyable_v<tensor_view<float>>);
  static_assert(std::is_trivially_copyable_v<tensor_view<const float>>);
}

TEST(tensor_view, may_be_empty) {
  const tensor_view<int> view(std::span<int>(), {4, 0});
  EXPECT_TRUE(view.values().empty());
  EXPECT_TRUE(view[3].values().empty());
}

TEST(tensor_view, refuses_a_span_of_another_size) {
  std::vector<int> values(5);
  EXPECT_EQ(refusal([&] {
              tensor_view<int>(values, {2, 3});
            }),
            "tensor_view: values.size() is 5, expected the product of the shape [2, 3]");
  EXPECT_EQ(refusal([] { tensor_view<int>(std::span<int>(), {}); }),
            "tensor_view: values.size() is 0, expected the product of the shape []");
}

}  // namespace
}  // namespace bitwright
