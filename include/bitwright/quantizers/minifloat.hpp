// SPDX-License-Identifier: MIT
/// \file
/// Small floats: a sign, a few exponent bits and a few mantissa bits, of 4 to 16 bits together.
///
///     value = scale * (-1)^s * 2^(e - bias) * (1 + m / 2^M)   for e > 0,       bias = 2^(E-1) - 1
///     value = scale * (-1)^s * 2^(1 - bias) * m / 2^M         for e = 0, zero and the subnormals
///
/// Rounded half to even, subnormals too. Sources: IEEE 754-2019 (fp16); "OCP 8-bit Floating Point Specification" 1.0
/// (fp8_e4m3, fp8_e5m2); "OCP Microscaling Formats Specification" 1.0 (fp6_e2m3, fp6_e3m2, fp4_e2m1).
///
///               bits  greatest  least normal  least subnormal  infinity, NaN
///     fp16        16     65504         2^-14            2^-24  both
///     bf16        16   3.39e38        2^-126           2^-133  both
///     fp8_e5m2     8     57344         2^-14            2^-16  both
///     fp8_e4m3     8       448          2^-6             2^-9  NaN alone, all ones
///     fp6_e3m2     6        28          2^-2             2^-4  neither
///     fp6_e2m3     6       7.5           2^0             2^-3  neither
///     fp4_e2m1     4         6           2^0             2^-1  neither
///
/// A code is the format's own bit pattern, in the low bits of an unsigned integer: hardware reads it, a table of 2^bits
/// floats decodes it, and its exponent is a shift. Use small floats where outliers matter more than the last bit: the
/// relative error is at most 2^-(M+1) over the whole range of normal values. Where values fill their range evenly, a uniform
/// code of as many bits is better.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/overflow.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/minifloat_paths.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace bitwright {

/// As `Specials`: the highest exponent is kept for infinity (mantissa 0) and NaN, as IEEE 754 has it.
struct infinity_and_nan {};

/// As `Specials`: the code of all ones is NaN, everything else a number.
struct nan_alone {};

/// As `Specials`: every code is a number.
struct numbers_alone {};

/// As `Overflow`: what is too large for the format becomes infinity, or NaN where there is none (as OFP8 states it).
/// The other choice, `saturate`, makes it the greatest finite number of its sign, infinity too.
struct overflow_to_special {};

/// 1 + ExponentBits + MantissaBits bits, times a scale.
template <int ExponentBits, int MantissaBits, class Specials, class Overflow = saturate>
class minifloat {
  static_assert(ExponentBits >= 2 && ExponentBits <= 8, "minifloat: expected 2 to 8 exponent bits");
  static_assert(MantissaBits >= 1 && ExponentBits + MantissaBits <= 15,
                "minifloat: expected at least 1 mantissa bit, and at most 16 bits together");
  static_assert(ExponentBits < 8 || std::same_as<Specials, infinity_and_nan>,
                "minifloat: a format with a float's exponents is expected to have its specials");
  static_assert(std::same_as<Overflow, saturate> ||
                    (std::same_as<Overflow, overflow_to_special> && !std::same_as<Specials, numbers_alone>),
                "minifloat: expected saturate, or overflow_to_special for a format with specials");
  using word = std::uint32_t;

 public:
  using code_type = std::conditional_t<(ExponentBits + MantissaBits < 8), std::uint8_t, std::uint16_t>;

  static constexpr minifloat_format format{ExponentBits, MantissaBits, std::same_as<Specials, infinity_and_nan>,
                                           !std::same_as<Specials, numbers_alone>};
  static constexpr int bias = (1 << (ExponentBits - 1)) - 1;
  /// Of the greatest finite number: it is at least 2^greatest_exponent and below twice that.
  static constexpr int greatest_exponent =
      (1 << ExponentBits) - 1 - bias - (std::same_as<Specials, infinity_and_nan> ? 1 : 0);

  /// The scale that makes the largest magnitude of a range the greatest finite number; 1 for a range of zeros.
  /// Throws invalid_argument unless -2^125 <= min <= max <= 2^125.
  static minifloat symmetric(range values) {
    require(-0x1p125f <= values.min && values.min <= values.max && values.max <= 0x1p125f, "minifloat: values",
            std::array{values.min, values.max}, "a range with -2^125 <= min <= max <= 2^125");
    if (values.limit() == 0) return minifloat();
    const double greatest = minifloat().dequantize(static_cast<code_type>(greatest_code));
    return minifloat(std::max(static_cast<float>(values.limit() / greatest), std::numeric_limits<float>::min()));
  }

  /// The format itself by default. Throws invalid_argument unless the scale is positive and finite, with a finite inverse.
  explicit minifloat(float scale = 1) : scale_(scale), inverse_scale_(1 / scale) {
    require(scale > 0 && std::isfinite(scale) && std::isfinite(inverse_scale_), "minifloat: scale", scale,
            "a positive, finite number with a finite inverse");
  }

  int bits() const { return 1 + ExponentBits + MantissaBits; }
  float scale() const { return scale_; }

  /// All of them, where each is a number.
  code_range codes() const requires std::same_as<Specials, numbers_alone> { return code_range::unsigned_bits(bits()); }

  /// The code of one value, rounded half to even after the division by the scale. NaN becomes the NaN of all ones, or a zero
  /// where there is none.
  [[gnu::always_inline]] code_type quantize(float value) const {
    const word read = std::bit_cast<word>(value * inverse_scale_), all = read & 0x7fffffff;
    // Floats that are not negative have the order of their bits, and NaN stands above them all.
    const word is_nan = less(float_infinity, all);
    const word magnitude = smaller(all, float_of(most)) + (is_nan & (float_of(not_a_number) - float_of(most)));
    word code = 0;
    if constexpr (ExponentBits < 8) {
      // A power of two whose last bit is the last one that the format has here: the sum drops the rest, half to even. What it
      // has below that power counts those last bits; an even number more makes its end the code's.
      const word exponent = larger(magnitude & float_infinity, least_normal);
      const word ruler =
          exponent + ((word{dropped} << 23) + (-(least_normal >> dropped) & (sign_mask | magnitude_mask)));
      const float sum = std::bit_cast<float>(magnitude) + std::bit_cast<float>(ruler);
      code = std::bit_cast<word>(sum) + (exponent >> dropped);
    } else {
      const word even = (magnitude >> dropped) & 1;
      code = (magnitude + (word{1} << (dropped - 1)) - 1 + even) >> dropped;
    }
    // Put together at the upper end and shifted last, because compilers would narrow each of the parts.
    return static_cast<code_type>(((code << (31 - sign_position)) | (read & 0x80000000)) >> (31 - sign_position));
  }

  /// The value of one code: exact but for the product with the scale.
  [[gnu::always_inline]] float dequantize(code_type code) const {
    const word raised = word{code} << (31 - sign_position), sign = raised & 0x80000000;
    const word normal = ((raised & 0x7fffffff) >> (8 - ExponentBits)) + (rebias << dropped);
    word read = normal;
    if constexpr (ExponentBits < 8) {
      // As if the exponent 0 were one more power of two, x = 2^-bias (1 + m / 2^M): a subnormal is 2 x - 2^(1 - bias), less
      // than x; for all others that is no less than x. (Twice x is exact: no fusing can change the difference.)
      const float x = std::bit_cast<float>(normal), subnormal = x + x - std::bit_cast<float>(least_normal);
      read = std::bit_cast<word>(subnormal < x ? subnormal : x);
    }
    if constexpr (!std::same_as<Specials, numbers_alone>)
      read |= less(float_of(greatest_code), normal) & special_exponent;
    return std::bit_cast<float>(read | sign) * scale_;
  }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<code_type> codes) const {
    quantize_each(*this, values, codes, "minifloat");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const code_type> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "minifloat");
  }

 private:
  // Choices are made between integers: from a choice between computed floats a compiler makes branches.

  /// All ones where a < b, for both below 2^31.
  [[gnu::always_inline]] static word less(word a, word b) {
    return 0 - static_cast<word>(static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b));
  }
  /// For both below 2^31, which are compared as signed integers: all vector instruction sets can.
  [[gnu::always_inline]] static word smaller(word a, word b) {
    const auto x = static_cast<std::int32_t>(a), y = static_cast<std::int32_t>(b);
    return static_cast<word>(x < y ? x : y);
  }
  [[gnu::always_inline]] static word larger(word a, word b) {
    const auto x = static_cast<std::int32_t>(a), y = static_cast<std::int32_t>(b);
    return static_cast<word>(x > y ? x : y);
  }

  /// The bits of the float that a code is, were it that of a normal number.
  [[gnu::always_inline]] static word float_of(word code) { return (code + rebias) << dropped; }

  static constexpr int dropped = 23 - MantissaBits;  // Mantissa bits that a float has and the format has not.
  static constexpr word rebias = word{127 - bias} << MantissaBits;
  static constexpr int sign_position = ExponentBits + MantissaBits;
  static constexpr word sign_mask = word{1} << sign_position;
  static constexpr word magnitude_mask = sign_mask - 1;
  static constexpr word mantissa_mask = (word{1} << MantissaBits) - 1;
  static constexpr word float_infinity = 0x7f800000;
  static constexpr word least_normal = word{128 - bias} << 23;
  static constexpr word top_exponent = magnitude_mask - mantissa_mask;  // Infinity's code, where there is one.

  static constexpr word greatest_code = std::same_as<Specials, infinity_and_nan> ? top_exponent - 1
                                        : std::same_as<Specials, nan_alone>      ? magnitude_mask - 1
                                                                                 : magnitude_mask;
  static constexpr word most = std::same_as<Overflow, saturate> ? greatest_code : greatest_code + 1;
  // What NaN becomes.
  static constexpr word not_a_number = std::same_as<Specials, numbers_alone> ? -rebias : magnitude_mask;
  // With the mantissa that is there: infinity and NaN by IEEE 754, NaN alone where it is all ones.
  static constexpr word special_exponent = std::same_as<Specials, nan_alone> ? 0x7fc00000 : float_infinity;

  float scale_;
  float inverse_scale_;
};

using fp16 = minifloat<5, 10, infinity_and_nan, overflow_to_special>;
using bf16 = minifloat<8, 7, infinity_and_nan, overflow_to_special>;
using fp8_e5m2 = minifloat<5, 2, infinity_and_nan>;
using fp8_e4m3 = minifloat<4, 3, nan_alone>;
using fp6_e3m2 = minifloat<3, 2, numbers_alone>;
using fp6_e2m3 = minifloat<2, 3, numbers_alone>;
using fp4_e2m1 = minifloat<2, 1, numbers_alone>;

static_assert(quantizer<fp16> && quantizer<bf16> && quantizer<fp8_e5m2> && quantizer<fp8_e4m3>);
static_assert(elementwise_quantizer<fp6_e3m2> && elementwise_quantizer<fp6_e2m3> && elementwise_quantizer<fp4_e2m1>);

}  // namespace bitwright
