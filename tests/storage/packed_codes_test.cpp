// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/storage/packed_codes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

using onnx_int4 = packed_codes<least_significant_first, signed_field>;
using onnx_uint4 = packed_codes<least_significant_first, unsigned_field>;
using ggml_nibbles = packed_codes<ggml_halves, offset_field>;
using bit_stream = packed_codes<most_significant_first, unsigned_field>;

std::vector<std::byte> bytes_of(const std::vector<int>& values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

template <class Packed>
std::vector<std::byte> packed(const std::vector<typename Packed::code_type>& codes, int bits) {
  const Packed stored(codes, bits);
  return {stored.bytes().begin(), stored.bytes().end()};
}

/// Every code of the field in turn, `count` of them.
template <class Field>
std::vector<typename Field::code_type> all_codes(std::size_t count, int bits) {
  std::vector<typename Field::code_type> codes(count);
  for (std::size_t i = 0; i < count; ++i)
    codes[i] =
        static_cast<typename Field::code_type>(Field::lowest(bits) + static_cast<int>(i % (std::size_t{1} << bits)));
  return codes;
}

TEST(packed_bytes, is_the_bits_rounded_up) {
  EXPECT_EQ(packed_bytes(0, 3), 0u);
  EXPECT_EQ(packed_bytes(1, 1), 1u);
  EXPECT_EQ(packed_bytes(5, 3), 2u);
  EXPECT_EQ(packed_bytes(8, 7), 7u);
  EXPECT_EQ(packed_bytes(9, 7), 8u);
  EXPECT_EQ(packed_bytes(68 * 68 * 7 * 7, 6), 68u * 68 * 7 * 7 * 6 / 8);  // BitPack's example: 4/3 fewer bytes.
  EXPECT_EQ(packed_bytes(~std::size_t{0}, 8), ~std::size_t{0});
}

TEST(packed_codes, fields_hold_negative_codes_as_each_format_says) {
  EXPECT_EQ(packed<onnx_int4>({-8, -1, 0, 7}, 4), bytes_of({0xf8, 0x70}));  // Two's complement.
  EXPECT_EQ(packed<onnx_uint4>({0, 15, 8, 7}, 4), bytes_of({0xf0, 0x78}));
  EXPECT_EQ((packed<packed_codes<least_significant_first, offset_field>>({-8, -1, 0, 7}, 4)), bytes_of({0x70, 0xf8}));
  EXPECT_EQ((packed<packed_codes<most_significant_first, signed_field>>({-1, 0, 1, -2}, 2)), bytes_of({0b11000110}));
  EXPECT_EQ((packed<packed_codes<least_significant_first, signed_field>>({-128, 127}, 8)), bytes_of({0x80, 0x7f}));
  EXPECT_EQ((packed<packed_codes<least_significant_first, offset_field>>({-128, 127}, 8)), bytes_of({0x00, 0xff}));
}

TEST(packed_codes, one_bit_is_minus_one_and_zero_where_it_is_signed) {
  EXPECT_EQ((packed<packed_codes<least_significant_first, signed_field>>({-1, 0, -1}, 1)), bytes_of({0b101}));
  EXPECT_EQ((packed<packed_codes<least_significant_first, offset_field>>({-1, 0, -1}, 1)), bytes_of({0b010}));
}

TEST(packed_codes, an_odd_last_nibble_is_padded_with_zero_bits) {
  EXPECT_EQ(packed<onnx_uint4>({1, 2, 15}, 4), bytes_of({0x21, 0x0f}));
  EXPECT_EQ(packed<bit_stream>({1, 2, 15}, 4), bytes_of({0x12, 0xf0}));
}

template <class Order, class Field>
void expect_round_trips() {
  for (int bits = 1; bits <= 8; ++bits)
    for (std::size_t count = 0; count <= 300; count += count < 20 ? 1 : 47) {
      const auto codes = all_codes<Field>(count, bits);
      const packed_codes<Order, Field> stored(codes, bits);
      EXPECT_EQ(stored.bytes().size(), packed_bytes(count, bits));
      EXPECT_EQ(stored.unpacked(), codes) << bits << " bits, " << count << " codes";
    }
}

TEST(packed_codes, come_back_for_every_width_and_number) {
  expect_round_trips<least_significant_first, unsigned_field>();
  expect_round_trips<least_significant_first, signed_field>();
  expect_round_trips<most_significant_first, unsigned_field>();
  expect_round_trips<most_significant_first, offset_field>();
}

TEST(packed_codes, convert_without_loss_between_orders_and_fields) {
  const auto codes = all_codes<signed_field>(96, 4);
  const onnx_int4 onnx(codes, 4);
  const ggml_nibbles ggml(onnx);
  const packed_codes<most_significant_first, signed_field> stream(ggml);
  const onnx_int4 back(stream);
  EXPECT_EQ(ggml.unpacked(), codes);
  EXPECT_EQ(stream.unpacked(), codes);
  EXPECT_TRUE(std::equal(back.bytes().begin(), back.bytes().end(), onnx.bytes().begin(), onnx.bytes().end()));
}

TEST(packed_codes, do_not_convert_what_the_other_type_cannot_hold) {
  const onnx_uint4 high(std::vector<std::uint8_t>{0, 15}, 4);
  EXPECT_EQ(refusal([&] { onnx_int4{high}; }), "pack: codes[1] is 15, expected within [-8, 7]");
  const onnx_int4 negative(std::vector<std::int8_t>{0, 3, -1}, 4);
  EXPECT_EQ(refusal([&] { onnx_uint4{negative}; }), "packed_codes: codes[2] is -1, expected one of the field's codes");
  EXPECT_EQ(refusal([&] { ggml_nibbles{negative}; }), "packed_codes: codes.size() is 3, expected a multiple of 32");
  const bit_stream wide(std::vector<std::uint8_t>(32, 1), 5);
  EXPECT_EQ(refusal([&] { packed_codes<ggml_halves, unsigned_field>{wide}; }),
            "packed_codes: bits is 5, expected 4 in this order");
}

TEST(packed_codes, of_nothing_take_no_memory) {
  EXPECT_TRUE(onnx_int4(std::vector<std::int8_t>{}, 4).bytes().empty());
  EXPECT_TRUE(ggml_nibbles(std::vector<std::int8_t>{}, 4).unpacked().empty());
}

TEST(packed_codes, refuse_a_code_outside_by_its_index) {
  std::vector<std::int8_t> codes(100, -8);
  codes[77] = 8;
  EXPECT_EQ(refusal([&] { onnx_int4(codes, 4); }), "pack: codes[77] is 8, expected within [-8, 7]");
  EXPECT_EQ(refusal([] {
              bit_stream(std::vector<std::uint8_t>{3, 4}, 2);
            }),
            "pack: codes[1] is 4, expected within [0, 3]");
}

TEST(packed_codes, refuse_widths_and_memory_that_do_not_fit) {
  for (const int bits : {-1, 0, 9})
    EXPECT_THROW(bit_stream(std::vector<std::uint8_t>{0}, bits), invalid_argument) << bits;
  EXPECT_EQ(refusal([] { bit_stream(std::vector<std::uint8_t>{0}, 9); }), "packed_codes: bits is 9, expected [1, 8]");
  EXPECT_EQ(refusal([] { bit_stream(std::vector<std::byte>(3), 5, 2); }),
            "packed_codes: bytes.size() is 3, expected ceil(size * bits / 8), 2");
  std::vector<std::uint8_t> codes(5);
  std::vector<std::byte> bytes(1);
  EXPECT_EQ(refusal([&] { pack<most_significant_first, unsigned_field>(codes, 2, bytes); }),
            "pack: bytes.size() is 1, expected ceil(codes.size() * bits / 8), 2");
  EXPECT_EQ(refusal([&] { unpack<most_significant_first, unsigned_field>(bytes, 2, codes); }),
            "unpack: bytes.size() is 1, expected ceil(codes.size() * bits / 8), 2");
}

TEST(packed_codes, from_memory_are_what_was_stored) {
  const onnx_int4 stored(bytes_of({0xf8, 0x37}), 3, 4);  // The unused half may be anything.
  EXPECT_EQ(stored.unpacked(), (std::vector<std::int8_t>{-8, -1, 7}));
}

}  // namespace
}  // namespace bitwright
