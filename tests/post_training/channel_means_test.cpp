// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/post_training/channel_means.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <random>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

tensor_view<const float> view(const std::vector<float>& values, const shape& extent) { return {values, extent}; }

std::vector<float> small_whole_numbers(std::size_t count, int least, int most, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> whole(least, most);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(whole(generator));
  return values;
}

TEST(channel_means, are_those_of_every_channel_of_images) {
  channel_means means(2);
  means.observe(view({1, 2, 3, 4, 10, 20, 30, 40}, {1, 2, 2, 2}));
  EXPECT_EQ(means.values(), (std::vector<double>{2.5, 25}));
  means.observe(view({0, 0, 0, 0, -5, -5, -5, -5, 1, 1, 1, 1, 0, 0, 0, 0}, {2, 2, 2, 2}));
  EXPECT_EQ(means.values(), (std::vector<double>{14.0 / 12, 80.0 / 12}));
}

TEST(channel_means, may_lie_in_any_dimension) {
  channel_means vectors(3), last(2, 2);
  vectors.observe(view({1, 2, 3, 5, 6, 7}, {2, 3}));
  EXPECT_EQ(vectors.values(), (std::vector<double>{3, 4, 5}));
  last.observe(view({1, 2, 3, 4, 5, 6}, {1, 3, 2}));
  EXPECT_EQ(last.values(), (std::vector<double>{3, 4}));
}

TEST(channel_means, of_parts_merged_are_those_of_one_pass) {
  const std::vector<float> first = small_whole_numbers(12, -9, 9, 1), second = small_whole_numbers(24, -9, 9, 2);
  channel_means whole(3), part(3), other(3);
  whole.observe(view(first, {4, 3}));
  whole.observe(view(second, {8, 3}));
  part.observe(view(first, {4, 3}));
  other.observe(view(second, {8, 3}));
  other.merge(part);
  other.merge(channel_means(3));
  EXPECT_EQ(other.values(), whole.values());  // Sums of whole numbers are exact.
}

TEST(channel_means, refuse_what_they_cannot_use_by_name) {
  channel_means means(2);
  EXPECT_EQ(refusal([&] { means.values(); }), "channel_means::values: samples observed is 0, expected at least one");
  EXPECT_EQ(refusal([&] {
              means.observe(view({1, 2, 3}, {1, 3}));
            }),
            "channel_means::observe: channels is 3, expected the number given, 2");
  EXPECT_EQ(refusal([&] {
              means.observe(view({1, nan_value}, {1, 2}));
            }),
            "channel_means::observe: batch[1] is nan, expected a finite number");
  EXPECT_THROW(means.observe(view({1, 2}, {2})), invalid_argument);
  EXPECT_EQ(refusal([&] { means.merge(channel_means(3)); }),
            "channel_means::merge: other's channels is 3, expected this one's, 2, in the same dimension");
  EXPECT_THROW(means.values(), invalid_argument);
  means.observe(view({}, {0, 2}));
  EXPECT_THROW(means.values(), invalid_argument);
}

}  // namespace
}  // namespace bitwright
