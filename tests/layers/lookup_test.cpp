// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/lookup.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

TEST(lookup, gives_the_codes_of_the_functions_values) {
  // Squares of -1.5, 0, 0.5 and 2.5 in steps of 0.25 are 9, 0, 1 and 25, from the zero point 3 on.
  const lookup<std::int8_t, std::uint8_t> square({.input = {0.5f, -1}, .output = {0.25f, 3}},
                                                 [](float value) { return value * value; });
  const std::vector<std::int8_t> codes{-4, -1, 0, 4};
  std::vector<std::uint8_t> squares(4);
  square.run(codes, squares);
  EXPECT_EQ(squares, (std::vector<std::uint8_t>{12, 3, 4, 28}));
}

TEST(lookup, is_within_half_a_step_of_the_function_at_every_code) {
  const auto sigmoid = [](float value) { return 1 / (1 + std::exp(-value)); };
  const lookup<> layer({.input = {0.05f, 128}, .output = {1.0f / 256, 0}}, sigmoid);
  for (int code = 0; code < 256; ++code) {
    const double exact = std::min(255.0, 256 / (1 + std::exp(-0.05 * (code - 128))));
    // Half a step, and what a float sigmoid of a few roundings, each 2^-24 of it, may be off.
    EXPECT_NEAR(layer.table().at(static_cast<std::size_t>(code)), exact, 0.5 + 256 * 0x1p-21) << code;
  }
}

TEST(lookup, puts_infinity_at_the_outermost_code_and_clamps) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const lookup<std::uint8_t, std::int8_t> layer({.input = {1, 100}, .output = {1, 1}, .output_codes = {-7, 9}},
                                                [](float value) {
                                                  return value > 0 ? infinity : value < 0 ? -infinity : 0.0f;
                                                });
  std::vector<std::int8_t> outputs(3);
  layer.run(std::vector<std::uint8_t>{99, 100, 101}, outputs);
  EXPECT_EQ(outputs, (std::vector<std::int8_t>{-7, 1, 9}));
}

TEST(lookup, gives_the_same_bits_on_one_thread_on_two_and_in_place) {
  const lookup<> layer({.input = {1, 7}, .output = {1, 9}}, [](float value) { return 3 * std::sin(value); });
  auto codes = reference::narrowed<std::uint8_t>(reference::random_codes(1).many(10000, 0, 255));
  std::vector<std::uint8_t> expected(codes.size()), result(codes.size());
  layer.run(codes, expected);
  reference::two_threads pool;
  layer.run(codes, result, pool);
  EXPECT_EQ(result, expected);
  EXPECT_EQ(pool.pieces, 64u);
  layer.run(codes, codes);
  EXPECT_EQ(codes, expected);
  layer.run({}, {});
  static_assert(noexcept(layer.run(codes, codes)));
}

TEST(lookup, refuses_bad_descriptions_by_name) {
  const auto with = [](const lookup<>::description& layer, auto function) {
    return refusal([&] { lookup<>{layer, function}; });
  };
  const auto same = [](float value) { return value; };
  EXPECT_EQ(with({.input = {0}, .output = {1}}, same),
            "lookup: input.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(with({.input = {1, 256}, .output = {1}}, same),
            "lookup: input.zero_point is 256, expected a code of its type, [0, 255]");
  EXPECT_EQ(with({.input = {1}, .output = {1, 3}, .output_codes = {4, 9}}, same),
            "lookup: output.zero_point is 3, expected one of the output_codes, [4, 9]");
  EXPECT_EQ(with({.input = {1}, .output = {1}}, [](float value) { return std::sqrt(0 * value - 1) * 0; }).substr(0, 36),
            "lookup: function's result for code 0");
  EXPECT_THROW(lookup<>({.input = {1}, .output = {1}}, same, "abacus"), invalid_argument);
}

}  // namespace
}  // namespace bitwright
