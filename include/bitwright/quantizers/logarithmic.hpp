// SPDX-License-Identifier: MIT
/// \file
/// Logarithmic quantization: levels in geometric progression, so that a product with a code is a shift.
///
///     levels: 0 and +-unit * base^k, k = 0 ... count - 1         code = +-(k + 1), 0 for the level 0
///
/// Three ways to choose the level of a magnitude m = |v| / unit:
/// - most_significant_bit, the classic: round m to a whole number, as a uniform quantizer with the scale `unit` does, and
///   keep its highest bit: 21, 6, 17, 11 become 16, 4, 16, 8. The magnitude never grows: |Q| <= round(m) < 2 |Q|.
///   Source: Kung et al., "Term Quantization" (SC 2020), section 2, as its simplest case.
/// - nearest_value: the level with the least error; between 2^k and 2^(k+1) the border is 1.5 * 2^k.
/// - nearest_exponent: round log m; the border is sqrt(2) * 2^k, and 6 becomes 8. Source: Miyashita, Lee and Murmann,
///   "Convolutional Neural Networks using Logarithmic Data Representation" (2016), section 3, which also has sqrt(2).
///
/// A border belongs to the larger magnitude. With base 2 a kernel shifts: value = unit * (sign(code) << (|code| - 1)); with
/// base sqrt(2) it takes one of two mantissas first. Use it for weights where multipliers are dear: levels are dense at zero,
/// where bell-shaped weights are, but the largest weights are off by up to a third (base 2) however many bits there are.
/// More bits reach nearer to zero and no more; where that error shows, take base sqrt(2), additive_power_of_two or term.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>

namespace bitwright {

/// As `Base`: levels double.
struct base_two {
  static constexpr int levels_per_octave = 1;
};

/// As `Base`: every second level doubles.
struct base_sqrt_two {
  static constexpr int levels_per_octave = 2;
};

/// Borders are fractions in [0, 2^23): those of the mantissa of a float at or above which a magnitude in [1, 2) goes to
/// the next level, one for each level of an octave. A magnitude of at least `least` never becomes 0, even where the octave
/// below the least level would have its own borders above that.
struct most_significant_bit {
  static constexpr float least = 1;
  static float prepare(float magnitude) { return std::nearbyint(magnitude); }
  static constexpr std::array<std::int32_t, 1> borders(base_two) { return {0}; }
  static constexpr std::array<std::int32_t, 2> borders(base_sqrt_two) { return {0, 0x3504f4}; }  // 1, sqrt(2)
};

struct nearest_value {
  static constexpr float least = 0.5f;
  static float prepare(float magnitude) { return magnitude; }
  static constexpr std::array<std::int32_t, 1> borders(base_two) { return {0x400000}; }                 // 1.5
  static constexpr std::array<std::int32_t, 2> borders(base_sqrt_two) { return {0x1a827a, 0x5a827a}; }  // 1.207, 1.707
};

struct nearest_exponent {
  static constexpr float least = 1;
  static float prepare(float magnitude) { return magnitude; }
  static constexpr std::array<std::int32_t, 1> borders(base_two) { return {0x3504f4}; }  // 2^(1/2)
  static constexpr std::array<std::int32_t, 2> borders(base_sqrt_two) {
    return {0x1837f1, 0x5744fd};
  }  // 2^(1/4), 2^(3/4)
};

/// 0 and `count` levels of each sign.
template <class Base = base_two, class Assignment = nearest_value>
class logarithmic {
 public:
  using code_type = std::int8_t;

  /// All codes of `bits` bits, 2 to 7: 2^(bits-1) - 1 levels of each sign, of which the greatest is the largest magnitude
  /// of the range. A range of zeros has the greatest level 1; levels below the least normal float do not occur.
  /// Throws invalid_argument unless -2^125 <= min <= max <= 2^125, and for bits outside [2, 7].
  static logarithmic symmetric(range values, int bits) {
    require(bits >= 2 && bits <= 7, "logarithmic::symmetric: bits", bits, "[2, 7]");
    const int count = (1 << (bits - 1)) - 1;
    return {least_level(limit_of(values), count), count};
  }

  /// The levels that occur when the codes of a symmetric uniform quantizer of `uniform_bits` bits, 3 to 16, are cut to
  /// their highest bit: unit = limit / (2^(uniform_bits-1) - 1). Throws as symmetric does.
  static logarithmic of_uniform_codes(range values, int uniform_bits) {
    require(uniform_bits >= 3 && uniform_bits <= 16, "logarithmic::of_uniform_codes: uniform_bits", uniform_bits,
            "[3, 16]");
    const double steps = (1 << (uniform_bits - 1)) - 1;
    const double unit = std::max(limit_of(values) / steps, double{std::numeric_limits<float>::min()});
    return {static_cast<float>(unit), Base::levels_per_octave * (uniform_bits - 1)};
  }

  /// From known parameters. Throws invalid_argument unless `unit` and its inverse are positive, normal numbers, count is
  /// in [1, 126] and the greatest level is finite.
  logarithmic(float unit, int count) : unit_(unit), inverse_unit_(1 / unit), count_(count) {
    require(std::isnormal(unit) && unit > 0 && std::isnormal(inverse_unit_), "logarithmic: unit", unit,
            "a positive, normal number with a normal inverse");
    require(count >= 1 && count <= 126, "logarithmic: count", count, "[1, 126]");
    require(std::isfinite(std::ldexp(unit, (count - 1) / Base::levels_per_octave + Base::levels_per_octave - 1)),
            "logarithmic: count", count, "a finite greatest level");
    const int last = count - 1;
    greatest_ = std::ldexp(last % Base::levels_per_octave == 0 ? 1.0f : 1.5f, last / Base::levels_per_octave);
    first_bits_ = std::bit_cast<std::int32_t>(unit) - (1 << octave_shift);
    second_bits_ = std::bit_cast<std::int32_t>(0x1.6a09e6p0f * unit) - (2 << octave_shift);
  }

  /// Bits that number the codes: one for the sign, and those of count + 1 magnitudes.
  int bits() const { return 1 + static_cast<int>(std::bit_width(static_cast<unsigned>(count_))); }
  float unit() const { return unit_; }  ///< The least level above 0.
  int count() const { return count_; }  ///< Levels of each sign.
  code_range codes() const { return {-count_, count_}; }

  /// The code of one value. NaN becomes 0; what lies beyond the greatest level goes there, infinity too.
  [[gnu::always_inline]] std::int8_t quantize(float value) const {
    const float magnitude = Assignment::prepare(std::abs(value) * inverse_unit_);
    // Within the octaves of the levels; what is below the least one, and NaN, becomes a number that has the level 0.
    const float smallest = Assignment::least < 1 && magnitude >= Assignment::least ? 1.0f : inside_level_0;
    const float clipped = magnitude > greatest_ ? greatest_ : magnitude;
    const std::int32_t bits = std::bit_cast<std::int32_t>(clipped > smallest ? clipped : smallest);
    std::int32_t level = first_level;
    for (const std::int32_t border : borders) level += (bits - border) >> 23;  // The octave, from each border on.
    const std::int32_t sign = std::bit_cast<std::int32_t>(value) >> 31;        // -1 or 0
    return static_cast<std::int8_t>((level ^ sign) - sign);
  }

  /// The value of one code: exact for base 2, rounded once for base sqrt(2).
  [[gnu::always_inline]] float dequantize(std::int8_t code) const {
    // At the place of a float's exponent from the start, because compilers would narrow what fits a byte, and widen it twice.
    const std::int32_t raised = std::int32_t{code} << octave_shift, level = std::abs(raised);
    const std::int32_t first = first_bits_, second = second_bits_, lowest_bit_on_top = raised << (31 - octave_shift);
    const bool is_second = Base::levels_per_octave == 2 && lowest_bit_on_top >= 0;
    const std::int32_t magnitude = level + (is_second ? second : first);
    return std::bit_cast<float>((magnitude & -(raised != 0)) | (raised & std::numeric_limits<std::int32_t>::min()));
  }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::int8_t> codes) const {
    quantize_each(*this, values, codes, "logarithmic");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::int8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "logarithmic");
  }

 private:
  static double limit_of(range values) {
    require(-0x1p125f <= values.min && values.min <= values.max && values.max <= 0x1p125f, "logarithmic: values",
            std::array{values.min, values.max}, "a range with -2^125 <= min <= max <= 2^125");
    return values.limit() > 0 ? values.limit() : 1;
  }

  static float least_level(double greatest, int count) {
    const double octaves = static_cast<double>(count - 1) / Base::levels_per_octave;
    return std::max(static_cast<float>(greatest / std::exp2(octaves)), std::numeric_limits<float>::min());
  }

  // Octaves below the least level's are not told apart: a number that has the level 0, and the level of the bits 0.
  static constexpr float inside_level_0 = Base::levels_per_octave == 1 ? 0.5f : 0.75f;
  static constexpr auto borders = Assignment::borders(Base{});
  static constexpr std::int32_t first_level = [] {
    std::int32_t level = 1;  // That of the number 1.
    for (const std::int32_t border : borders) level -= (std::bit_cast<std::int32_t>(1.0f) - border) >> 23;
    return level;
  }();
  // Where a code has to stand, so that what is above its lowest bit or bits counts octaves.
  static constexpr int octave_shift = 24 - Base::levels_per_octave;

  float unit_;
  float inverse_unit_;
  float greatest_ = 0;            // A number, in units, that has the greatest level.
  std::int32_t first_bits_ = 0;   // The bits of the least level, less those that the code 1 adds.
  std::int32_t second_bits_ = 0;  // Those of the second level, less those that the code 2 adds.
  std::int32_t count_;
};

static_assert(quantizer<logarithmic<>> && elementwise_quantizer<logarithmic<base_sqrt_two, nearest_exponent>>);

}  // namespace bitwright
