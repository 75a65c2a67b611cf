// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/layers/concatenation.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using codes = std::vector<std::uint8_t>;

TEST(concatenation, joins_the_channels_of_each_pixel_in_the_outputs_scale) {
  // Two pixels of 2 and of 1 channels. The first input's steps are half the output's, the second's are the same.
  const std::array<concatenated_input, 2> inputs{{{2, {0.5f, 10}}, {1, {1, 0}}}};
  const concatenation<> layer({.inputs = inputs, .output = {1, 20}});
  EXPECT_EQ(layer.channels(), 3u);
  const codes first{14, 8, 10, 16}, second{1, 2};
  codes joined(6);
  layer.run(std::array<std::span<const std::uint8_t>, 2>{first, second}, joined);
  EXPECT_EQ(joined, (codes{22, 19, 21, 20, 23, 22}));
}

TEST(concatenation, is_requantize_of_every_code_on_any_number_of_threads) {
  reference::random_codes random(1);
  const std::array<concatenated_input, 3> inputs{{{1, {0.3f, 3}}, {67, {0.011f, 255}}, {32, {0.02f, 0}}}};
  const affine_scale output{0.02f, 17};
  const std::size_t pixels = 101;
  std::vector<codes> tensors;
  codes expected(pixels * 100);
  std::size_t offset = 0;
  for (const auto& [channels, map] : inputs) {
    tensors.push_back(
        reference::narrowed<std::uint8_t>(random.many(static_cast<std::int64_t>(pixels * channels), 0, 255)));
    const dyadic factor = dyadic::nearest(double{map.scale} / double{output.scale});
    for (std::size_t i = 0; i < tensors.back().size(); ++i)
      expected[i / channels * 100 + offset + i % channels] = static_cast<std::uint8_t>(
          requantize<half_to_even>(tensors.back()[i] - map.zero_point, factor, output.zero_point, {0, 200}));
    offset += channels;
  }
  const concatenation<> layer({.inputs = inputs, .output = output, .output_codes = {0, 200}});
  const std::array<std::span<const std::uint8_t>, 3> spans{tensors[0], tensors[1], tensors[2]};
  codes joined(expected.size()), again(expected.size());
  layer.run(spans, joined);
  EXPECT_EQ(joined, expected);
  reference::two_threads pool;
  layer.run(spans, again, pool);
  EXPECT_EQ(again, expected);
  EXPECT_EQ(pool.pieces, 51u);  // 101 pixels, two a piece.
  static_assert(noexcept(layer.run(spans, again)));
}

TEST(concatenation, of_no_pixels_writes_nothing) {
  const std::array<concatenated_input, 1> inputs{{{2, {1}}}};
  concatenation<>({.inputs = inputs, .output = {1}}).run(std::array<std::span<const std::uint8_t>, 1>{}, {});
}

TEST(concatenation, refuses_bad_descriptions_by_name) {
  const auto with = [](const std::vector<concatenated_input>& inputs) {
    return refusal([&] { concatenation<>({.inputs = inputs, .output = {1}}); });
  };
  EXPECT_EQ(with({}), "concatenation: inputs.size() is 0, expected at least 1");
  EXPECT_EQ(with({{1, {1}}, {0, {1}}}), "concatenation: inputs[1].channels is 0, expected at least 1");
  EXPECT_EQ(with({{1, {1}}, {1, {0}}}),
            "concatenation: inputs[1].map.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(with({{1, {0x1p31f}}}),
            "concatenation: inputs[0].map.scale / output.scale is 2147483648, expected [2^-32, 2^30)");
}

}  // namespace
}  // namespace bitwright
