// SPDX-License-Identifier: MIT
/// \file
/// Uniform quantization: codes stand at equal distances.
///
///     code = zero_point + fit(round(value / scale))         value = scale * (code - zero_point)
///
/// Symmetric: zero_point = 0, scale = max|value| / (2^(bits-1) - 1), one code fewer than the bits could number, so that
/// every code has its opposite. Affine: scale = (max - min) / (2^bits - 1) over the range widened to contain 0, and
/// zero_point = round(lowest code - min / scale), a whole number, so that the value 0 is represented exactly.
/// Source: Jacob et al. (CVPR 2018), section 2; HAWQ-V3 (Yao et al., ICML 2021), section 3.
///
/// Inside the range and with saturate, |dequantize(quantize(v)) - v| <= scale / 2 for the nearest roundings (twice that
/// for the others), but for the float arithmetic: the quotient is value * (1 / scale), within 2^-23 of itself, exact for
/// power-of-two scales. Under the other overflow policies an end of the range that is no code can overflow: affine 2
/// bits over [-1.5, 1.5] have the codes [-2, 1] and the scale 1, so that 1.5 becomes 2, which wraps to -2.
/// quantize(dequantize(code)) = code for the nearest roundings; floor and toward_zero can lose one code there, unless
/// the scale is a power of two: scale * 3 as a float may lie just below the third step.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/overflow.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace bitwright {

/// As a quantizer's `Bits`: the bit width is an argument at run time.
inline constexpr int dynamic_bits = 0;

/// The smallest signed integer that holds every code of `Bits` bits.
template <int Bits>
using signed_code = std::conditional_t<(Bits >= 1 && Bits <= 8), std::int8_t, std::int16_t>;

/// The smallest unsigned integer that holds every code of `Bits` bits.
template <int Bits>
using unsigned_code = std::make_unsigned_t<signed_code<Bits>>;

/// Equally spaced codes of `Bits` bits (1 to 16, or dynamic_bits), stored as `Code`: a signed type for codes around
/// zero, an unsigned one for codes from zero upwards.
template <int Bits = dynamic_bits, std::integral Code = signed_code<Bits>, rounding_policy Rounding = half_to_even,
          overflow_policy Overflow = saturate>
class uniform {
  static_assert(Bits == dynamic_bits || (Bits >= 1 && Bits <= 16), "uniform: expected 1 to 16 bits, or dynamic_bits");
  static_assert(sizeof(Code) <= 2, "uniform: expected a code type of 8 or 16 bits");

 public:
  using code_type = Code;

  /// Zero point 0. Signed codes cover [-limit, limit], where limit = max(|min|, |max|), and need 2 bits at least;
  /// unsigned codes cover [0, max] and refuse a range with negative values. A range of zeros gets the scale 1.
  /// Throws invalid_argument unless -2^125 <= min <= max <= 2^125, and for bits outside [1, 16].
  static uniform symmetric(range values, int bits = Bits, Rounding rounding = {}) {
    check(values, bits);
    if constexpr (std::unsigned_integral<Code>) {
      require(values.min >= 0, "uniform::symmetric: values.min", values.min, "at least 0 for unsigned codes");
      const code_range codes = code_range::unsigned_bits(bits);
      return {{scale_of(values.max, codes.max), 0}, codes, rounding};
    } else {
      const code_range codes = code_range::symmetric_bits(bits);
      return {{scale_of(values.limit(), codes.max), 0}, codes, rounding};
    }
  }

  /// All 2^bits codes over the range, widened to contain 0. A range of zeros gets the scale 1.
  /// Throws invalid_argument unless -2^125 <= min <= max <= 2^125, and for bits outside [1, 16].
  static uniform affine(range values, int bits = Bits, Rounding rounding = {}) {
    check(values, bits);
    const code_range codes =
        std::unsigned_integral<Code> ? code_range::unsigned_bits(bits) : code_range::signed_bits(bits);
    const double min = std::min(values.min, 0.0f), max = std::max(values.max, 0.0f);
    const float scale = scale_of(max - min, static_cast<double>(codes.size() - 1));
    const auto zero_point = static_cast<std::int64_t>(std::nearbyint(codes.min - min / scale));
    return {{scale, codes.clamp(zero_point)}, codes, rounding};
  }

  /// From known parameters, such as a file's.
  /// Throws invalid_argument unless the codes, and what they wrap to, fit `Code` (and `Bits`, where that is fixed), the
  /// zero point is one of them, the scale is positive and normal like its inverse, and every code's value is finite.
  uniform(affine_scale map, code_range codes, Rounding rounding = {})
      : map_(map), codes_(codes), inverse_scale_(1 / map.scale), rounding_(rounding) {
    require_valid(map, "uniform: map");
    require(codes.min < codes.max && code_range::all_of<Code>().contains(Overflow::reach(codes)), "uniform: codes",
            std::array{codes.min, codes.max}, "an interval of at least two codes within the code type");
    require(Bits == dynamic_bits || codes.bits() <= Bits, "uniform: codes.bits()", codes.bits(), "at most ", Bits);
    require(codes.contains(map.zero_point), "uniform: map.zero_point", map.zero_point, "one of the codes");
    require(std::isnormal(inverse_scale_) && std::isfinite(dequantize(static_cast<Code>(codes.min))) &&
                std::isfinite(dequantize(static_cast<Code>(codes.max))),
            "uniform: map.scale", map.scale, "a normal inverse and a finite value for every code");
  }

  /// Bits that number the codes.
  int bits() const { return codes_.bits(); }
  code_range codes() const { return codes_; }
  affine_scale map() const { return map_; }
  float scale() const { return map_.scale; }
  std::int32_t zero_point() const { return map_.zero_point; }

  /// The code of one value. NaN becomes the zero point. Infinity, and a value more than FLT_MAX scales away, go where the
  /// overflow policy puts infinity.
  [[gnu::always_inline]] Code quantize(float value) const requires float_rounding<Rounding> {
    return code_of(Rounding::round(value * inverse_scale_));
  }

  /// The code of the element `index` of a span, for roundings that ask for it.
  [[gnu::always_inline]] Code quantize(float value, std::uint32_t index) const requires indexed_rounding<Rounding> {
    return code_of(rounding_.round(value * inverse_scale_, index));
  }

  /// The value of one code: the difference is exact, the product rounded once.
  [[gnu::always_inline]] float dequantize(Code code) const {
    return map_.scale * static_cast<float>(code - map_.zero_point);
  }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<Code> codes) const {
    quantize_each(*this, values, codes, "uniform");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const Code> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "uniform");
  }

 private:
  // Fitted as steps from the zero point: what saturate_to_zero drops becomes the value 0, not the code 0.
  [[gnu::always_inline]] Code code_of(float whole_steps) const {
    const code_range steps{codes_.min - map_.zero_point, codes_.max - map_.zero_point};
    return static_cast<Code>(map_.zero_point + Overflow::fit_whole(whole_steps, steps));
  }

  static void check(range values, int bits) {
    // Beyond 2^125 the outermost code can stand for an infinity: 128 steps of 2 * FLT_MAX / 255 are more than FLT_MAX.
    require(-0x1p125f <= values.min && values.min <= values.max && values.max <= 0x1p125f, "uniform: values",
            std::array{values.min, values.max}, "a range with -2^125 <= min <= max <= 2^125");
    require(bits >= 1 && bits <= 16, "uniform: bits", bits, "[1, 16]");
    require(Bits == dynamic_bits || bits == Bits, "uniform: bits", bits, Bits, ", its static width");
  }

  // The width of a step, kept normal so that its inverse is finite: a range of denormals has codes to spare anyway.
  static float scale_of(double width, double steps) {
    if (width == 0) return 1;
    return std::max(static_cast<float>(width / steps), std::numeric_limits<float>::min());
  }

  affine_scale map_;
  code_range codes_;
  float inverse_scale_;
  [[no_unique_address]] Rounding rounding_;
};

static_assert(quantizer<uniform<8>> && quantizer<uniform<dynamic_bits>>);
static_assert(quantizer<uniform<4, std::uint8_t, half_up, wrap>>);

}  // namespace bitwright
