// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/layers/image.hpp>

#include <gtest/gtest.h>

#include <cstddef>

namespace bitwright {
namespace {

using reference::refusal;

TEST(make_window, puts_heights_down_and_widths_across) {
  const auto window =
      make_window("test", {10, 20}, {3, 5}, {1, 2}, {.top = 1, .bottom = 2, .left = 3, .right = 4}, {2, 1});
  EXPECT_EQ(window.vertical.output(), 9u);     // 10 + 3 pixels, taps over 5: 13 - 5 + 1.
  EXPECT_EQ(window.horizontal.output(), 12u);  // 20 + 7 pixels, 5 taps: (27 - 5) / 2 + 1.
  EXPECT_EQ(window.vertical.padding_before, 1u);
  EXPECT_EQ(window.horizontal.padding_after, 4u);
}

TEST(make_window, refuses_numbers_that_are_none_by_name) {
  const auto with = [](height_width image, height_width kernel, height_width stride, image_padding padding,
                       height_width dilation) {
    return refusal([&] { make_window("test", image, kernel, stride, padding, dilation); });
  };
  const height_width one{1, 1};
  EXPECT_EQ(with({0, 1}, one, one, {}, one), "test: image.height is 0, expected [1, 2^30)");
  EXPECT_EQ(with(one, {1, 0}, one, {}, one), "test: kernel width is 0, expected [1, 2^30)");
  EXPECT_EQ(with(one, one, {0, 1}, {}, one), "test: stride.height is 0, expected [1, 2^30)");
  EXPECT_EQ(with(one, one, one, {}, {1, 0}), "test: dilation.width is 0, expected [1, 2^30)");
  EXPECT_EQ(with(one, one, one, {.right = ~std::size_t{0}}, one),
            "test: padding.right is 18446744073709551615, expected [0, 2^30)");
  EXPECT_EQ(with({4, 9}, {3, 3}, one, {}, {2, 2}),
            "test: kernel height is 3, expected taps, with a dilation of 2, that fit the padded image of 4 pixels");
}

}  // namespace
}  // namespace bitwright
