// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/calibration/best_of.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

/// A user's own: the sign of a value, times a size.
struct sign_times {
  using code_type = std::int16_t;
  float size;
  int bits() const { return 1; }
  void quantize(std::span<const float> values, std::span<code_type> codes) const {
    std::ranges::transform(values, codes.begin(), [](float value) { return value < 0 ? code_type{-1} : code_type{1}; });
  }
  void dequantize(std::span<const code_type> codes, std::span<float> values) const {
    std::ranges::transform(codes, values.begin(), [this](code_type code) { return static_cast<float>(code) * size; });
  }
};

TEST(best_of, picks_the_least_mean_squared_error_of_one_type) {
  const std::vector<float> values = {0.9f, -1.1f, 1.0f, 3.0f};
  const std::vector<sign_times> candidates = {{3}, {1.5f}, {1}, {0}};
  const measured_choice choice = best_of(values, candidates);
  EXPECT_EQ(choice.index, 1u);  // The mean magnitude.
  EXPECT_EQ(choice.distortions.size(), 4u);
  EXPECT_FLOAT_EQ(static_cast<float>(choice.distortions[2].mse), (0.01f + 0.01f + 0 + 4) / 4);
  EXPECT_EQ(choice.distortions[2].maximum_error, 2);
}

TEST(best_of, picks_among_types) {
  const uniform<2> levels = uniform<2>::symmetric({-1, 1});
  EXPECT_EQ(best_of(std::vector{1.0f, 0.0f, -1.0f}, sign_times{1}, levels).index, 1u);
  EXPECT_EQ(best_of(std::vector{5.0f, -5.0f}, sign_times{5}, levels).index, 0u);
}

TEST(best_of, equals_is_the_first) {
  EXPECT_EQ(best_of(std::vector{1.0f}, std::vector<sign_times>{{2}, {1}, {1}}).index, 1u);
  EXPECT_EQ(best_of(std::vector<float>{}, sign_times{1}, sign_times{2}).index, 0u);
}

TEST(best_of, passes_over_a_candidate_that_is_no_number_and_refuses_when_all_are) {
  constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(best_of(std::vector{1.0f}, sign_times{nan_value}, sign_times{9}, sign_times{8}).index, 2u);
  EXPECT_EQ(refusal([] { best_of(std::vector{nan_value}, sign_times{1}); }),
            "best_of: least mse is nan, expected a number");
}

TEST(best_of, no_candidates_is_refused) {
  EXPECT_EQ(refusal([] { best_of(std::vector{1.0f}, std::vector<sign_times>{}); }),
            "best_of: candidates is 0, expected at least one");
}

}  // namespace
}  // namespace bitwright
