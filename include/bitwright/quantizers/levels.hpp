// SPDX-License-Identifier: MIT
/// \file
/// Levels: the few values that a quantizer can restore, in order, and the one nearest to a given value.
///
///     code = #{ i : value > border_i }          value = level_code
///
/// border_i is the greatest float that is not nearer to level_(i+1) than to level_i: their midpoint, but for the float
/// grid. A tie goes to the level of smaller magnitude, so that sets with -l for every l are treated oddly:
/// nearest(-v) = -nearest(v). A tie between -l and l goes up, to l.
///
/// A code is an index into the sorted levels, so that a kernel restores it by one look into a table. Finding it takes
/// no branch: up to 16 levels by as many comparisons as there are borders, more by bisection.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace bitwright {

/// The greatest float that is not nearer to `upper` than to `lower`, for finite lower < upper; ties as above. The
/// comparison is exact: a float v is nearer to `upper` where 2 v > lower + upper, a sum of which nothing is lost.
inline float border_between(float lower, float upper) {
  const double a = lower, b = upper, sum = a + b, part = sum - a;
  const double lost = (a - (sum - part)) + (b - part);  // sum + lost = a + b exactly (Knuth's two-sum).
  const bool tie_goes_up = std::abs(b) < std::abs(a) || a + b == 0;
  const auto is_upper = [=](float value) {
    const double twice = 2 * double{value};
    if (twice != sum) return twice > sum;
    return lost == 0 ? tie_goes_up : lost < 0;
  };
  constexpr float infinity = std::numeric_limits<float>::infinity();
  auto border = static_cast<float>(sum / 2);
  while (is_upper(border)) border = std::nextafter(border, -infinity);
  while (!is_upper(std::nextafter(border, infinity))) border = std::nextafter(border, infinity);
  return border;
}

/// At most `Capacity` levels (a power of two, up to 256), numbered from the lowest. A plain value without memory of its
/// own elsewhere: every channel can have one.
template <std::size_t Capacity>
class level_table {
  static_assert(std::has_single_bit(Capacity) && Capacity >= 2 && Capacity <= 256,
                "level_table: expected a capacity of 2, 4, 8, ... 256 levels");

 public:
  /// Throws invalid_argument unless there are 1 to Capacity levels, finite and strictly increasing.
  explicit level_table(std::span<const float> levels) : size_(levels.size()) {
    require(size_ >= 1 && size_ <= Capacity, "level_table: levels.size()", size_, "1 to ", Capacity);
    for (std::size_t i = 0; i < size_; ++i)
      require(std::isfinite(levels[i]) && (i == 0 || levels[i - 1] < levels[i]), "level_table: levels", levels,
              "finite numbers, strictly increasing");
    std::ranges::copy(levels, levels_.begin());
    std::fill(levels_.begin() + static_cast<std::ptrdiff_t>(size_), levels_.end(), levels.back());
    borders_.fill(
        std::numeric_limits<float>::infinity());  // No value is above the borders of levels that are not there.
    for (std::size_t i = 0; i + 1 < size_; ++i) borders_[i] = border_between(levels[i], levels[i + 1]);
  }

  std::size_t size() const { return size_; }
  std::span<const float> levels() const { return {levels_.data(), size_}; }

  /// As many as the capacity: the highest level again where there are no more.
  std::span<const float, Capacity> padded_levels() const { return levels_; }

  /// border_i, and infinity where there are no more.
  std::span<const float, Capacity> borders() const { return borders_; }

  /// Bits that number the levels: ceil(log2(size)), at least 1.
  int bits() const { return std::max(1, static_cast<int>(std::bit_width(size_ - 1))); }

  /// The code of the nearest level. An infinity goes to the outermost level, NaN to the level nearest to 0.
  [[gnu::always_inline]] std::uint8_t nearest(float value) const {
    const float number = value == value ? value : 0.0f;
    if constexpr (Capacity <= 16)
      return count_below(number, std::make_index_sequence<Capacity - 1>());
    else
      return bisect(number);
  }

  /// The level of a code; a code that no level has stands for the highest one. For codes below Capacity.
  [[gnu::always_inline]] float operator[](std::uint8_t code) const { return levels_[code]; }

  friend bool operator==(const level_table&, const level_table&) = default;

 private:
  template <std::size_t... I>
  [[gnu::always_inline]] std::uint8_t count_below(float value, std::index_sequence<I...>) const {
    // As floats: compilers would narrow integers to bytes after each comparison instead of once.
    float code = 0;
    ((code = value > borders_[I] ? static_cast<float>(I + 1) : code), ...);
    return static_cast<std::uint8_t>(static_cast<std::int32_t>(code));
  }

  [[gnu::always_inline]] std::uint8_t bisect(float value) const {
    std::uint32_t code = 0;
    for (auto step = static_cast<std::uint32_t>(Capacity / 2); step > 0; step /= 2)
      code += static_cast<std::uint32_t>(value > borders_[code + step - 1]) * step;  // A choice would be a branch.
    return static_cast<std::uint8_t>(code);
  }

  std::array<float, Capacity> levels_{};
  std::array<float, Capacity> borders_{};  // One more than there are, so that the loops need no special case.
  std::size_t size_;
};

}  // namespace bitwright
