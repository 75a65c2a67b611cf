// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/residual_add.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using reference::refusal;

TEST(residual_add, gives_the_codes_worked_out_by_hand) {
  // Steps of the output are 0.5: 0.25 * 5 + 1 * -3 is -3.5 steps, and 0.25 * 7 + 1 * 2 is 7.5 steps, to even 8.
  const residual_add<std::uint8_t, std::int8_t, std::uint8_t> layer(
      {.left = {0.25f, 10}, .right = {1}, .output = {0.5f, 3}});
  const std::vector<std::uint8_t> left{15, 17};
  const std::vector<std::int8_t> right{-3, 2};
  std::vector<std::uint8_t> sum(2);
  layer.run(left, right, sum);
  EXPECT_EQ(sum, (std::vector<std::uint8_t>{0, 11}));  // 3 + 2 - 6 is clamped.
}

struct random_branches {
  random_branches() {
    random_codes random(1);
    left = reference::narrowed<std::int16_t>(random.many(1000, -32768, 32767));
    right = reference::narrowed<std::uint8_t>(random.many(1000, 0, 255));
  }
  residual_add<std::int16_t, std::uint8_t, std::int16_t> plan() const {
    return residual_add<std::int16_t, std::uint8_t, std::int16_t>({.left = in, .right = other, .output = out});
  }
  std::vector<std::int16_t> left;
  std::vector<std::uint8_t> right;
  affine_scale in{0.0003f, 100}, other{0.02f, 128}, out{0.001f, -7};
};

TEST(residual_add, differs_from_the_real_sum_by_no_more_than_half_a_step_and_a_256th) {
  // Half a step for the sum, half a 256th for each branch, and the dyadics' 2^-31 of both values.
  const random_branches branches;
  std::vector<std::int16_t> sum(1000);
  branches.plan().run(branches.left, branches.right, sum);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const double left = double{branches.in.scale} * (branches.left[i] - branches.in.zero_point);
    const double right = double{branches.other.scale} * (branches.right[i] - branches.other.zero_point);
    const double result = double{branches.out.scale} * (sum[i] - branches.out.zero_point);
    ASSERT_LE(std::abs(result - (left + right)),
              double{branches.out.scale} * (0.5 + 1.0 / 256) + 0x1p-31 * (std::abs(left) + std::abs(right)) + 1e-12);
  }
}

TEST(residual_add, gives_the_same_bits_on_one_thread_and_on_two) {
  const random_branches branches;
  std::vector<std::int16_t> expected(1000), sum(1000);
  const auto plan = branches.plan();
  plan.run(branches.left, branches.right, expected);
  reference::two_threads pool;
  plan.run(branches.left, branches.right, sum, pool);
  EXPECT_EQ(sum, expected);
  EXPECT_EQ(pool.pieces, 63u);  // 1000 elements, 16 a piece.
  static_assert(noexcept(plan.run({}, {}, {})));
}

TEST(residual_add, refuses_bad_descriptions_by_name) {
  using layer = residual_add<>;
  const auto with = [](const layer::description& description) { return refusal([&] { layer{description}; }); };
  EXPECT_EQ(with({.left = {0}, .right = {1}, .output = {1}}),
            "residual_add: left.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(with({.left = {1}, .right = {1, -1}, .output = {1}}),
            "residual_add: right.zero_point is -1, expected a code of its type, [0, 255]");
  EXPECT_EQ(with({.left = {1}, .right = {1}, .output = {-1}}),
            "residual_add: output.scale is -1, expected a positive, finite, normal number");
  EXPECT_EQ(with({.left = {1}, .right = {1}, .output = {1}, .output_codes = {4, 3}}),
            "residual_add: output_codes is [4, 3], expected an interval within the output type, [0, 255]");
  EXPECT_EQ(with({.left = {1}, .right = {0x1p-41f}, .output = {1}}),
            "residual_add: right.scale / output.scale is 4.547473508864641e-13, expected [2^-40, 2^7]");
  EXPECT_EQ(with({.left = {129}, .right = {1}, .output = {1}}),
            "residual_add: left.scale / output.scale is 129, expected [2^-40, 2^7]");
  EXPECT_THROW(layer({.left = {1}, .right = {1}, .output = {1}}, "abacus"), invalid_argument);
}

}  // namespace
}  // namespace bitwright
