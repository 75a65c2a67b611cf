// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/pooling.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using reference::refusal;

// A 2 x 2 image of two channels, with which both layers begin.
const std::vector<std::uint8_t> image{10, 200, 20, 180, 31, 160, 50, 141};

TEST(max_pooling, takes_the_greatest_of_each_channel) {
  const max_pooling<> whole({.image = {2, 2}, .channels = 2, .kernel = {2, 2}});
  std::vector<std::uint8_t> greatest(whole.output_size());
  whole.run(image, greatest);
  EXPECT_EQ(greatest, (std::vector<std::uint8_t>{50, 200}));
  const max_pooling<> rows(
      {.image = {2, 2}, .channels = 2, .kernel = {1, 2}, .stride = {1, 2}, .padding = {.left = 1, .right = 1}});
  EXPECT_EQ(rows.output_image(), (height_width{2, 2}));
  greatest.resize(rows.output_size());
  rows.run(image, greatest);
  EXPECT_EQ(greatest, image);  // Each window has one tap inside.
}

TEST(average_pooling, of_the_whole_image_is_the_mean_in_the_output_scale) {
  // Means of 10 20 31 50 and 200 180 160 141, less the zero point 10, are 17.75 and 160.25 steps of 0.5, so 8.875 and
  // 80.125 of 1.
  const average_pooling<> layer(
      {.input = {0.5f, 10}, .window = {.image = {2, 2}, .channels = 2, .kernel = {2, 2}}, .output = {1, 3}});
  std::vector<std::uint8_t> mean(layer.output_size());
  layer.run(image, mean);
  EXPECT_EQ(mean, (std::vector<std::uint8_t>{12, 83}));
}

TEST(average_pooling, divides_by_the_taps_inside_the_image) {
  // Three columns around each pixel of 0 10 20, of which two are inside at the borders: means 5 10 15.
  const average_pooling<> layer(
      {.input = {1},
       .window = {.image = {1, 3}, .channels = 1, .kernel = {1, 3}, .padding = {.left = 1, .right = 1}},
       .output = {1}});
  std::vector<std::uint8_t> mean(3);
  layer.run(std::vector<std::uint8_t>{0, 10, 20}, mean);
  EXPECT_EQ(mean, (std::vector<std::uint8_t>{5, 10, 15}));
}

TEST(pooling, gives_the_same_bits_on_one_thread_and_on_two) {
  const pooling_window window{.image = {9, 7}, .channels = 5, .kernel = {3, 2}, .padding = {.top = 1, .bottom = 2}};
  const auto input = reference::narrowed<std::int8_t>(random_codes(1).many(10 * 9 * 7 * 5, -128, 127));
  const max_pooling<std::int8_t> greatest(window);
  const average_pooling<std::int8_t, std::int16_t> average({.input = {0.1f, 5}, .window = window, .output = {0.013f}});
  const auto expect_same = [&]<class Code>(const auto& layer, Code) {
    std::vector<Code> expected(10 * layer.output_size()), result(expected.size());
    layer.run(input, expected);
    reference::two_threads pool;
    layer.run(input, result, pool);
    EXPECT_EQ(result, expected);
    EXPECT_EQ(pool.pieces, 50u);  // 100 rows, two a piece.
    static_assert(noexcept(layer.run(input, result)));
  };
  expect_same(greatest, std::int8_t{});
  expect_same(average, std::int16_t{});
}

TEST(pooling, refuses_bad_windows_by_name) {
  const auto with = [](const pooling_window& window) { return refusal([&] { max_pooling<>{window}; }); };
  EXPECT_EQ(with({.image = {2, 2}, .channels = 0, .kernel = {1, 1}}),
            "max_pooling: channels is 0, expected at least 1");
  EXPECT_EQ(with({.image = {2, 2}, .channels = 1, .kernel = {0, 1}}),
            "max_pooling: kernel height is 0, expected [1, 2^30)");
  EXPECT_EQ(
      with({.image = {2, 2}, .channels = 1, .kernel = {3, 1}}),
      "max_pooling: kernel height is 3, expected taps, with a dilation of 1, that fit the padded image of 2 pixels");
  EXPECT_EQ(with({.image = {2, 2}, .channels = 1, .kernel = {1, 2}, .padding = {.left = 2}}),
            "max_pooling: padding is [2, 0], expected so little that each window has a tap inside the image");
  EXPECT_EQ(with({.image = {1 << 29, 1 << 29}, .channels = 1 << 10, .kernel = {1, 1}}),
            "shape: sizes is [536870912, 536870912, 1024], expected fewer elements than overflow a std::size_t");
}

TEST(average_pooling, refuses_bad_descriptions_by_name) {
  const auto with = [](affine_scale input, std::size_t width, affine_scale output) {
    return refusal([&] {
      average_pooling<>(
          {.input = input, .window = {.image = {1, width}, .channels = 1, .kernel = {1, width}}, .output = output});
    });
  };
  EXPECT_EQ(with({1, 256}, 4, {1}), "average_pooling: input.zero_point is 256, expected a code of its type, [0, 255]");
  EXPECT_EQ(with({1}, 4, {0}), "average_pooling: output.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(with({0x1p-30f}, 8, {1}),
            "average_pooling: input.scale / (output.scale * 8 taps) is 1.1641532182693481e-10, expected [2^-32, 2^30)");
  // 255 * 8421504 = 2^31 - 128, and one tap more is too many.
  EXPECT_EQ(with({1}, 8421504, {1}), "nothing was refused");
  EXPECT_EQ(with({1}, 8421505, {1}),
            "average_pooling: taps of a window is 8421505, expected at most 8421504, for 32-bit sums");
}

}  // namespace
}  // namespace bitwright
