// SPDX-License-Identifier: MIT
/// \file
/// Levels: the different weights of a layer. Where they are few, an index in 4 bits, 2 or 1 says which one is meant, and
/// tables that a byte shuffle reads restore it: so every scheme's narrow codes run, whatever their levels are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bitwright::kernels {

/// The level of each index that half a byte may hold: tables[i][half] is that of its i-th index, from its lowest bits on.
using level_tables = std::array<std::array<std::int8_t, 16>, 4>;

/// The different weights there are, in order: index i means the i-th.
class weight_levels {
 public:
  explicit weight_levels(std::span<const std::int8_t> weights) {
    std::array<bool, 256> occurs{};
    for (const std::int8_t weight : weights) occurs[byte_of(weight)] = true;
    for (int level = -128; level < 128; ++level) {
      index_[byte_of(static_cast<std::int8_t>(level))] = static_cast<std::uint8_t>(size_);
      if (occurs[byte_of(static_cast<std::int8_t>(level))]) levels_[size_++] = static_cast<std::int8_t>(level);
    }
  }

  std::size_t size() const { return size_; }
  unsigned index_of(std::int8_t weight) const { return index_[byte_of(weight)]; }

  level_tables tables(std::size_t bits) const {
    level_tables tables{};
    for (std::size_t i = 0; i < 4 / bits; ++i)
      for (std::size_t half = 0; half < 16; ++half) tables[i][half] = levels_[half >> i * bits & ((1u << bits) - 1)];
    return tables;
  }

 private:
  static std::size_t byte_of(std::int8_t weight) { return static_cast<std::uint8_t>(weight); }

  std::array<std::int8_t, 256> levels_{};
  std::array<std::uint8_t, 256> index_{};
  std::size_t size_ = 0;
};

/// The least index_bits that suffice for these weights.
inline int index_bits_of(std::span<const std::int8_t> weights) {
  const std::size_t levels = weight_levels(weights).size();
  return levels <= 2 ? 1 : levels <= 4 ? 2 : levels <= 16 ? 4 : 8;
}

}  // namespace bitwright::kernels
