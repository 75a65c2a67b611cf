// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/quantizers/paths.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bitwright {
namespace {

using reference::expect_every_path_equals_scalar;
using reference::refusal;

template <class Rounding, class Overflow>
void expect_uniform_paths() {
  const affine_scale power_of_two{0.125f, 3}, any{0.0123f, -2};
  const code_range bytes = code_range::signed_bits(8);
  expect_every_path_equals_scalar(uniform<8, std::int8_t, Rounding, Overflow>(power_of_two, bytes));
  expect_every_path_equals_scalar(uniform<8, std::int8_t, Rounding, Overflow>(any, bytes));
  expect_every_path_equals_scalar(uniform<8, std::uint8_t, Rounding, Overflow>({0.125f, 7}, {0, 255}));
  expect_every_path_equals_scalar(uniform<12, std::int16_t, Rounding, Overflow>(any, code_range::signed_bits(12)));
}

TEST(span_paths, of_uniform_give_the_same_bits_under_every_policy) {
  expect_uniform_paths<half_to_even, saturate>();
  expect_uniform_paths<half_up, saturate_to_zero>();
  expect_uniform_paths<half_away_from_zero, saturate>();
  expect_uniform_paths<toward_zero, wrap>();
  expect_uniform_paths<floor, wrap>();
}

TEST(span_paths, end_with_scalar_and_name_each_path_once) {
  const auto& all = span_paths<uniform<8>>;
  EXPECT_EQ(all.back().name, "scalar");
  EXPECT_TRUE(all.back().available());
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(all[i].name, all[j].name);
}

/// A scheme of a user's own: the code says in which half of its span a value stands.
struct halves {
  using code_type = std::uint8_t;
  std::uint32_t half;
  int bits() const { return 1; }
  [[gnu::always_inline]] std::uint8_t quantize(float, std::uint32_t index) const {
    return static_cast<std::uint8_t>(index >= half ? 1 : 0);
  }
  [[gnu::always_inline]] float dequantize(std::uint8_t code) const { return static_cast<float>(code); }
  void quantize(std::span<const float> values, std::span<std::uint8_t> codes) const {
    quantize_each(*this, values, codes, "halves");
  }
  void dequantize(std::span<const std::uint8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "halves");
  }
};
static_assert(quantizer<halves> && elementwise_quantizer<halves>);

TEST(span_paths, tell_a_scheme_that_asks_where_a_value_stands) {
  const halves q{100};
  expect_every_path_equals_scalar(q);
  std::vector<std::uint8_t> codes(200);
  q.quantize(std::vector<float>(200), codes);
  EXPECT_EQ(codes[99], 0);
  EXPECT_EQ(codes[100], 1);
}

TEST(span_paths, are_refused_spans_of_different_sizes) {
  std::vector<float> values(3);
  std::vector<std::uint8_t> codes(2);
  EXPECT_EQ(refusal([&] { halves{1}.quantize(values, codes); }),
            "halves::quantize: codes.size() is 2, expected that of the values, 3");
  EXPECT_EQ(refusal([&] { halves{1}.dequantize(codes, values); }),
            "halves::dequantize: values.size() is 3, expected that of the codes, 2");
}

}  // namespace
}  // namespace bitwright
