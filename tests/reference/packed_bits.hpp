// SPDX-License-Identifier: MIT
/// \file
/// Where packed bits lie, by the definition of each order, one bit at a time.
#pragma once

#include <bitwright/storage/packing_order.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright::reference {

/// A bit in memory: `bit` 0 is the byte's least significant.
struct bit_place {
  std::size_t byte;
  std::size_t bit;
};

/// Where the bit `b` of the code `i` lies, when codes have `bits` bits.
inline bit_place place_of(least_significant_first, std::size_t i, std::size_t b, std::size_t bits) {
  const std::size_t s = bits * i + b;
  return {s / 8, s % 8};
}
inline bit_place place_of(most_significant_first, std::size_t i, std::size_t b, std::size_t bits) {
  const std::size_t s = bits * i + bits - 1 - b;
  return {s / 8, 7 - s % 8};
}
inline bit_place place_of(ggml_halves, std::size_t i, std::size_t b, std::size_t) {
  return {16 * (i / 32) + i % 16, b + 4 * (i % 32 / 16)};
}

/// The low `bits` bits of each field, packed.
template <class Order>
std::vector<std::uint8_t> packed_bits(std::span<const std::uint8_t> fields, std::size_t bits) {
  std::vector<std::uint8_t> bytes((fields.size() * bits + 7) / 8);
  for (std::size_t i = 0; i < fields.size(); ++i)
    for (std::size_t b = 0; b < bits; ++b) {
      const bit_place place = place_of(Order{}, i, b, bits);
      bytes[place.byte] = static_cast<std::uint8_t>(bytes[place.byte] | (fields[i] >> b & 1) << place.bit);
    }
  return bytes;
}

}  // namespace bitwright::reference
