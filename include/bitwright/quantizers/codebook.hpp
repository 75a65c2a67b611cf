// SPDX-License-Identifier: MIT
/// \file
/// Codebook quantization: a few levels anywhere, and codes that number them.
///
///     code = index of the level nearest to value          value = level_code
///
/// Levels come from the values themselves (k_means, optimal_levels), or are fixed, as those of NF4 are. The more uneven
/// the density of the values, the more a codebook gains on equal distances; with as many levels, none has a smaller
/// squared error than the optimal one.
///
/// What it is for: weights of 2 to 4 bits where memory counts, and products that are looked up or where a level is
/// restored before it is multiplied. What it is not for: integer matrix products, which need codes in proportion to
/// values.
/// Sources: Han, Mao and Dally, "Deep Compression" (ICLR 2016); NF4: Dettmers et al., "QLoRA" (NeurIPS 2023).
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/level_paths.hpp>
#include <bitwright/quantizers/levels.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bitwright {

/// Up to `Capacity` levels, a power of two up to 256. Time grows with the capacity, not with the levels that are there.
template <std::size_t Capacity = 16>
class codebook {
 public:
  using code_type = std::uint8_t;

  /// Throws invalid_argument unless there are 1 to Capacity levels, finite and strictly increasing.
  explicit codebook(std::span<const float> levels) : levels_(levels) {}

  /// Bits that number the levels, at least 1.
  int bits() const { return levels_.bits(); }

  /// One for each level.
  code_range codes() const { return {0, static_cast<std::int32_t>(levels_.size()) - 1}; }

  /// In the order of their codes: strictly increasing.
  std::span<const float> levels() const { return levels_.levels(); }
  const level_table<Capacity>& table() const { return levels_; }

  /// The code of one value: that of the nearest level; of two as near, that of the smaller magnitude. An infinity goes
  /// to the outermost level, NaN to the one nearest to 0.
  [[gnu::always_inline]] std::uint8_t quantize(float value) const { return levels_.nearest(value); }

  /// The level of a code; a code that no level has stands for the highest one.
  [[gnu::always_inline]] float dequantize(std::uint8_t code) const {
    return levels_[static_cast<std::uint8_t>(code & (Capacity - 1))];
  }

  /// The code of each value. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::uint8_t> codes) const {
    quantize_each(*this, values, codes, "codebook");
  }

  /// The level of each code. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::uint8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "codebook");
  }

  friend bool operator==(const codebook&, const codebook&) = default;

 private:
  level_table<Capacity> levels_;
};

static_assert(quantizer<codebook<>> && quantizer<codebook<256>> && level_quantizer<codebook<>>);

/// The levels of NF4 for values up to 1 in magnitude: quantiles of a normal distribution, evenly spaced on either side
/// of 0, where one is exact. Source: the table of QLoRA's appendix E.
inline constexpr std::array<float, 16> normal_float4_levels = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

/// NF4 for values up to `limit` in magnitude, usually those of a group of 64: bell-shaped values in 4 bits without a
/// search. A limit below 2^-100 counts as 1, so that values of 0 stay 0.
/// Throws invalid_argument unless 0 <= limit <= 2^125.
inline codebook<16> normal_float4(float limit) {
  require(limit >= 0 && limit <= 0x1p125f, "normal_float4: limit", limit, "[0, 2^125]");
  std::array<float, 16> levels = normal_float4_levels;
  for (float& level : levels) level *= limit < 0x1p-100f ? 1 : limit;
  return codebook<16>(levels);
}

}  // namespace bitwright
