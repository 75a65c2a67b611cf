// SPDX-License-Identifier: MIT
/// \file
/// Integer levels: the few values of a scheme as whole numbers of 8 bits, which integer kernels multiply as they are.
///
///     value(code) = scale * level(code) + residue,   |level| <= 127,   |residue| <= error
///
/// Powers of two, sums of them, small floats and ternary or binary values lie on a grid: their error is 0, and a layer
/// of levels computes what the scheme says, bit by bit. Values that lie anywhere, as those of a codebook do, take the
/// nearest of the grids of at most 127 steps to a side, or 64 for no more than 16 values; the error says how near that is.
///
/// What a grid costs: it comes within 1/178 of the limit of NF4's levels, rounding to which loses 1/42 on average
/// (Gaussian values, the limit at 4 sigma). Sixteen levels by k-means fare alike.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {

/// A quantizer that says which codes it has: all of `codes()`, and each stored in a byte. A scheme of your own that has
/// this and `dequantize` runs in integer layers.
template <class Q>
concept enumerable_quantizer = quantizer<Q> && sizeof(typename Q::code_type) == 1 && requires(const Q& q) {
  { q.codes() } -> std::same_as<code_range>;
};

/// Whole numbers for codes, and how well they say what the codes mean.
struct integer_levels {
  static constexpr int most_steps = 127;  ///< To either side of 0, so that each level has its opposite.
  /// The most steps of a grid that is chosen for so many values. Kernels look few values up, and AVX2 multiplies them
  /// twice as fast where two of them times bytes add up to 16 bits; many need the finest grid there is.
  static constexpr int most_chosen_steps(std::size_t values) { return values <= 16 ? 64 : most_steps; }
  static_assert(2 * 64 * 255 <= 32767);

  float scale = 1;   ///< What a step of 1 is worth.
  double error = 0;  ///< The greatest |value - scale * level|; 0 if each value is that product, rounded to a float.
  std::array<std::int8_t, 256> by_byte{};  ///< The level of each code, by its byte.

  /// The level of a code.
  template <std::integral Code>
  requires(sizeof(Code) == 1) constexpr std::int8_t operator[](Code code) const {
    return by_byte[static_cast<std::uint8_t>(code)];
  }
};

/// The whole number of steps next to a value, at most 127 of them.
inline std::int8_t nearest_level(float value, float scale) {
  constexpr double most = integer_levels::most_steps;
  return static_cast<std::int8_t>(std::clamp(std::nearbyint(value / double{scale}), -most, most));
}

/// How far a value lies from its level; 0 where it is the level's float.
inline double distance_to_level(float value, float scale) {
  const double level = double{scale} * nearest_level(value, scale);  // Exact: 24 bits times 7.
  return static_cast<float>(level) == value ? 0 : std::abs(value - level);
}

/// The greatest distance, or some distance that is no less than `enough`.
inline double distance_to_grid(std::span<const float> values, float scale, double enough) {
  double greatest = 0;
  for (const float value : values) {
    greatest = std::max(greatest, distance_to_level(value, scale));
    if (greatest >= enough) break;
  }
  return greatest;
}

/// The step of the grid with the least greatest distance among those on which the largest magnitude is n / 16 steps, for
/// n = 16 ... 1032 or 2040, and of the next floats where that is a whole number: so a grid that holds all values is found. Of
/// grids that are a thousandth better or less, the coarsest, so that scaled copies of the same values get the same
/// levels. Magnitudes below 2^-100 count as 0, whose step is 1.
inline float nearest_grid(std::span<const float> values) {
  float limit = 0;
  for (const float value : values) limit = std::max(limit, std::abs(value));
  if (limit < 0x1p-100f) return 1;
  float best = limit;
  double least = std::numeric_limits<double>::infinity();
  const auto attempt = [&](float scale) {
    const double enough = least * (1 - 0x1p-10), distance = distance_to_grid(values, scale, enough);
    if (distance < enough) best = scale, least = distance;
  };
  for (int n = 16; n <= 16 * integer_levels::most_chosen_steps(values.size()) + 8; ++n) {
    const auto scale = static_cast<float>(16 * double{limit} / n);
    attempt(scale);
    if (n % 16 != 0) continue;
    attempt(std::nextafter(scale, 0.0f));
    attempt(std::nextafter(scale, limit));
  }
  return best;
}

/// The value of each code of codes(), in order.
template <enumerable_quantizer Q>
std::vector<float> values_of_codes(const Q& q) {
  std::vector<typename Q::code_type> codes;
  for (std::int32_t code = q.codes().min; code <= q.codes().max; ++code)
    codes.push_back(static_cast<typename Q::code_type>(code));
  std::vector<float> values(codes.size());
  q.dequantize(codes, values);
  return values;
}

/// The levels of `values`, those of codes from `first` on, on the grid of that step.
inline integer_levels levels_on_grid(std::span<const float> values, std::int32_t first, float scale) {
  integer_levels levels{.scale = scale, .error = distance_to_grid(values, scale, std::numeric_limits<double>::max())};
  for (std::size_t i = 0; i < values.size(); ++i)
    levels.by_byte[static_cast<std::uint8_t>(first + static_cast<std::int32_t>(i))] = nearest_level(values[i], scale);
  return levels;
}

/// The levels of any values on the nearest grid. Throws invalid_argument for values that are not finite.
integer_levels nearest_integer_levels(const enumerable_quantizer auto& q) {
  const std::vector<float> values = values_of_codes(q);
  for (const float value : values) require(std::isfinite(value), "nearest_integer_levels: value", value, "finite");
  return levels_on_grid(values, q.codes().min, nearest_grid(values));
}

/// The levels of a scheme. One that has a `unit()` of which all its values are whole multiples keeps it as the scale and
/// is exact; any other takes nearest_integer_levels.
/// Throws invalid_argument for a value of more than 127 units (eight powers of two reach 128), which fewer bits or
/// nearest_integer_levels, which may round, can avoid; and for values that are not finite.
integer_levels integer_levels_of(const enumerable_quantizer auto& q) {
  if constexpr (requires { static_cast<float>(q.unit()); }) {
    const float unit = q.unit();
    const std::vector<float> values = values_of_codes(q);
    const auto units = [unit](float value) { return std::nearbyint(value / double{unit}); };
    const auto is_whole = [&](float value) { return static_cast<float>(unit * units(value)) == value; };
    if (std::ranges::all_of(values, is_whole)) {
      for (const float value : values)
        require(std::abs(units(value)) <= integer_levels::most_steps, "integer_levels_of: value / unit", units(value),
                "[-127, 127]: fewer bits, or nearest_integer_levels");
      return levels_on_grid(values, q.codes().min, unit);
    }
  }
  return nearest_integer_levels(q);
}

}  // namespace bitwright
