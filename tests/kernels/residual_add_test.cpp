// SPDX-License-Identifier: MIT
// Every path of the residual add against exact rounding of each branch and a 64-bit sum.
#include "exact_rounding.hpp"
#include "random_codes.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/residual_add.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;

template <class Left, class Right, class Output, class Rounding>
void expect_exact(const std::vector<Left>& left, const std::vector<Right>& right, random_codes& random,
                  dyadic left_factor, dyadic right_factor) {
  using output = std::numeric_limits<Output>;
  const auto draw = [&random](std::int64_t least, std::int64_t most) {
    return static_cast<std::int32_t>(random.between(least, most));
  };
  std::vector<Output> result(left.size());
  kernels::residual_add_arguments<Left, Right, Output> call{
      .left = {left.data(), draw(std::numeric_limits<Left>::min(), std::numeric_limits<Left>::max()), left_factor},
      .right = {right.data(), draw(std::numeric_limits<Right>::min(), std::numeric_limits<Right>::max()), right_factor},
      .outputs = result.data(),
      .output_zero_point = draw(output::min(), output::max()),
      .output_codes = {draw(output::min(), 0), draw(0, output::max())}};
  std::vector<Output> expected;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::int64_t sum = reference::requantized_by<Rounding>(left[i] - call.left.zero_point, left_factor) +
                             reference::requantized_by<Rounding>(right[i] - call.right.zero_point, right_factor);
    const std::int64_t code = reference::divide(sum, 8, reference::direction_of<Rounding>) + call.output_zero_point;
    expected.push_back(static_cast<Output>(
        std::min<std::int64_t>(std::max<std::int64_t>(code, call.output_codes.min), call.output_codes.max)));
  }
  for (const auto& path : kernels::residual_add_paths<Left, Right, Output, Rounding>) {
    if (!path.available()) continue;
    std::ranges::fill(result, Output{99});
    path.run(call, left.size() / 3, left.size());
    path.run(call, 0, left.size() / 3);
    ASSERT_EQ(result, expected) << path.name;
    std::vector<std::byte, aligned_allocator<std::byte>> packed(path.packed_bytes);
    path.pack(call, packed.data());
    std::ranges::fill(result, Output{99});
    auto packed_call = call;
    packed_call.packed = packed.data();
    path.run(packed_call, left.size() / 3, left.size());
    path.run(packed_call, 0, left.size() / 3);
    ASSERT_EQ(result, expected) << path.name << ", packed";
  }
}

template <class Code>
std::vector<Code> random_branch(std::int64_t count, random_codes& random) {
  using code = std::numeric_limits<Code>;
  auto values = random.many(count, code::min(), code::max());
  for (std::size_t i = 0; i < values.size(); i += 7) values[i] = i % 2 == 0 ? code::min() : code::max();
  return reference::narrowed<Code>(values);
}

template <class Left, class Right, class Output, class Rounding>
void expect_exact_for_all_sizes(random_codes& random) {
  for (std::int64_t count = 0; count <= 130; ++count)
    expect_exact<Left, Right, Output, Rounding>(random_branch<Left>(count, random), random_branch<Right>(count, random),
                                                random, random.factor(20, 40), random.factor(20, 40));
}

template <class Left, class Right, class Output>
void expect_exact_for_all_roundings(random_codes& random) {
  expect_exact_for_all_sizes<Left, Right, Output, half_up>(random);
  expect_exact_for_all_sizes<Left, Right, Output, half_to_even>(random);
  expect_exact_for_all_sizes<Left, Right, Output, half_away_from_zero>(random);
  expect_exact_for_all_sizes<Left, Right, Output, toward_zero>(random);
  expect_exact_for_all_sizes<Left, Right, Output, bitwright::floor>(random);
  expect_exact_for_all_sizes<Left, Right, Output, gemmlowp_double>(random);
}

TEST(residual_add, rounds_each_branch_to_a_256th_of_a_code_before_it_adds) {
  // 2.4 + 1.3 is 614/256 + 333/256 = 947/256 -> 4; rounded to whole codes first, it would be 2 + 1.
  // 0.5 + 0.0015 is 128/256 + 0/256, a tie that goes to the even 0; the sum rounded once would be 1.
  const s8 left[] = {24, 5}, right[] = {13, 0};
  const s16 fine[] = {0, 15};
  s8 sums[2] = {};
  const kernels::residual_add_arguments<s8, s8, s8> call{.left = {left, 0, dyadic::nearest(25.6)},
                                                         .right = {right, 0, dyadic::nearest(25.6)},
                                                         .outputs = sums,
                                                         .output_zero_point = 0,
                                                         .output_codes = {-128, 127}};
  for (const auto& path : kernels::residual_add_paths<s8, s8, s8, half_to_even>)
    if (path.available()) {
      path.run(call, 0, 1);
      EXPECT_EQ(sums[0], 4) << path.name;
    }
  const kernels::residual_add_arguments<s8, s16, s8> fine_call{.left = {left, 0, dyadic::nearest(25.6)},
                                                               .right = {fine, 0, dyadic::nearest(0.0256)},
                                                               .outputs = sums,
                                                               .output_zero_point = 0,
                                                               .output_codes = {-128, 127}};
  for (const auto& path : kernels::residual_add_paths<s8, s16, s8, half_to_even>)
    if (path.available()) {
      path.run(fine_call, 1, 2);
      EXPECT_EQ(sums[1], 0) << path.name;
    }
}

TEST(residual_add, is_exact_for_every_pair_of_8_bit_codes) {
  random_codes random(1);
  std::vector<u8> left;
  std::vector<s8> right;
  for (int a = 0; a < 256; ++a)
    for (int b = -128; b < 128; ++b) left.push_back(static_cast<u8>(a)), right.push_back(static_cast<s8>(b));
  for (int i = 0; i < 5; ++i) {
    expect_exact<u8, s8, u8, half_to_even>(left, right, random, random.factor(22, 26), random.factor(22, 26));
    expect_exact<u8, s8, s8, half_up>(left, right, random, random.factor(22, 26), random.factor(22, 26));
  }
}

TEST(residual_add, is_exact_for_every_pair_of_types_and_every_rounding) {
  random_codes random(2);
  const auto all_outputs = [&random]<class Left, class Right>(Left, Right) {
    expect_exact_for_all_roundings<Left, Right, u8>(random);
    expect_exact_for_all_roundings<Left, Right, s8>(random);
    expect_exact_for_all_roundings<Left, Right, s16>(random);
  };
  const auto all_rights = [&all_outputs](auto left) {
    all_outputs(left, u8{}), all_outputs(left, s8{}), all_outputs(left, s16{});
  };
  all_rights(u8{}), all_rights(s8{}), all_rights(s16{});
}

TEST(residual_add, is_exact_for_every_shift_of_its_factors) {
  random_codes random(4);
  for (int left = 0; left <= 62; ++left)
    for (const int right : {left, 17, 22, 24, 25}) {
      const dyadic of_left = random.factor(left, left), of_right = random.factor(right, right);
      const auto a = random_branch<u8>(130, random), b = random_branch<u8>(130, random);
      expect_exact<u8, u8, u8, half_to_even>(a, b, random, of_left, of_right);
      expect_exact<u8, u8, u8, half_up>(a, b, random, of_left, of_right);
      expect_exact<u8, u8, u8, half_away_from_zero>(a, b, random, of_left, of_right);
      expect_exact<u8, u8, u8, half_to_even>(a, b, random, {INT32_MAX, left}, {1 << 30, right});
    }
}

TEST(residual_add, adds_saturated_branches_without_overflow) {
  random_codes random(3);
  // 2^30 times 30000 saturates to 2^31 - 1 on both sides.
  expect_exact<s16, s16, s16, half_to_even>({30000, -30000, 30000}, {30000, -30000, -30000}, random, {1 << 30, 0},
                                            {1 << 30, 0});
}

}  // namespace
}  // namespace bitwright
