// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/granularity.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

/// The row-major indices of a slice's elements.
std::vector<std::size_t> indices(const slice& part) {
  std::vector<std::size_t> found;
  for (std::size_t block = 0; block < part.blocks; ++block)
    for (std::size_t i = 0; i < part.length; ++i) found.push_back(part.offset + block * part.stride + i);
  return found;
}

/// Whether the slices hold every element of the shape once.
template <granularity Granularity>
bool divides(Granularity division, const shape& extent) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < division.count(extent); ++i) {
    const std::vector<std::size_t> part = indices(division.at(extent, i));
    if (part.size() != division.at(extent, i).elements()) return false;
    all.insert(all.end(), part.begin(), part.end());
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] != i) return false;
  return all.size() == extent.elements();
}

using list = std::vector<std::size_t>;

TEST(granularity, holds_every_element_once) {
  for (const shape& extent : {shape{7}, shape{1}, shape{3, 4}, shape{2, 3, 4}, shape{2, 3, 2, 5}, shape{2, 1, 3, 2, 2},
                              shape{0}, shape{3, 0}, shape{0, 3}, shape{2, 0, 4}}) {
    EXPECT_TRUE(divides(per_tensor{}, extent)) << describe(extent);
    for (std::size_t axis = 0; axis < extent.rank(); ++axis)
      EXPECT_TRUE(divides(per_channel{axis}, extent)) << describe(extent) << " axis " << axis;
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5}, std::size_t{1000},
                                   ~std::size_t{0} - 1, ~std::size_t{0}})
      EXPECT_TRUE(divides(per_group{size}, extent)) << describe(extent) << " size " << size;
  }
  EXPECT_TRUE(divides(per_tensor{}, shape{}));
}

TEST(per_channel, follows_its_axis) {
  EXPECT_EQ((per_channel{}.count({2, 3, 2})), 2u);
  EXPECT_EQ((indices(per_channel{0}.at({2, 3, 2}, 1))), (list{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ((indices(per_channel{1}.at({2, 3, 2}, 1))), (list{2, 3, 8, 9}));
  EXPECT_EQ((indices(per_channel{2}.at({2, 3, 2}, 1))), (list{1, 3, 5, 7, 9, 11}));
}

TEST(per_group, restarts_at_every_channel) {
  constexpr per_group pairs{2};
  EXPECT_EQ((pairs.count({2, 5})), 6u);
  EXPECT_EQ((indices(pairs.at({2, 5}, 1))), (list{2, 3}));
  EXPECT_EQ((indices(pairs.at({2, 5}, 2))), (list{4}));  // What remains of the first channel.
  EXPECT_EQ((indices(pairs.at({2, 5}, 3))), (list{5, 6}));
  EXPECT_EQ((pairs.count({5})), 3u);  // A vector is a single channel.
  EXPECT_EQ((indices(pairs.at({5}, 2))), (list{4}));
}

TEST(per_group, of_the_largest_size_is_one_group_a_channel) {
  EXPECT_EQ((per_group{~std::size_t{0}}.count({2, 5})), 2u);
  EXPECT_EQ((indices(per_group{~std::size_t{0}}.at({2, 5}, 1))), (list{5, 6, 7, 8, 9}));
}

TEST(granularity, refuses_what_it_cannot_divide) {
  EXPECT_EQ(refusal([] {
              per_channel{2}.count({2, 3});
            }),
            "per_channel: axis is 2, expected a dimension of the shape [2, 3]");
  EXPECT_EQ(refusal([] { per_channel{}.count({}); }), "per_channel: axis is 0, expected a dimension of the shape []");
  EXPECT_EQ(refusal([] { per_group{0}.count({2, 3}); }), "per_group: size is 0, expected at least 1");
  EXPECT_EQ(refusal([] { per_group{4}.count({}); }), "per_group: shape is [], expected at least one dimension");
}

}  // namespace
}  // namespace bitwright
