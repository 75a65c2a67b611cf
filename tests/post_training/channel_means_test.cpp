// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/post_training/channel_means.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

TEST(channel_means, are_those_of_every_channel) {
  channel_means means(2);
  means.observe(std::vector<float>{1, 10, 2, 20, 3, 30, 4, 40});
  EXPECT_EQ(means.values(), (std::vector<double>{2.5, 25}));
  means.observe(std::vector<float>{0, -5, 0, -5, 0, -5, 0, -5});
  EXPECT_EQ(means.values(), (std::vector<double>{1.25, 10}));
}

TEST(channel_means, of_parts_merged_are_those_of_one_pass) {
  std::mt19937 generator(1);
  std::uniform_int_distribution<int> whole(-9, 9);
  std::vector<float> samples(36);
  for (float& sample : samples) sample = static_cast<float>(whole(generator));
  channel_means all(3);
  all.observe(samples);
  for (const std::size_t cut : {0u, 3u, 12u, 36u}) {
    channel_means first(3), second(3);
    first.observe(std::span(samples).first(cut));
    second.observe(std::span(samples).subspan(cut));
    second.merge(first);
    EXPECT_EQ(second.values(), all.values()) << cut;  // Sums of whole numbers are exact.
  }
}

TEST(channel_means, refuse_what_they_cannot_use_by_name) {
  channel_means means(2);
  EXPECT_EQ(refusal([&] { means.values(); }), "channel_means::values: samples observed is 0, expected at least one");
  EXPECT_EQ(refusal([&] {
              means.observe(std::vector{1.0f, 2.0f, 3.0f});
            }),
            "channel_means::observe: samples.size() is 3, expected a multiple of the channels, 2");
  EXPECT_EQ(refusal([&] {
              means.observe(std::vector{1.0f, nan_value});
            }),
            "channel_means::observe: samples[1] is nan, expected a finite number");
  EXPECT_EQ(refusal([&] { means.merge(channel_means(3)); }),
            "channel_means::merge: other's channels is 3, expected this one's, 2");
  EXPECT_THROW(channel_means(0).observe(std::vector{1.0f}), invalid_argument);
  means.observe({});
  EXPECT_THROW(means.values(), invalid_argument);
}

}  // namespace
}  // namespace bitwright
