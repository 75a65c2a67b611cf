// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/range.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

TEST(range_of, is_from_the_least_to_the_greatest) {
  EXPECT_EQ(range_of(std::vector{2.0f, -1.0f, 0.5f}), (range{-1, 2}));
  EXPECT_EQ(range_of(std::vector{-3.0f}), (range{-3, -3}));
  EXPECT_EQ(range_of(std::vector(7, 0.25f)), (range{0.25f, 0.25f}));
  constexpr float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(range_of(std::vector{least, most, -most}), (range{-most, most}));
  EXPECT_EQ(range_of(std::vector{least, 0.0f}), (range{0, least}));
}

TEST(range_of, refuses_what_has_no_range) {
  EXPECT_EQ(refusal([] { range_of(std::span<const float>()); }),
            "range_of: values.size() is 0, expected at least one value");
  EXPECT_EQ(refusal([] {
              range_of(std::vector{1.0f, std::numeric_limits<float>::quiet_NaN()});
            }),
            "range_of: values[1] is nan, expected a finite number");
  EXPECT_EQ(refusal([] { range_of(std::vector{-std::numeric_limits<float>::infinity()}); }),
            "range_of: values[0] is -inf, expected a finite number");
}

TEST(range, join_covers_both_and_no_more) {
  EXPECT_EQ(join({-1, 2}, {1, 3}), (range{-1, 3}));
  EXPECT_EQ(join({1, 3}, {-1, 2}), (range{-1, 3}));
  EXPECT_EQ(join({-5, 5}, {0, 1}), (range{-5, 5}));
  EXPECT_EQ(join({4, 5}, {-2, -1}), (range{-2, 5}));
}

TEST(range, limit_is_the_largest_magnitude) {
  EXPECT_EQ((range{-3, 2}).limit(), 3);
  EXPECT_EQ((range{-1, 2}).limit(), 2);
  EXPECT_EQ((range{1, 2}).limit(), 2);
  EXPECT_EQ((range{-2, -1}).limit(), 2);
  EXPECT_EQ((range{0, 0}).limit(), 0);
}

}  // namespace
}  // namespace bitwright
