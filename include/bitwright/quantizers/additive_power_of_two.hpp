// SPDX-License-Identifier: MIT
/// \file
/// Additive powers of two: every level is a sum of one, two or three powers of two, so that a product is as many shifts.
///
///     value = alpha * level / max level         level in p_0 + ... + p_(n-1),  a sum with one term of each set
///
///     magnitude bits   sets p_i
///     2                {0, 2^-1, 2^-2, 2^-3}
///     3                {0, 2^-1, 2^-2, 2^-4}  {0, 2^-3}
///     4                {0, 2^-1, 2^-3, 2^-5}  {0, 2^-2, 2^-4, 2^-6}
///     5                {0, 2^-1, 2^-3, 2^-6}  {0, 2^-2, 2^-4, 2^-7}  {0, 2^-5}
///     6                {0, 2^-1, 2^-4, 2^-7}  {0, 2^-2, 2^-5, 2^-8}  {0, 2^-3, 2^-6, 2^-9}
///
/// B magnitude bits number exactly 2^B levels. Signed codes (weights) spend one bit more on the sign. Source: Li, Dong and
/// Wang, "Additive Powers-of-Two Quantization" (ICLR 2020), section 2.2, and its published level sets.
///
/// A code is the index of its level among the magnitudes, with the sign of the value: -(2^B - 1) ... 2^B - 1. Its numerator
/// is a whole number with at most three bits set, value = unit * numerator(code), so that a kernel adds shifted operands, or
/// multiplies by a small integer. Use it for bell-shaped weights of 3 and 4 bits: levels lie denser at zero, as the weights
/// do, and, unlike those of power_of_two, not much thinner at the ends. From 5 bits on uniform codes have a smaller error
/// on Gaussian values. alpha clips: the largest magnitude (symmetric) is safe, on Gaussian values 2 to 3 standard
/// deviations have the least error, and training starts at 3.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/level_paths.hpp>
#include <bitwright/quantizers/levels.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <type_traits>

namespace bitwright {

/// The levels of `MagnitudeBits` bits in increasing order, as multiples of the least power of two in their sets.
template <int MagnitudeBits>
constexpr std::array<std::int32_t, std::size_t{1} << MagnitudeBits> additive_power_of_two_numerators() {
  static_assert(MagnitudeBits >= 2 && MagnitudeBits <= 6, "additive_power_of_two: expected 2 to 6 magnitude bits");
  using sets = std::array<std::array<std::int32_t, 4>, 3>;
  constexpr std::array<sets, 5> all{{{{{0, 4, 2, 1}, {}, {}}},
                                     {{{0, 8, 4, 1}, {0, 2}, {}}},
                                     {{{0, 32, 8, 2}, {0, 16, 4, 1}, {}}},
                                     {{{0, 64, 16, 2}, {0, 32, 8, 1}, {0, 4}}},
                                     {{{0, 256, 32, 4}, {0, 128, 16, 2}, {0, 64, 8, 1}}}}};
  const sets& terms = all[MagnitudeBits - 2];
  std::array<std::int32_t, std::size_t{1} << MagnitudeBits> numerators{};
  for (std::size_t i = 0; i < numerators.size(); ++i)
    numerators[i] = terms[0][i % 4] + terms[1][i / 4 % 4] + terms[2][i / 16];
  std::ranges::sort(numerators);
  return numerators;
}

/// Levels of `Bits` bits: 3 to 7 with the sign for the signed code type, 2 to 6 without one for the unsigned.
template <int Bits, class Code = std::int8_t>
requires std::same_as<Code, std::int8_t> || std::same_as<Code, std::uint8_t>
class additive_power_of_two {
  static constexpr int magnitude_bits = std::is_signed_v<Code> ? Bits - 1 : Bits;
  static constexpr std::size_t count = std::size_t{1} << magnitude_bits;

 public:
  using code_type = Code;

  /// Of the codes 0, 1, ...: whole numbers with at most three bits set.
  static constexpr std::array<std::int32_t, count> numerators = additive_power_of_two_numerators<magnitude_bits>();

  /// alpha is the largest magnitude of the range, 1 for a range of zeros. Throws invalid_argument unless
  /// -2^125 <= min <= max <= 2^125, and for a range with negative values and unsigned codes.
  static additive_power_of_two symmetric(range values) {
    require(-0x1p125f <= values.min && values.min <= values.max && values.max <= 0x1p125f,
            "additive_power_of_two: values", std::array{values.min, values.max},
            "a range with -2^125 <= min <= max <= 2^125");
    require(std::is_signed_v<Code> || values.min >= 0, "additive_power_of_two: values.min", values.min,
            "at least 0 for unsigned codes");
    if (values.limit() == 0) return additive_power_of_two(1);
    return additive_power_of_two(std::max(values.limit(), std::numeric_limits<float>::min() * 512));
  }

  /// The greatest level is alpha, but for rounding. Throws invalid_argument unless alpha is finite and at least 2^-117: then
  /// every level is a normal number.
  explicit additive_power_of_two(float alpha)
      : unit_(checked(alpha) / static_cast<float>(numerators.back())), levels_(magnitudes(unit_)) {}

  /// Bits that number the codes. (With a sign there is no code for -0.)
  int bits() const { return Bits; }
  code_range codes() const {
    constexpr int greatest = (1 << magnitude_bits) - 1;
    return {std::is_signed_v<Code> ? -greatest : 0, greatest};
  }

  /// value = unit * numerator(code)
  float unit() const { return unit_; }
  std::int32_t numerator(Code code) const {
    const std::int32_t numerator = numerators[static_cast<std::size_t>(std::abs(static_cast<int>(code)))];
    return code < 0 ? -numerator : numerator;
  }

  /// The magnitudes of the codes 0, 1, ...
  const level_table<count>& table() const { return levels_; }

  /// The code of the nearest level, of two as near that of the smaller magnitude. NaN becomes 0, as does what is negative
  /// where codes are unsigned.
  [[gnu::always_inline]] Code quantize(float value) const {
    if constexpr (std::is_signed_v<Code>) {
      const int index = levels_.nearest(std::abs(value)), sign = value < 0 ? -1 : 0;
      return static_cast<Code>((index ^ sign) - sign);
    } else {
      return levels_.nearest(value);
    }
  }

  /// The value of one code.
  [[gnu::always_inline]] float dequantize(Code code) const {
    const std::int32_t wide = code, sign = wide >> 31, index = (wide ^ sign) - sign;
    if constexpr (magnitude_bits <= 3) {  // All numerators fit one register, four bits each: no memory is read.
      const auto numerator = static_cast<std::int32_t>(packed >> (4 * index) & 15);
      return unit_ * static_cast<float>((numerator ^ sign) - sign);
    } else {
      return std::copysign(levels_[static_cast<std::uint8_t>(index)], static_cast<float>(wide));
    }
  }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<Code> codes) const {
    quantize_each(*this, values, codes, "additive_power_of_two");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const Code> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "additive_power_of_two");
  }

 private:
  static constexpr std::uint32_t packed = [] {
    std::uint32_t together = 0;
    for (std::size_t i = 0; i < 8 && i < count; ++i)
      together |= static_cast<std::uint32_t>(numerators[i] & 15) << (4 * i);
    return together;
  }();

  static float checked(float alpha) {
    require(std::isfinite(alpha) && alpha >= 0x1p-117f, "additive_power_of_two: alpha", alpha,
            "finite, at least 2^-117");
    return alpha;
  }

  static level_table<count> magnitudes(float unit) {
    std::array<float, count> values{};
    std::ranges::transform(numerators, values.begin(), [unit](std::int32_t n) { return unit * static_cast<float>(n); });
    return level_table<count>(values);
  }

  float unit_;
  level_table<count> levels_;
};

static_assert(quantizer<additive_power_of_two<4>> && elementwise_quantizer<additive_power_of_two<4, std::uint8_t>>);

}  // namespace bitwright
