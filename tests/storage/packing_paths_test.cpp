// SPDX-License-Identifier: MIT
#include "packed_bits.hpp"
#include <bitwright/storage/packing_paths.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bitwright {
namespace {

/// `lowest` as a byte, for codes of so many bits that are signed.
std::uint8_t lowest_of(int bits) { return static_cast<std::uint8_t>(-(1 << (bits - 1))); }

/// Runs every path of an order on codes of random fields, between bytes that have to stay as they are.
template <class Order>
void expect_paths_to_follow_the_order(std::size_t count, field_layout layout) {
  std::mt19937 generator(static_cast<std::uint32_t>(count));
  std::uniform_int_distribution<int> any(0, (1 << layout.bits) - 1);
  std::vector<std::uint8_t> fields(count), codes(count);
  for (std::size_t i = 0; i < count; ++i) {
    fields[i] = static_cast<std::uint8_t>(any(generator));
    codes[i] = static_cast<std::uint8_t>((fields[i] ^ layout.flip) + layout.lowest);
  }
  std::vector<std::uint8_t> expected = reference::packed_bits<Order>(fields, static_cast<std::size_t>(layout.bits));
  for (const packing_path& path : packing_paths<Order>) {
    if (!path.available()) continue;
    const std::string where = std::string(path.name) + ", " + std::to_string(count) + " codes";
    std::vector<std::uint8_t> bytes(expected.size() + 1, 0xa5), back(count + 1, 0xa5);
    const unsigned ranks = path.pack(codes.data(), count, layout, bytes.data());
    path.unpack(expected.data(), count, layout, back.data());
    EXPECT_EQ(bytes.back(), 0xa5) << where;
    EXPECT_EQ(back.back(), 0xa5) << where;
    bytes.pop_back();
    back.pop_back();
    EXPECT_EQ(bytes, expected) << where;
    EXPECT_EQ(back, codes) << where;
    EXPECT_EQ(ranks >> layout.bits, 0u) << where;
  }
}

template <class Order>
void expect_contiguous_orders_to_hold_every_width() {
  for (int bits = 1; bits <= 8; ++bits)
    for (std::size_t count = 0; count <= 2 * packing_block + 9; ++count) {
      expect_paths_to_follow_the_order<Order>(count, {bits, 0, 0});
      expect_paths_to_follow_the_order<Order>(count, {bits, lowest_of(bits), 0});
      expect_paths_to_follow_the_order<Order>(count,
                                              {bits, lowest_of(bits), static_cast<std::uint8_t>(1 << (bits - 1))});
    }
}

TEST(packing_paths, all_put_every_bit_where_least_significant_first_says) {
  expect_contiguous_orders_to_hold_every_width<least_significant_first>();
}

TEST(packing_paths, all_put_every_bit_where_most_significant_first_says) {
  expect_contiguous_orders_to_hold_every_width<most_significant_first>();
}

TEST(packing_paths, all_put_every_bit_where_ggml_halves_says) {
  for (const std::size_t count : {0u, 32u, 64u, 96u, 128u, 160u, 512u})
    for (const field_layout layout :
         {field_layout{4, 0, 0}, field_layout{4, lowest_of(4), 0}, field_layout{4, lowest_of(4), 8}})
      expect_paths_to_follow_the_order<ggml_halves>(count, layout);
}

template <class Order>
void expect_paths_to_see_a_code_outside() {
  for (const packing_path& path : packing_paths<Order>) {
    if (!path.available()) continue;
    for (std::size_t place = 0; place < 160; ++place)
      for (const int code : {8, 127, -9}) {
        std::vector<std::uint8_t> codes(160, 0xff), bytes(80);
        codes[place] = static_cast<std::uint8_t>(code);
        EXPECT_NE(path.pack(codes.data(), codes.size(), {4, lowest_of(4), 8}, bytes.data()) >> 4, 0u)
            << path.name << ", place " << place;
      }
  }
}

TEST(packing_paths, all_see_a_code_outside_wherever_it_stands) {
  expect_paths_to_see_a_code_outside<least_significant_first>();
  expect_paths_to_see_a_code_outside<most_significant_first>();
  expect_paths_to_see_a_code_outside<ggml_halves>();
}

}  // namespace
}  // namespace bitwright
