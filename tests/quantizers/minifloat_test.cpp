// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// A format as its specification describes it.
template <class Q, int ExponentBits, int MantissaBits, bool HasInfinity, bool HasNan>
struct format {
  using quantizer = Q;
  static constexpr int exponent_bits = ExponentBits, mantissa_bits = MantissaBits;
  static constexpr bool has_infinity = HasInfinity, has_nan = HasNan;
  static constexpr int codes = 1 << (ExponentBits + MantissaBits);  ///< Without the sign.

  /// From the fields, by the formula.
  static double value_of(int code) {
    const int mantissa = code % (1 << MantissaBits), exponent = code / (1 << MantissaBits) % (1 << ExponentBits);
    const int bias = (1 << (ExponentBits - 1)) - 1, last = (1 << ExponentBits) - 1;
    const double sign = code >= codes ? -1 : 1;
    if (HasInfinity && exponent == last) return mantissa == 0 ? sign * double{infinity} : double{nan_value};
    if (!HasInfinity && HasNan && code % codes == codes - 1) return double{nan_value};
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - MantissaBits);
    return sign * std::ldexp((1 << MantissaBits) + mantissa, exponent - bias - MantissaBits);
  }

  static int greatest_code() {
    int code = codes - 1;
    while (!std::isfinite(value_of(code))) --code;
    return code;
  }
};

template <class Format>
struct minifloat_format : testing::Test {};
using formats =
    testing::Types<format<fp16, 5, 10, true, true>, format<bf16, 8, 7, true, true>, format<fp8_e5m2, 5, 2, true, true>,
                   format<fp8_e4m3, 4, 3, false, true>, format<fp6_e3m2, 3, 2, false, false>,
                   format<fp6_e2m3, 2, 3, false, false>, format<fp4_e2m1, 2, 1, false, false>>;
TYPED_TEST_SUITE(minifloat_format, formats);

/// What becomes of values beyond the greatest number: formats of 16 bits have infinity for them, the others saturate.
template <class Format>
int code_beyond() {
  const int greatest = Format::greatest_code();
  return sizeof(typename Format::quantizer::code_type) > 1 ? greatest + 1 : greatest;
}

TYPED_TEST(minifloat_format, decodes_every_code_by_the_formula_and_restores_it) {
  using code_type = typename TypeParam::quantizer::code_type;
  const typename TypeParam::quantizer q;
  for (int code = 0; code < 2 * TypeParam::codes; ++code) {
    const double expected = TypeParam::value_of(code);
    const float value = q.dequantize(static_cast<code_type>(code));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << code;
      ASSERT_TRUE(std::isnan(q.dequantize(q.quantize(value)))) << code;
      continue;
    }
    ASSERT_EQ(value, expected) << code;
    ASSERT_EQ(std::signbit(value), code >= TypeParam::codes) << code;
    const int sign = code - code % TypeParam::codes;
    ASSERT_EQ(q.quantize(value), std::isinf(expected) ? code_beyond<TypeParam>() + sign : code);
  }
}

/// The code of the nearest finite number, ties to the even code; beyond half a step above the greatest, `beyond`.
int nearest_code(const std::vector<double>& numbers, double magnitude, int beyond) {
  const auto above = std::upper_bound(numbers.begin(), numbers.end(), magnitude);
  const int code = static_cast<int>(above - numbers.begin()) - 1;
  const double step = above == numbers.end() ? numbers.back() - numbers[numbers.size() - 2]
                                             : *above - numbers[static_cast<std::size_t>(code)];
  const double distance = magnitude - numbers[static_cast<std::size_t>(code)];
  const bool up = 2 * distance > step || (2 * distance == step && code % 2 == 1);
  return above == numbers.end() ? (up || distance > step ? beyond : code) : code + (up ? 1 : 0);
}

TYPED_TEST(minifloat_format, rounds_to_the_nearest_number_and_ties_to_even) {
  const typename TypeParam::quantizer q;
  std::vector<double> numbers;
  for (int code = 0; code <= TypeParam::greatest_code(); ++code) numbers.push_back(TypeParam::value_of(code));
  std::vector<float> values;
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i)
    values.push_back(static_cast<float>((numbers[i] + numbers[i + 1]) / 2));
  values.push_back(static_cast<float>(numbers.back() + (numbers.back() - numbers[numbers.size() - 2]) / 2));
  std::mt19937 generator(1);
  for (int i = 0; i < 6000; ++i) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(generator()) & 0x7fffffffu);
    if (std::isfinite(value)) values.push_back(value);
    values.push_back(std::ldexp(static_cast<float>(i), -10));
  }
  const int sign = TypeParam::codes;
  for (const float centre : values)
    for (const float value : {std::nextafter(centre, 0.0f), centre, std::nextafter(centre, infinity)}) {
      if (!std::isfinite(value)) continue;
      const int expected = nearest_code(numbers, value, code_beyond<TypeParam>());
      ASSERT_EQ(q.quantize(value), expected) << value;
      ASSERT_EQ(q.quantize(-value), expected + sign) << value;
    }
}

TYPED_TEST(minifloat_format, treats_nan_and_infinity_by_its_specification) {
  const typename TypeParam::quantizer q;
  EXPECT_EQ(q.quantize(infinity), code_beyond<TypeParam>());
  EXPECT_EQ(q.quantize(-infinity), code_beyond<TypeParam>() + TypeParam::codes);
  const float restored = q.dequantize(q.quantize(nan_value));
  EXPECT_TRUE(TypeParam::has_nan ? std::isnan(restored) : restored == 0);
}

TYPED_TEST(minifloat_format, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(typename TypeParam::quantizer());
  reference::expect_every_path_equals_scalar(typename TypeParam::quantizer(0.3f));
  for (const float scale : {1.0f, 0.3f, 0x1p-125f, 0x1p126f})
    reference::expect_every_path_restores_every_code(typename TypeParam::quantizer(scale));
}

TYPED_TEST(minifloat_format, fits_its_scale_to_a_range) {
  using q = typename TypeParam::quantizer;
  EXPECT_EQ(q::symmetric({0, 0}).scale(), 1);
  const q fitted = q::symmetric({-3, 2});
  EXPECT_FLOAT_EQ(fitted.dequantize(fitted.quantize(-3)), -3);
  EXPECT_EQ(fitted.bits(), 1 + TypeParam::exponent_bits + TypeParam::mantissa_bits);
  EXPECT_EQ(q::greatest_exponent, std::ilogb(TypeParam::value_of(TypeParam::greatest_code())));
}

TEST(minifloat, has_the_published_limits) {
  EXPECT_EQ(fp16().dequantize(0x7bff), 65504);
  EXPECT_EQ(fp16().dequantize(0x0001), 0x1p-24f);
  EXPECT_EQ(fp16().quantize(65519.996f), 0x7bff);
  EXPECT_EQ(fp16().quantize(65520), 0x7c00);  // Half a step above the greatest: a tie, to the even code, infinity.
  EXPECT_EQ(bf16().dequantize(0x7f7f), 0x1.fep127f);
  EXPECT_EQ(bf16().dequantize(0x0001), 0x1p-133f);
  EXPECT_EQ(fp8_e5m2().dequantize(0x7b), 57344);
  EXPECT_EQ(fp8_e5m2().dequantize(0x7c), infinity);
  EXPECT_EQ(fp8_e5m2().dequantize(0x01), 0x1p-16f);
  EXPECT_EQ(fp8_e4m3().dequantize(0x7e), 448);
  EXPECT_TRUE(std::isnan(fp8_e4m3().dequantize(0x7f)) && std::isnan(fp8_e4m3().dequantize(0xff)));
  EXPECT_EQ(fp8_e4m3().dequantize(0x01), 0x1p-9f);
  EXPECT_EQ(fp6_e3m2().dequantize(0x1f), 28);
  EXPECT_EQ(fp6_e2m3().dequantize(0x1f), 7.5f);
  std::vector<float> levels;
  for (std::uint8_t code = 0; code < 8; ++code) levels.push_back(fp4_e2m1().dequantize(code));
  EXPECT_EQ(levels, (std::vector<float>{0, 0.5f, 1, 1.5f, 2, 3, 4, 6}));
}

TEST(minifloat, overflows_to_infinity_or_nan_where_that_is_asked_for) {
  const minifloat<5, 2, infinity_and_nan, overflow_to_special> e5m2;
  EXPECT_EQ(e5m2.quantize(61439.99f), 0x7b);
  EXPECT_EQ(e5m2.quantize(61440), 0x7c);
  EXPECT_EQ(e5m2.quantize(-infinity), 0xfc);
  const minifloat<4, 3, nan_alone, overflow_to_special> e4m3;
  EXPECT_EQ(e4m3.quantize(464), 0x7e);  // A tie between 448 and what would be 480: to even.
  EXPECT_EQ(e4m3.quantize(465), 0x7f);
  EXPECT_EQ(e4m3.quantize(infinity), 0x7f);
}

TEST(minifloat, has_a_scale_for_each_channel) {
  const std::vector<float> values{6, 1, 600, 100};
  const auto q = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{},
                            [](std::span<const float> slice) { return fp4_e2m1::symmetric(range_of(slice)); });
  std::vector<std::uint8_t> codes(4);
  q.quantize(values, codes);
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{7, 2, 7, 2}));
}

TEST(minifloat, refuses_scales_that_have_no_inverse) {
  const std::string expected = ", expected a positive, finite number with a finite inverse";
  EXPECT_EQ(refusal([] { fp16(0); }), "minifloat: scale is 0" + expected);
  EXPECT_EQ(refusal([] { fp16(-1); }), "minifloat: scale is -1" + expected);
  EXPECT_EQ(refusal([] { fp16{nan_value}; }), "minifloat: scale is nan" + expected);
  EXPECT_EQ(refusal([] {
              fp8_e4m3::symmetric({1, -1});
            }),
            "minifloat: values is [1, -1], expected a range with -2^125 <= min <= max <= 2^125");
}

}  // namespace
}  // namespace bitwright
