// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/top_k_median.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using batches = std::vector<std::vector<float>>;

constexpr float denormal = std::numeric_limits<float>::denorm_min();
constexpr float huge = std::numeric_limits<float>::max();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

top_k_median watched(std::size_t k, const batches& seen) {
  top_k_median watching(k);
  for (const std::vector<float>& batch : seen) watching.observe(batch);
  return watching;
}

TEST(top_k_median, is_the_median_of_the_extremes) {
  EXPECT_EQ(watched(3, {{5, -9, 1, 100, 2, -1, 8, -7}}).values(), (range{-7, 8}));
  EXPECT_EQ(watched(2, {{5, -9, 1, 100, 2, -1, 8, -7}}).values(), (range{-8, 54}));
  EXPECT_EQ(watched(1, {{5, -9, 1, 100, 2, -1, 8, -7}}).values(), (range{-9, 100}));
}

TEST(top_k_median, is_the_mean_over_batches) {
  EXPECT_EQ(watched(3, {{1, 2, 3, 4, 5}, {-8, 0, 9, 12, 30}}).values(), (range{1, 8}));  // (2 + 0) / 2, (4 + 12) / 2
}

TEST(top_k_median, of_fewer_than_k_samples_is_the_median_of_all) {
  EXPECT_EQ(watched(10, {{1, 5, 2}}).values(), (range{2, 2}));
  EXPECT_EQ(watched(10, {{4}}).values(), (range{4, 4}));
}

TEST(top_k_median, of_opposite_samples_is_opposite) {
  const batches seen = {{1, 2, 5, 9, -3, 4}, {7, -8, 0, 2, 1, 1}};
  batches opposite = seen;
  for (std::vector<float>& batch : opposite)
    for (float& sample : batch) sample = -sample;
  for (const std::size_t k : {1u, 2u, 3u, 4u}) {
    const range found = watched(k, seen).values();
    EXPECT_EQ(watched(k, opposite).values(), (range{-found.max, -found.min}));
  }
}

TEST(top_k_median, is_never_wider_than_the_samples_and_keeps_equal_ones) {
  for (const float value : {0.0f, 0.1f, -3.7f, denormal, -huge})
    EXPECT_EQ(watched(10, batches(37, std::vector<float>(20, value))).values(), (range{value, value}));
  EXPECT_EQ(watched(10, {std::vector<float>(100, 0.0f)}).values(), (range{0, 0}));
}

TEST(top_k_median, of_parts_merged_equals_that_of_one_pass) {
  // Halves of whole numbers: their sums are exact, so that merging is one pass to the last bit.
  std::mt19937 generator(10);
  std::uniform_int_distribution<int> whole(-1000, 1000);
  batches all(9);
  for (std::vector<float>& batch : all)
    for (int sample = 0; sample < 30; ++sample) batch.push_back(static_cast<float>(whole(generator)));
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(cut);
    top_k_median first = watched(4, {all.begin(), middle}), second = watched(4, {middle, all.end()});
    top_k_median forwards = first;
    forwards.merge(second);
    second.merge(first);
    EXPECT_EQ(forwards.values(), watched(4, all).values()) << cut;
    EXPECT_EQ(second.values(), watched(4, all).values()) << cut;
  }
}

TEST(top_k_median, refuses_what_it_cannot_use_by_name) {
  EXPECT_EQ(refusal([] { top_k_median(0); }), "top_k_median: k is 0, expected at least 1");
  EXPECT_EQ(refusal([] { top_k_median(5).merge(top_k_median(4)); }),
            "top_k_median::merge: other.k() is 4, expected this one's, 5");
  top_k_median watching;
  watching.observe({});
  EXPECT_EQ(refusal([&] { watching.values(); }), "top_k_median::values: batches observed is 0, expected at least one");
  EXPECT_THROW(watching.observe(std::vector{nan_value}), invalid_argument);
  EXPECT_THROW(watching.values(), invalid_argument);
}

}  // namespace
}  // namespace bitwright
