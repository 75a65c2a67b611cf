// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/quantizers/term.hpp>
#include <bitwright/storage/term_list.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace bitwright {
namespace {

using reference::narrowed;
using reference::random_codes;
using reference::refusal;
using s8 = std::int8_t;
using s16 = std::int16_t;

template <class Integer>
tensor<Integer> matrix(std::size_t outputs, std::size_t inputs, const std::vector<Integer>& values) {
  tensor<Integer> weights({outputs, inputs});
  std::ranges::copy(values, weights.values().begin());
  return weights;
}

std::vector<int> bits_of(const term_list& list) {
  std::vector<int> bits;
  for (const term_byte byte : list.bytes()) bits.push_back(byte.bits);
  return bits;
}

std::vector<term_byte> bytes_of(const std::vector<int>& bits) {
  std::vector<term_byte> bytes;
  for (const int each : bits) bytes.push_back({static_cast<std::uint8_t>(each)});
  return bytes;
}

TEST(term_list, has_the_bytes_worked_out_by_hand) {
  // 8 - 1 at input 0; -2 two inputs on; nothing; a row of zeros.
  const term_list list = term_list::of(matrix<s8>(2, 4, {7, 0, -2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(bits_of(list), (std::vector<int>{0b000'0'0011, 0b000'1'0000, 0b010'1'0001}));
  EXPECT_EQ(std::vector<std::uint32_t>(list.row_ends().begin(), list.row_ends().end()),
            (std::vector<std::uint32_t>{3, 3}));
  EXPECT_EQ(list.stored_bytes(), 4u * 3 + 3);
}

TEST(term_list, steps_over_long_runs_of_zeros_by_the_longest_steps_that_fit) {
  for (const std::size_t input : {0u, 7u, 8u, 15u, 16u, 127u, 128u, 135u, 136u, 143u, 144u, 1000u}) {
    std::vector<s8> row(1001);
    row[input] = 1;
    const term_list list = term_list::of(matrix(1, 1001, row));
    EXPECT_EQ(list.bytes().size(), 1 + (input / 8 + 15) / 16) << input;  // A byte for each 128 inputs, or begun ones.
    list.for_each_term_of(0, [&](std::size_t k, int exponent, bool minus) {
      EXPECT_EQ(std::tuple(k, exponent, minus), std::tuple(input, 0, false));
    });
  }
}

TEST(term_list, holds_any_weights_without_loss) {
  random_codes random(1);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t outputs = random.between(0, 9), inputs = random.between(0, 400), most = random.between(1, 21845);
    std::vector<std::int64_t> values = random.many(outputs * inputs, -most, most);
    const std::int64_t sparsity = random.between(0, 200);
    for (std::int64_t& value : values) value = random.between(0, sparsity) == 0 ? value : 0;
    const auto weights =
        matrix(static_cast<std::size_t>(outputs), static_cast<std::size_t>(inputs), narrowed<s16>(values));
    const term_list list = term_list::of(weights);
    EXPECT_TRUE(std::ranges::equal(list.integers().values(), weights.values()));
    EXPECT_EQ(list.stored_bytes(), 4 * list.outputs() + 4 + list.bytes().size());
    const term_list reread(list.inputs(), {list.row_ends().begin(), list.row_ends().end()},
                           {list.bytes().begin(), list.bytes().end()});
    EXPECT_TRUE(reread == list);
  }
}

TEST(term_list, holds_every_8_bit_weight_in_every_encoding) {
  std::vector<s8> all;
  for (int weight = -128; weight <= 127; ++weight) all.push_back(static_cast<s8>(weight));
  const auto weights = matrix(1, 256, all);
  EXPECT_TRUE(std::ranges::equal(term_list::of(weights).decoded().values(), all));
  EXPECT_TRUE(std::ranges::equal(term_list::of(weights, binary_digits{}).decoded().values(), all));
  EXPECT_TRUE(std::ranges::equal(term_list::of(weights, hese{}).decoded().values(), all));
}

TEST(term_list, of_a_term_quantizers_codes_has_the_terms_that_it_kept) {
  const auto expect_same = []<class Encoding>(Encoding encoding) {
    random_codes random(2);
    const term<Encoding> q = term<Encoding>::symmetric({-127, 127}, 8, {8, 13});
    const auto values = narrowed<float>(random.many(5 * 24, -127, 127));
    tensor<s16> codes({5, 24});
    q.quantize(values, codes.values());
    const term_list list = term_list::of(codes, encoding);
    std::vector<std::tuple<std::size_t, int, bool>> expected, terms;
    for (const signed_term& each : q.terms(codes.values()))
      expected.emplace_back(each.element, each.exponent, each.negative);
    for (std::size_t n = 0; n < 5; ++n)
      list.for_each_term_of(
          n, [&](std::size_t k, int exponent, bool minus) { terms.emplace_back(n * 24 + k, exponent, minus); });
    std::ranges::sort(expected), std::ranges::sort(terms);
    EXPECT_EQ(terms, expected);
    EXPECT_EQ(list.term_operations(), expected.size());
    EXPECT_LE(list.most_terms(8), 13u);
    EXPECT_LE(term_list::of(codes).term_operations(), list.term_operations());
  };
  expect_same(non_adjacent{}), expect_same(binary_digits{}), expect_same(hese{});
}

TEST(term_list, counts_the_operations_that_it_takes_and_those_it_replaces) {
  const term_list list = term_list::of(matrix<s8>(2, 5, {7, 0, 0, 3, 16, 0, 0, 0, 0, -1}));
  EXPECT_EQ(list.term_operations(), 2u + 2 + 1 + 1);
  EXPECT_EQ(list.multiply_accumulates(), 10u);
  EXPECT_EQ(list.most_terms(1), 2u);
  EXPECT_EQ(list.most_terms(3), 3u);  // 3 and 16; a group never spans two outputs.
  EXPECT_EQ(list.most_terms(100), 5u);
  EXPECT_EQ(refusal([&] { list.most_terms(0); }), "term_list::most_terms: weights is 0, expected at least 1");
}

TEST(term_list, of_nothing_has_no_terms) {
  for (const auto& [outputs, inputs] : {std::pair{0u, 0u}, std::pair{0u, 3u}, std::pair{3u, 0u}, std::pair{2u, 3u}}) {
    const term_list list = term_list::of(tensor<s8>({outputs, inputs}));
    EXPECT_EQ(list.outputs(), outputs);
    EXPECT_EQ(list.inputs(), inputs);
    EXPECT_EQ(list.term_operations(), 0u);
    EXPECT_EQ(list.most_terms(8), 0u);
    EXPECT_EQ(list.stored_bytes(), 4u * (outputs + 1));
  }
}

TEST(term_list, keeps_an_overshoot_that_8_bits_do_not_hold) {
  // 127 = 128 - 1, of which one term keeps 128.
  const term<> q = term<>::symmetric({-127, 127}, 8, {1, 1});
  tensor<s16> codes({1, 2});
  q.quantize(std::vector<float>{-127, 127}, codes.values());
  const term_list list = term_list::of(codes);
  EXPECT_EQ(list.integers()(0, 0), -128);
  EXPECT_EQ(list.integers()(0, 1), 128);
  EXPECT_EQ(
      refusal([&] { list.decoded(); }),
      "term_list::decoded: the weight of output 0, input 1 is 128, expected within [-128, 127], which 8-bit kernels "
      "take");
}

TEST(term_list, refuses_weights_of_greater_terms_by_name) {
  EXPECT_EQ(refusal([] {
              term_list::of(matrix<s16>(2, 2, {21845, -21845, 0, 21846}));
            }),
            "term_list::of: weights[1, 1] is 21846, expected a sum of terms of at most 2^14");
  EXPECT_EQ(refusal([] { term_list::of(matrix<s16>(1, 1, {-32768}), binary_digits{}); }),
            "term_list::of: weights[0, 0] is -32768, expected a sum of terms of at most 2^14");
  EXPECT_EQ(term_list::of(matrix<s16>(1, 1, {-32767}), binary_digits{}).term_operations(), 15u);
  EXPECT_EQ(refusal([] { term_list::of(tensor<s8>(shape{})); }),
            "term_list::of: weights.shape() is [], expected outputs x inputs");
}

std::string refusal_of(std::size_t inputs, std::vector<std::uint32_t> ends, const std::vector<int>& bits) {
  return refusal([&] { term_list(inputs, ends, bytes_of(bits)); });
}

TEST(term_list, refuses_bytes_that_are_no_list_by_row) {
  EXPECT_EQ(refusal_of(4, {1, 0}, {0}), "term_list: row_ends[1] is 0, expected within [1, 1]");
  EXPECT_EQ(refusal_of(4, {2}, {0}), "term_list: row_ends[0] is 2, expected within [0, 1]");
  EXPECT_EQ(refusal_of(4, {0}, {0}), "term_list: bytes.size() is 1, expected the last row's end, 0");
  EXPECT_EQ(refusal_of(4, {1, 3}, {0, 0x20, 0x60}), "term_list: inputs of row 1 is 4, expected inputs below 4");
  EXPECT_EQ(refusal_of(0, {1}, {0}), "term_list: inputs of row 0 is 0, expected inputs below 0");
  EXPECT_EQ(refusal_of(4, {2}, {3, 3}),
            "term_list: exponents of row 0 is 3, expected less than before at its input, 3");
  EXPECT_EQ(refusal_of(400, {3}, {0x0f, 0x0f, 0}), "term_list: steps of row 0 is 8, expected the longest");
  EXPECT_EQ(refusal_of(400, {1}, {0x0f}), "term_list: last byte of row 0 is 15, expected a term");
}

}  // namespace
}  // namespace bitwright
