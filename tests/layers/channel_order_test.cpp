// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/channel_order.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using codes = std::vector<std::uint8_t>;

TEST(channels_last, puts_the_channels_of_a_pixel_beside_each_other) {
  // Two images of 1 x 3 pixels and 2 channels.
  const codes planes{1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60};
  codes pixels(12), again(12);
  channels_last({1, 3}, 2).run(planes, pixels);
  EXPECT_EQ(pixels, (codes{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}));
  channels_first({1, 3}, 2).run(pixels, again);
  EXPECT_EQ(again, planes);
}

TEST(channels_first, undoes_channels_last_on_any_number_of_threads) {
  const auto planes = reference::narrowed<std::int8_t>(reference::random_codes(1).many(3 * 9 * 11 * 35, -128, 127));
  std::vector<std::int8_t> pixels(planes.size()), expected(planes.size()), again(planes.size());
  const auto forth = channels_last<std::int8_t>({9, 11}, 35), back = channels_first<std::int8_t>({9, 11}, 35);
  EXPECT_EQ(forth.size(), 9u * 11 * 35);
  forth.run(planes, expected);
  reference::two_threads pool;
  forth.run(planes, pixels, pool);
  EXPECT_EQ(pixels, expected);
  EXPECT_EQ(pool.pieces, 60u);  // 297 rows of 35 codes, 5 a piece.
  back.run(pixels, again, pool);
  EXPECT_EQ(again, planes);
  forth.run({}, {});
  static_assert(noexcept(forth.run(planes, pixels)));
}

TEST(channel_order, refuses_images_without_codes_by_name) {
  EXPECT_EQ(refusal([] { channels_last({0, 3}, 2); }), "transposition: rows * columns is 0, expected at least 1");
  EXPECT_EQ(refusal([] { channels_first({2, 3}, 0); }), "transposition: rows * columns is 0, expected at least 1");
  EXPECT_THROW(channels_last({1, 1}, 1, "abacus"), invalid_argument);
}

}  // namespace
}  // namespace bitwright
