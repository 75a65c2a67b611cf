// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/affine_scale.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace bitwright {
namespace {

using reference::refusal;

TEST(affine_scale, has_zero_point_zero_unless_told) {
  EXPECT_EQ((affine_scale{0.5f}), (affine_scale{0.5f, 0}));
  EXPECT_NE((affine_scale{0.5f}), (affine_scale{0.5f, 1}));
}

TEST(affine_scale, every_positive_normal_scale_is_valid) {
  for (const float scale : {1.0f, std::numeric_limits<float>::min(), std::numeric_limits<float>::max()})
    EXPECT_NO_THROW(require_valid({scale, INT32_MIN}, "plan: input"));
}

TEST(affine_scale, a_scale_that_divides_nothing_is_refused_by_name) {
  EXPECT_EQ(refusal([] { require_valid({0}, "plan: input"); }),
            "plan: input.scale is 0, expected a positive, finite, normal number");
  for (const float scale : {-1.0f, -0.0f, 0x1p-127f, std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    EXPECT_THROW(require_valid({scale}, "plan: input"), invalid_argument) << scale;
}

}  // namespace
}  // namespace bitwright
