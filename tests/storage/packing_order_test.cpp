// SPDX-License-Identifier: MIT
#include <bitwright/storage/packing_order.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace bitwright {
namespace {

using bytes_3 = std::array<std::uint8_t, 3>;

constexpr std::array<std::uint8_t, 8> three_bits = {1, 2, 3, 4, 5, 6, 7, 0};

template <class Order>
constexpr bytes_3 packed_by() {
  bytes_3 bytes{};
  Order::pack_group(three_bits.data(), 3, bytes.data());
  return bytes;
}

// 001 010 011 100 101 110 111 000, read from the left: 00101001 11001011 10111000.
static_assert(packed_by<most_significant_first>() == bytes_3{0x29, 0xcb, 0xb8});
// The same codes from the right: 000 111 110 101 100 011 010 001 = 00011111 01011000 11010001, the last byte first.
static_assert(packed_by<least_significant_first>() == bytes_3{0xd1, 0x58, 0x1f});

TEST(packing_order, puts_the_first_of_two_nibbles_where_its_name_says) {
  const std::array<std::uint8_t, 8> fields = {1, 2, 3, 4, 5, 6, 7, 8};
  std::array<std::uint8_t, 4> bytes{};
  least_significant_first::pack_group(fields.data(), 4, bytes.data());  // ONNX: the first code in the low half.
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 4>{0x21, 0x43, 0x65, 0x87}));
  most_significant_first::pack_group(fields.data(), 4, bytes.data());
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 4>{0x12, 0x34, 0x56, 0x78}));
}

TEST(packing_order, ggml_puts_the_codes_j_and_j_plus_16_into_one_byte) {
  std::array<std::uint8_t, 32> fields{};
  fields[0] = 1;
  fields[16] = 2;
  fields[15] = 3;
  fields[31] = 4;
  std::array<std::uint8_t, 16> bytes{};
  ggml_halves::pack_group(fields.data(), 4, bytes.data());
  EXPECT_EQ(bytes[0], 0x21);
  EXPECT_EQ(bytes[15], 0x43);
  EXPECT_EQ(bytes[1], 0);
}

TEST(packing_order, holds_the_widths_it_is_defined_for) {
  for (int bits = 0; bits <= 9; ++bits) {
    EXPECT_EQ(least_significant_first::holds(bits), bits >= 1 && bits <= 8);
    EXPECT_EQ(most_significant_first::holds(bits), bits >= 1 && bits <= 8);
    EXPECT_EQ(ggml_halves::holds(bits), bits == 4);
  }
}

}  // namespace
}  // namespace bitwright
