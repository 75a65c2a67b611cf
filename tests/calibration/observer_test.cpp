// SPDX-License-Identifier: MIT
#include <bitwright/calibration/observer.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

namespace bitwright {
namespace {

/// A user's own: covers the mean magnitude, four times over.
struct mean_magnitude {
  double sum = 0;
  double count = 0;
  void observe(std::span<const float> samples) {
    for (const float sample : samples) sum += std::abs(sample);
    count += static_cast<double>(samples.size());
  }
  void merge(const mean_magnitude& other) {
    sum += other.sum;
    count += other.count;
  }
  range values() const {
    const auto limit = static_cast<float>(4 * sum / count);
    return {-limit, limit};
  }
};

struct cannot_merge {
  void observe(std::span<const float>) {}
  range values() const { return {0, 1}; }
};

struct cannot_be_copied : mean_magnitude {
  cannot_be_copied(const cannot_be_copied&) = delete;
  void merge(const cannot_be_copied&) {}
};

static_assert(observer<mean_magnitude>);
static_assert(!observer<cannot_merge> && !observer<cannot_be_copied> && !observer<int>);

TEST(observer, may_be_a_users_own) {
  const auto watch = [](observer auto first, const std::vector<float>& samples) {
    auto second = first;
    const auto half = samples.size() / 2;
    first.observe(std::span(samples).first(half));
    second.observe(std::span(samples).subspan(half));
    first.merge(second);
    return first.values();
  };
  EXPECT_EQ(watch(mean_magnitude{}, {1, -2, 3, -6}), (range{-12, 12}));
}

}  // namespace
}  // namespace bitwright
