// SPDX-License-Identifier: MIT
#include "exact_division.hpp"
#include "refusal.hpp"
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::direction;
using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float least_normal = std::numeric_limits<float>::min();

template <class Code, class Rounding = half_to_even, class Overflow = saturate>
using dynamic = uniform<dynamic_bits, Code, Rounding, Overflow>;

TEST(uniform, symmetric_scale_is_the_limit_over_the_highest_code) {
  const auto q = uniform<4>::symmetric({-1, 3.5f});
  EXPECT_EQ(q.scale(), 0.5f);  // 3.5 / 7
  EXPECT_EQ(q.zero_point(), 0);
  EXPECT_EQ(q.codes(), (code_range{-7, 7}));
  EXPECT_EQ(q.bits(), 4);
  const auto u = uniform<4, std::uint8_t>::symmetric({0, 3.75f});
  EXPECT_EQ(u.scale(), 0.25f);  // 3.75 / 15
  EXPECT_EQ(u.codes(), (code_range{0, 15}));
}

TEST(uniform, affine_uses_all_codes_and_a_whole_zero_point) {
  const auto q = uniform<4, std::uint8_t>::affine({-1, 6.5f});
  EXPECT_EQ(q.map(), (affine_scale{0.5f, 2}));  // 7.5 / 15, and -(-1) / 0.5
  EXPECT_EQ(q.codes(), (code_range{0, 15}));
  EXPECT_EQ(uniform<4>::affine({-1, 6.5f}).map(), (affine_scale{0.5f, -6}));  // -8 + 2
  EXPECT_EQ((uniform<2, std::uint8_t>::affine({-1, 2.9f}).zero_point()), 1);  // 1 / 1.3 = 0.77
  EXPECT_EQ((uniform<8, std::uint8_t>::affine({-1, 1}).zero_point()), 127);  // 127.4999985: 2 / 255 as a float is more.
  EXPECT_EQ(uniform<8>::affine({100, 510}).map(), (affine_scale{2, -128}));  // Widened to [0, 510]
  EXPECT_EQ(uniform<8>::affine({-510, -100}).map(), (affine_scale{2, 127}));  // Widened to [-510, 0]
  EXPECT_EQ((uniform<1, std::uint8_t>::affine({0, 3}).map()), (affine_scale{3, 0}));
}

TEST(uniform, codes_are_those_worked_out_by_hand) {
  const uniform<4> q({0.5f, 0}, {-7, 7});
  const std::vector<float> values{0, 0.2f, 0.25f, 0.75f, -0.25f, -0.75f, -1.3f, 3.5f, 3.8f, -100};
  std::vector<std::int8_t> codes(values.size());
  q.quantize(values, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{0, 0, 0, 2, 0, -2, -3, 7, 7, -7}));
  std::vector<float> restored(values.size());
  q.dequantize(codes, restored);
  EXPECT_EQ(restored, (std::vector<float>{0, 0, 0, 1, 0, -1, -1.5f, 3.5f, 3.5f, -3.5f}));
}

/// What each overflow policy makes of `code`, from its definition.
std::int64_t fitted(saturate, std::int64_t code, code_range codes, std::int32_t) {
  return code < codes.min ? codes.min : code > codes.max ? codes.max : code;
}
std::int64_t fitted(saturate_to_zero, std::int64_t code, code_range codes, std::int32_t zero_point) {
  return code < codes.min || code > codes.max ? zero_point : code;
}
std::int64_t fitted(wrap, std::int64_t code, code_range codes, std::int32_t) {
  const std::int64_t size = std::int64_t{codes.max} - codes.min + 1, steps = code - codes.min;
  return codes.min + (steps % size + size) % size;
}

/// Every 1/16th of a step, ties among them, across twice the codes and a little: code for code, from integers alone.
template <class Code, class Rounding, class Overflow>
void expect_exact_codes(direction to) {
  for (int bits = 1; bits <= 8; ++bits) {
    const code_range codes = std::is_signed_v<Code> ? code_range::signed_bits(bits) : code_range::unsigned_bits(bits);
    for (const std::int32_t zero_point : {codes.min, (codes.min + codes.max + 1) / 2, codes.max}) {
      const dynamic<Code, Rounding, Overflow> q({0.25f, zero_point}, codes);
      const std::int64_t reach = 16 * (2 * codes.size() + 2);
      for (std::int64_t sixteenths = -reach; sixteenths <= reach; ++sixteenths) {
        const std::int64_t code = reference::divide(sixteenths, 4, to) + zero_point;
        ASSERT_EQ(q.quantize(static_cast<float>(sixteenths) / 64), fitted(Overflow{}, code, codes, zero_point))
            << sixteenths << "/16 steps from " << zero_point << " in " << bits << " bits";
      }
    }
  }
}

template <class Rounding>
void expect_exact_codes(direction to) {
  expect_exact_codes<std::int8_t, Rounding, saturate>(to);
  expect_exact_codes<std::uint8_t, Rounding, saturate>(to);
  expect_exact_codes<std::int16_t, Rounding, saturate_to_zero>(to);
  expect_exact_codes<std::uint8_t, Rounding, saturate_to_zero>(to);
  expect_exact_codes<std::int8_t, Rounding, wrap>(to);
  expect_exact_codes<std::uint16_t, Rounding, wrap>(to);
}

TEST(uniform, codes_are_exact_under_every_policy) {
  expect_exact_codes<half_up>(direction::up_at_ties);
  expect_exact_codes<half_to_even>(direction::even_at_ties);
  expect_exact_codes<half_away_from_zero>(direction::away_at_ties);
  expect_exact_codes<toward_zero>(direction::to_zero);
  expect_exact_codes<floor>(direction::down);
}

const std::vector<range> ranges{{-1, 1},
                                {-0.3f, 2.7f},
                                {0, 6},
                                {-5, 0},
                                {100, 101},
                                {-7.7f, -3},
                                {0.1f, 0.1f},
                                {-0.1f, -0.1f},
                                {0, 0},
                                {0, std::numeric_limits<float>::denorm_min()},
                                {-1e-40f, 3e-41f},
                                {-least_normal, least_normal},
                                {-0x1p125f, 0x1p125f},
                                {0, 0x1p125f},
                                {-1e-3f, 1e3f}};

/// The range's ends, evenly spaced values between them, and the ties between the outermost codes and between small ones.
template <class Q>
std::vector<float> samples(const Q& q, range values) {
  std::vector<float> all{values.min, values.max};
  for (int i = 0; i <= 100; ++i)
    all.push_back(static_cast<float>(values.min + (double{values.max} - values.min) * i / 100));
  for (const int half_step : {-255, -5, -3, -1, 1, 3, 5, 253, 255}) {
    const float tie = q.scale() * static_cast<float>(half_step) / 2;
    for (const float value : {std::nextafter(tie, -infinity), tie, std::nextafter(tie, infinity)})
      all.push_back(std::clamp(value, values.min, values.max));
  }
  std::ranges::sort(all);
  return all;
}

/// With u = 2^-24 and k = v / scale, in steps: the float quotient is within 2.01 u |k| of k, rounding moves it by half a
/// step (a whole one for floor and toward_zero); or it is clamped, which moves it by no more than the zero point was
/// rounded, half a step, and u * steps for the rounded scale. The product with the scale adds 1.01 u |k|. As |k| <= steps
/// + 1/2, all float errors together stay below 4 u steps = 2^-22 steps (least for 1 bit: 3.02 u 1.5 < 5 u, hence + 1).
template <class Q>
void expect_properties(const Q& q, range values, bool nearest) {
  SCOPED_TRACE(testing::Message() << "[" << values.min << ", " << values.max << "] " << q.bits() << " bits from "
                                  << q.codes().min << ", zero point " << q.zero_point());
  const double steps = static_cast<double>(q.codes().size() - 1);
  const double bound = q.scale() * ((nearest ? 0.5 : 1) + (steps + 1) * 0x1p-22);
  float before = -infinity;
  for (const float value : samples(q, values)) {
    const auto code = q.quantize(value);
    const float restored = q.dequantize(code);
    ASSERT_TRUE(q.codes().contains(code)) << value;
    ASSERT_LE(std::abs(double{restored} - value), bound) << value;
    ASSERT_GE(restored, before) << value;
    before = restored;
  }
  ASSERT_TRUE(std::isnormal(q.scale()) && q.scale() > 0);
  ASSERT_EQ(q.quantize(0), q.zero_point());
  ASSERT_EQ(q.dequantize(q.quantize(0)), 0);
  const std::int32_t stride = std::max(1, (q.codes().max - q.codes().min) / 500);
  for (std::int32_t code = q.codes().min; code <= q.codes().max; code += stride) {
    const std::int32_t again = q.quantize(q.dequantize(static_cast<typename Q::code_type>(code)));
    ASSERT_LE(std::abs(again - code), nearest ? 0 : 1);
    ASSERT_LE(again, std::max(code, q.zero_point()));  // Directed roundings lose a code, and never win one upwards.
  }
}

template <class Rounding>
void expect_properties(bool nearest) {
  for (int bits = 1; bits <= 16; ++bits)
    for (const range values : ranges) {
      expect_properties(dynamic<std::int16_t, Rounding>::affine(values, bits), join(values, {0, 0}), nearest);
      expect_properties(dynamic<std::uint16_t, Rounding>::affine(values, bits), join(values, {0, 0}), nearest);
      if (bits > 1) expect_properties(dynamic<std::int16_t, Rounding>::symmetric(values, bits), values, nearest);
      if (values.min >= 0)
        expect_properties(dynamic<std::uint16_t, Rounding>::symmetric(values, bits), values, nearest);
    }
}

TEST(uniform, keeps_its_error_bound_zero_order_and_grid_points_at_every_width_and_range) {
  expect_properties<half_up>(true);
  expect_properties<half_to_even>(true);
  expect_properties<half_away_from_zero>(true);
  expect_properties<toward_zero>(false);
  expect_properties<floor>(false);
}

TEST(uniform, never_moves_a_grid_point_of_a_power_of_two_scale) {
  const dynamic<std::int16_t, floor> down({0x1p-7f, 5}, code_range::signed_bits(12));
  const dynamic<std::int16_t, toward_zero> inward({0x1p-7f, 5}, code_range::signed_bits(12));
  for (std::int16_t code = -2048; code <= 2047; ++code) {
    ASSERT_EQ(down.quantize(down.dequantize(code)), code);
    ASSERT_EQ(inward.quantize(inward.dequantize(code)), code);
  }
}

TEST(uniform, is_odd_where_codes_and_rounding_are) {
  const auto even = uniform<5>::symmetric({-1, 1});
  const auto away = uniform<5, std::int8_t, half_away_from_zero>::symmetric({-1, 1});
  for (int i = 0; i <= 2000; ++i) {
    const float value = static_cast<float>(i) / 1000;
    ASSERT_EQ(even.quantize(-value), -even.quantize(value));
    ASSERT_EQ(away.quantize(-value), -away.quantize(value));
  }
}

TEST(uniform, of_a_constant_tensor_restores_it) {
  for (const float constant : {3.0f, -3.0f, 0.7f, 1e-30f, 0.0f}) {
    const auto q = uniform<8, std::int16_t>::affine({constant, constant});
    EXPECT_FLOAT_EQ(q.dequantize(q.quantize(constant)), constant);
    const auto s = uniform<2>::symmetric({constant, constant});
    EXPECT_EQ(s.dequantize(s.quantize(constant)), constant);  // The limit over one step.
  }
  EXPECT_EQ(uniform<8>::affine({0, 0}).scale(), 1);
  EXPECT_EQ(uniform<8>::symmetric({0, 0}).scale(), 1);
  EXPECT_EQ((uniform<8, std::uint8_t>::symmetric({0, 0}).scale()), 1);
}

TEST(uniform, scale_of_a_range_of_denormals_is_the_least_normal_one) {
  EXPECT_EQ(uniform<8>::symmetric({-1e-40f, 1e-40f}).scale(), least_normal);
  EXPECT_EQ(uniform<8>::affine({0, 100 * least_normal}).scale(), least_normal);
}

TEST(uniform, nan_becomes_zero_and_infinity_goes_where_the_overflow_policy_puts_it) {
  const affine_scale map{0.5f, 3};
  const code_range codes = code_range::unsigned_bits(4);
  const uniform<4, std::uint8_t> clipped(map, codes);
  const uniform<4, std::uint8_t, half_up, saturate_to_zero> dropped(map, codes);
  const uniform<4, std::uint8_t, half_up, wrap> wrapped(map, codes);
  EXPECT_EQ(clipped.quantize(nan_value), 3);
  EXPECT_EQ(dropped.quantize(nan_value), 3);
  EXPECT_EQ(wrapped.quantize(nan_value), 3);
  for (const float far : {infinity, std::numeric_limits<float>::max()}) {  // 2 * FLT_MAX is infinite too.
    EXPECT_EQ(clipped.quantize(far), 15);
    EXPECT_EQ(clipped.quantize(-far), 0);
    EXPECT_EQ(dropped.quantize(far), 3);
    EXPECT_EQ(dropped.quantize(-far), 3);
    EXPECT_EQ(wrapped.quantize(far), 3);
    EXPECT_EQ(wrapped.quantize(-far), 3);
  }
}

TEST(uniform, outlier_that_is_dropped_becomes_the_value_zero) {
  const uniform<8, std::uint8_t, half_to_even, saturate_to_zero> q({0.5f, 100}, {0, 255});
  EXPECT_EQ(q.dequantize(q.quantize(1000)), 0);
  EXPECT_EQ(q.dequantize(q.quantize(-1000)), 0);
  EXPECT_EQ(q.dequantize(q.quantize(77.5f)), 77.5f);  // Code 255, the last.
}

TEST(uniform, wrapped_symmetric_codes_use_their_whole_register) {
  const uniform<4, std::int8_t, half_to_even, wrap> q({1, 0}, {-7, 7});
  EXPECT_EQ(q.quantize(8), -8);
  EXPECT_EQ(q.quantize(9), -7);
  EXPECT_EQ(q.quantize(-9), 7);
}

TEST(uniform, wraps_an_end_of_its_range_that_is_no_code) {
  const range values{-1.5f, 1.5f};  // One step and a half either way: scale 1, zero point round(-2 + 1.5).
  const auto wrapped = uniform<2, std::int8_t, half_to_even, wrap>::affine(values);
  EXPECT_EQ(wrapped.map(), (affine_scale{1, 0}));
  EXPECT_EQ(wrapped.quantize(1.5f), -2);  // 2, of which the codes [-2, 1] know nothing.
  EXPECT_EQ((uniform<2, std::int8_t, half_to_even, saturate_to_zero>::affine(values).quantize(1.5f)), 0);
  EXPECT_EQ(uniform<2>::affine(values).quantize(1.5f), 1);
}

template <int Bits>
void expect_static_equals_dynamic() {
  const range values{-0.3f, 2.7f};
  const auto fixed = uniform<Bits, std::int16_t>::affine(values);
  const auto chosen = dynamic<std::int16_t>::affine(values, Bits);
  EXPECT_EQ(fixed.map(), chosen.map()) << Bits;
  EXPECT_EQ(fixed.codes(), chosen.codes()) << Bits;
  EXPECT_EQ(fixed.bits(), Bits);
  EXPECT_EQ(chosen.bits(), Bits);
  for (int i = -10; i <= 40; ++i)
    EXPECT_EQ(fixed.quantize(static_cast<float>(i) / 10), chosen.quantize(static_cast<float>(i) / 10)) << Bits;
  EXPECT_EQ((uniform<Bits>::affine(values).map()), chosen.map()) << "the smallest code type is enough";
  EXPECT_EQ((uniform<Bits, unsigned_code<Bits>>::affine(values).bits()), Bits);
}

TEST(uniform, static_widths_equal_dynamic_ones) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (expect_static_equals_dynamic<I + 1>(), ...); }
  (std::make_integer_sequence<int, 16>());
  static_assert(std::is_same_v<signed_code<8>, std::int8_t> && std::is_same_v<unsigned_code<9>, std::uint16_t>);
}

TEST(uniform, span_is_quantized_element_by_element) {
  const auto q = uniform<6, std::int8_t, half_up>::affine({-1, 2});
  std::vector<float> values, restored(301);
  for (int i = -150; i <= 150; ++i) values.push_back(static_cast<float>(i) / 50);
  values[7] = nan_value;
  std::vector<std::int8_t> codes(301);
  q.quantize(values, codes);
  q.dequantize(codes, restored);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(codes[i], q.quantize(values[i]));
    EXPECT_EQ(restored[i], q.dequantize(codes[i]));
  }
  EXPECT_NO_THROW(q.quantize(std::span<const float>(), std::span<std::int8_t>()));
}

TEST(uniform, refuses_spans_of_different_sizes) {
  const auto q = uniform<8>::symmetric({-1, 1});
  std::vector<float> values(3);
  std::vector<std::int8_t> codes(2);
  EXPECT_EQ(refusal([&] { q.quantize(values, codes); }),
            "uniform::quantize: codes.size() is 2, expected that of the values, 3");
  EXPECT_EQ(refusal([&] { q.dequantize(codes, values); }),
            "uniform::dequantize: values.size() is 3, expected that of the codes, 2");
}

TEST(uniform, refuses_ranges_that_have_no_scale) {
  const std::string expected = ", expected a range with -2^125 <= min <= max <= 2^125";
  EXPECT_EQ(refusal([] { uniform<8>::affine({nan_value, 1}); }), "uniform: values is [nan, 1]" + expected);
  EXPECT_EQ(refusal([] { uniform<8>::affine({-1, nan_value}); }), "uniform: values is [-1, nan]" + expected);
  EXPECT_EQ(refusal([] { uniform<8>::symmetric({-infinity, 1}); }), "uniform: values is [-inf, 1]" + expected);
  EXPECT_EQ(refusal([] { uniform<8>::symmetric({2, 1}); }), "uniform: values is [2, 1]" + expected);
  EXPECT_THROW(uniform<8>::affine({0, std::nextafter(0x1p125f, infinity)}), invalid_argument);
  EXPECT_THROW(uniform<8>::affine({-std::numeric_limits<float>::max(), 0}), invalid_argument);
  EXPECT_EQ(refusal([] {
              uniform<8, std::uint8_t>::symmetric({-1, 1});
            }),
            "uniform::symmetric: values.min is -1, expected at least 0 for unsigned codes");
}

TEST(uniform, refuses_widths_that_no_code_has) {
  using signed_codes = uniform<dynamic_bits>;
  EXPECT_EQ(refusal([] { signed_codes::affine({-1, 1}, 17); }), "uniform: bits is 17, expected [1, 16]");
  EXPECT_EQ(refusal([] { signed_codes::affine({-1, 1}); }), "uniform: bits is 0, expected [1, 16]");
  EXPECT_EQ(refusal([] { signed_codes::symmetric({-1, 1}, -1); }), "uniform: bits is -1, expected [1, 16]");
  EXPECT_EQ(refusal([] {
              signed_codes::symmetric({-1, 1}, 1);
            }),
            "code_range::symmetric_bits: bits is 1, expected [2, 16]");
  EXPECT_EQ(refusal([] { uniform<8>::affine({-1, 1}, 4); }), "uniform: bits is 4, expected 8, its static width");
  EXPECT_EQ(refusal([] {
              dynamic<std::int8_t>::affine({-1, 1}, 9);
            }),
            "uniform: codes is [-256, 255], expected an interval of at least two codes within the code type");
}

TEST(uniform, refuses_parameters_that_do_not_hold_together) {
  using q = uniform<4>;
  using wrapped = uniform<dynamic_bits, std::uint8_t, half_up, wrap>;
  const std::string interval = ", expected an interval of at least two codes within the code type";
  const std::string finite = ", expected a normal inverse and a finite value for every code";
  EXPECT_EQ(refusal([] { q({0, 0}, {-7, 7}); }), "uniform: map.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(refusal([] {
              q({-0.5f, 0}, {-7, 7});
            }),
            "uniform: map.scale is -0.5, expected a positive, finite, normal number");
  EXPECT_EQ(refusal([] { q({1, 0}, {7, 7}); }), "uniform: codes is [7, 7]" + interval);
  EXPECT_EQ(refusal([] { q({1, 0}, {7, -7}); }), "uniform: codes is [7, -7]" + interval);
  EXPECT_EQ(refusal([] { q({1, 0}, {0, 200}); }), "uniform: codes is [0, 200]" + interval);
  EXPECT_EQ(refusal([] { wrapped({1, 0}, {0, 4}); }), "uniform: codes is [0, 4]" + interval);  // Wraps to -3.
  EXPECT_EQ(refusal([] { q({1, 0}, {-8, 8}); }), "uniform: codes.bits() is 5, expected at most 4");
  EXPECT_EQ(refusal([] { q({1, 8}, {-7, 7}); }), "uniform: map.zero_point is 8, expected one of the codes");
  EXPECT_EQ(refusal([] { q({0x1p126f, 0}, {-7, 7}); }), "uniform: map.scale is 8.507059e+37" + finite);
  EXPECT_EQ(refusal([] { q({0x1p127f, 0}, {0, 1}); }), "uniform: map.scale is 1.7014118e+38" + finite);
}

}  // namespace
}  // namespace bitwright
