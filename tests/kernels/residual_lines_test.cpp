// SPDX-License-Identifier: MIT
// The functions and lines of a residual add against exact rounding of every code and of every sum.
#include "exact_rounding.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/residual_functions.hpp>
#include <bitwright/kernels/residual_lines.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitwright {
namespace {

using kernels::residual_functions;
using kernels::residual_line;
using kernels::residual_lines;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using arguments = kernels::residual_add_arguments<u8, s8, u8>;

/// A factor of which no code makes more than 16 bits.
dyadic small_factor(random_codes& random) { return random.factor(23, 30); }

arguments random_call(random_codes& random) {
  return {.left = {nullptr, static_cast<std::int32_t>(random.between(0, 255)), small_factor(random)},
          .right = {nullptr, static_cast<std::int32_t>(random.between(-128, 127)), small_factor(random)},
          .outputs = nullptr,
          .output_zero_point = static_cast<std::int32_t>(random.between(0, 255)),
          .output_codes = {static_cast<std::int32_t>(random.between(0, 100)),
                           static_cast<std::int32_t>(random.between(100, 255))}};
}

/// The code that the header's formula gives.
template <class Rounding>
std::int64_t code_of(const residual_functions& functions, std::size_t left, std::size_t right) {
  const std::int64_t sum = std::int64_t{functions.left[left]} + functions.right[right];
  const std::int64_t index = sum / 256 - functions.below;
  const bool rises = std::is_same_v<Rounding, half_to_even>          ? (index % 2 != 0) != functions.odd
                     : std::is_same_v<Rounding, half_away_from_zero> ? index >= functions.zero
                                                                     : false;
  const std::int64_t rounded = index + (sum % 256 == 255 && rises ? 1 : 0);
  return std::clamp<std::int64_t>(rounded, 0, functions.most) + functions.first;
}

template <class Rounding>
int expect_exact_sums(random_codes& random) {
  int found = 0;
  for (int i = 0; i < 12; ++i) {
    const arguments call = random_call(random);
    const auto functions = residual_functions::of<Rounding>(call);
    if (!functions) continue;
    ++found;
    for (int left = 0; left < 256; ++left)
      for (int right = -128; right < 128; ++right) {
        const std::int64_t sum = reference::requantized_by<Rounding>(left - call.left.zero_point, call.left.factor) +
                                 reference::requantized_by<Rounding>(right - call.right.zero_point, call.right.factor);
        const std::int64_t code = reference::divide(sum, 8, reference::direction_of<Rounding>) + call.output_zero_point;
        const std::int64_t clamped = std::clamp<std::int64_t>(code, call.output_codes.min, call.output_codes.max);
        const auto index = static_cast<std::size_t>(right + 128);
        if (code_of<Rounding>(*functions, static_cast<std::size_t>(left), index) != clamped) {
          ADD_FAILURE() << left << " + " << right << " is not " << clamped;
          return found;
        }
      }
  }
  return found;
}

TEST(residual_functions, give_the_exact_code_of_every_pair) {
  random_codes random(1);
  EXPECT_GT(expect_exact_sums<half_up>(random), 6);
  EXPECT_GT(expect_exact_sums<half_to_even>(random), 6);
  EXPECT_GT(expect_exact_sums<half_away_from_zero>(random), 6);
}

TEST(residual_functions, are_none_where_values_need_more_than_16_bits) {
  arguments call{.left = {nullptr, 0, dyadic::nearest(250)},
                 .right = {nullptr, 0, dyadic::nearest(250)},
                 .outputs = nullptr,
                 .output_zero_point = 0,
                 .output_codes = {0, 255}};
  EXPECT_TRUE(residual_functions::of<half_to_even>(call));
  call.right.factor = dyadic::nearest(260);  // 255 codes are 66300 steps.
  EXPECT_FALSE(residual_functions::of<half_to_even>(call));
}

TEST(residual_line, goes_through_every_value_of_its_function) {
  random_codes random(2);
  int found = 0, functions_found = 0;
  for (int i = 0; i < 600; ++i) {
    const arguments call = random_call(random);
    const auto functions = residual_functions::of<half_to_even>(call);
    if (!functions) continue;
    ++functions_found;
    const auto line = residual_line::through(functions->left, call.left.factor);
    if (!line) continue;
    ++found;
    for (std::size_t u = 0; u < 256; ++u) ASSERT_EQ(line->value(u), functions->left[u]);
  }
  EXPECT_GE(found, functions_found * 98 / 100) << "of " << functions_found;  // A slower path is as exact.
}

TEST(residual_line, is_none_where_the_function_is_no_line) {
  kernels::residual_function bent{};
  EXPECT_TRUE(residual_line::through(bent, dyadic::nearest(0x1p-20)));
  for (std::size_t u = 128; u < 256; ++u) bent[u] = static_cast<std::uint16_t>(u - 128);
  EXPECT_FALSE(residual_line::through(bent, dyadic::nearest(0.5)));
}

TEST(residual_lines, are_of_8_bit_codes_and_of_roundings_to_the_nearest_only) {
  const arguments call{.left = {nullptr, 3, dyadic::nearest(100.3)},
                       .right = {nullptr, 0, dyadic::nearest(77.13)},
                       .outputs = nullptr,
                       .output_zero_point = 5,
                       .output_codes = {5, 200}};
  EXPECT_TRUE(residual_lines::of<half_to_even>(call).fit);
  EXPECT_FALSE(residual_lines::of<toward_zero>(call).fit);
  const kernels::residual_add_arguments<s16, s8, u8> wide{.left = {nullptr, 3, call.left.factor},
                                                          .right = call.right,
                                                          .outputs = nullptr,
                                                          .output_zero_point = 5,
                                                          .output_codes = {5, 200}};
  EXPECT_FALSE(residual_lines::of<half_to_even>(wide).fit);
}

}  // namespace
}  // namespace bitwright
