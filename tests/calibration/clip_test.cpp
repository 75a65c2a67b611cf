// SPDX-License-Identifier: MIT
#include <bitwright/calibration/clip.hpp>

#include <gtest/gtest.h>

namespace bitwright {
namespace {

static_assert(clip({-3, 5}, -2, 4) == range{-2, 4});
static_assert(clip({-3, 5}, -9, 9) == range{-3, 5});

TEST(clip, of_samples_beyond_one_end_is_that_end) {
  EXPECT_EQ(clip({2, 3}, -1, 1), (range{1, 1}));
  EXPECT_EQ(clip({-3, -2}, -1, 1), (range{-1, -1}));
  EXPECT_EQ(clip({2, 3}, -1, 2.5), (range{2, 2.5f}));
}

TEST(clip, to_ends_between_two_floats_stays_within_the_samples) {
  const range seen{0.1f, 0.3f};
  EXPECT_EQ(clip(seen, static_cast<double>(seen.min) - 1e-12, static_cast<double>(seen.max) + 1e-12), seen);
  EXPECT_EQ(clip(seen, -1, static_cast<double>(seen.max) - 1e-12), seen);
}

}  // namespace
}  // namespace bitwright
