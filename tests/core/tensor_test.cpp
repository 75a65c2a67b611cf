// SPDX-License-Identifier: MIT
#include <bitwright/core/tensor.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace bitwright {
namespace {

TEST(tensor, starts_as_zeros) {
  const tensor<float> zeros({2, 3});
  EXPECT_EQ(zeros.shape(), (shape{2, 3}));
  EXPECT_EQ(zeros.values().size(), 6u);
  for (const float value : zeros.values()) EXPECT_EQ(value, 0);
  EXPECT_TRUE(tensor<float>().values().empty());
  EXPECT_EQ(tensor<float>().shape(), (shape{0}));
  EXPECT_EQ(tensor<float>(shape{}).values().size(), 1u);  // A shape without dimensions is that of one value.
}

template <class T>
bool is_aligned(const tensor<T>& owner) {
  return reinterpret_cast<std::uintptr_t>(owner.values().data()) % 64 == 0;
}

TEST(tensor, starts_on_a_cache_line) {
  for (std::size_t size = 1; size < 100; size += 7) {
    EXPECT_TRUE(is_aligned(tensor<std::int8_t>({size})));
    EXPECT_TRUE(is_aligned(tensor<double>({size})));
  }
}

TEST(tensor, owns_its_elements) {
  tensor<int> original({2, 2});
  original(1, 0) = 7;
  tensor<int> copy = original;
  copy(1, 0) = 8;
  EXPECT_EQ(original(1, 0), 7);
  const int* memory = copy.values().data();
  const tensor<int> moved = std::move(copy);
  EXPECT_EQ(moved.values().data(), memory);
  EXPECT_EQ(moved(1, 0), 8);
  EXPECT_TRUE(is_aligned(original));
}

TEST(tensor, is_viewed_without_a_copy) {
  tensor<int> owner({2, 3});
  owner.view()(1, 2) = 5;
  EXPECT_EQ(owner(1, 2), 5);
  EXPECT_EQ(std::as_const(owner)(1, 2), 5);
  EXPECT_EQ(owner.values()[5], 5);
  const tensor_view<const int> constant = owner;
  EXPECT_EQ(constant.values().data(), owner.values().data());
  EXPECT_EQ(constant.shape(), owner.shape());
  static_assert(!std::is_convertible_v<const tensor<int>, tensor_view<int>>);
}

}  // namespace
}  // namespace bitwright
