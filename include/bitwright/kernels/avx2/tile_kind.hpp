// SPDX-License-Identifier: MIT
/// \file
/// Which of AVX2's three tiles fits a layer's weights: decided when they are packed, from the weights themselves.
#pragma once

#include <bitwright/kernels/avx2/short_sum_tile.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::avx2 {

/// Best last.
enum class tile_kind : std::int32_t { words, bytes, short_sums };

/// Sums that 16 bits hold.
constexpr bool fits_short(std::int64_t least, std::int64_t most) {
  using short_limits = std::numeric_limits<std::int16_t>;
  return least >= short_limits::min() && most <= short_limits::max();
}

/// The greatest operand that a byte tile makes of the activations there may be.
template <class Activation>
constexpr std::int32_t greatest_operand(code_range activation_codes) {
  return std::min<std::int32_t>(activation_codes.max, std::numeric_limits<Activation>::max()) -
         byte_operands<Activation>::activation_offset(0);
}

/// Whether the sums that vpmaddubsw makes of `steps` steps of a segment fit 16 bits, whatever the operands up to
/// `greatest`: neither all positive products of a lane nor all negative ones leave them.
constexpr bool fit_short_sums(const std::int8_t* weights, std::size_t length, std::size_t steps,
                              std::int32_t greatest) {
  for (std::size_t begin = 0; begin < length; begin += steps * 4) {
    std::array<std::int64_t, 2> least{}, most{};
    for (std::size_t k = begin; k < std::min(length, begin + steps * 4); ++k) {
      least[k / 2 % 2] += std::min<std::int32_t>(0, weights[k]) * greatest;
      most[k / 2 % 2] += std::max<std::int32_t>(0, weights[k]) * greatest;
    }
    if (!fits_short(least[0], most[0]) || !fits_short(least[1], most[1])) return false;
  }
  return true;
}

/// The most steps, of a power of two, whose sums always fit 16 bits if no weight's magnitude is above `weight`.
constexpr std::size_t surely_fitting_steps(std::int32_t weight, std::int32_t operand) {
  std::size_t steps = 128;
  while (steps > 0 && !fits_short(-2 * static_cast<std::int64_t>(steps) * weight * operand, 0)) steps /= 2;
  return steps;
}
static_assert(surely_fitting_steps(8, 255) == 8, "4-bit weights");
static_assert(surely_fitting_steps(8, 15) == 128, "4-bit weights and activations");
static_assert(surely_fitting_steps(2, 255) == 32, "2-bit weights");
static_assert(surely_fitting_steps(64, 255) == 1, "7-bit weights");
static_assert(surely_fitting_steps(128, 255) == 0, "8-bit weights");

/// The most steps, of a power of two up to 128, whose sums fit 16 bits in all these segments; 0 if no step's do.
template <class Activation, class Tile>
std::size_t fitting_steps(const panel_layout<Tile>& layout, const weighted_sum& sums) {
  const std::int32_t greatest = greatest_operand<Activation>(sums.activation_codes);
  std::size_t steps = 128;
  for (std::size_t n = 0; n < sums.outputs; ++n)
    for (std::size_t segment = 0; segment < layout.segments; ++segment)
      while (steps > 0 && !fit_short_sums(segment_weights(layout, sums, n, segment), layout.length, steps, greatest))
        steps /= 2;
  return steps;
}

/// What a tile of short sums needs to be worth its additions to 32 bits; and steps that share bytes stay together.
template <class Tile>
constexpr std::size_t least_short_steps(const panel_layout<Tile>& layout) {
  return std::max<std::size_t>(4, layout.joined_steps());
}

/// The kind for these weights, and how many steps' sums fit 16 bits.
struct chosen_tile {
  tile_kind kind;
  std::size_t short_steps;

  template <class Activation, class Tile>
  static chosen_tile of(const panel_layout<Tile>& layout, const weighted_sum& sums) {
    const std::size_t steps = fitting_steps<Activation>(layout, sums);
    if (steps >= least_short_steps(layout)) return {tile_kind::short_sums, steps};
    return {steps > 0 ? tile_kind::bytes : tile_kind::words, steps};
  }
};

/// Packs panels of bytes, or else of words. Both tiles of bytes have the same layout.
template <class Activation>
void pack_chosen(const panel_layout<byte_tile<Activation>>& bytes, const panel_layout<word_tile<Activation>>& words,
                 const weighted_sum& sums, std::byte* packed) {
  const auto [kind, steps] = chosen_tile::of<Activation>(bytes, sums);
  if (kind == tile_kind::words)
    pack_panels(words, sums, packed);
  else
    pack_panels(bytes, sums, packed);
  packed_array<panel_header>(packed, 0)->kind = static_cast<std::int32_t>(kind);
  packed_array<panel_header>(packed, 0)->short_steps = static_cast<std::int32_t>(steps);
}

template <class Activation>
std::size_t chosen_bytes(const panel_layout<byte_tile<Activation>>& bytes,
                         const panel_layout<word_tile<Activation>>& words, const weighted_sum& sums) {
  return chosen_tile::of<Activation>(bytes, sums).kind == tile_kind::words ? words.bytes() : bytes.bytes();
}

inline tile_kind packed_kind(const std::byte* packed) {
  return static_cast<tile_kind>(packed_array<panel_header>(packed, 0)->kind);
}

}  // namespace bitwright::kernels::avx2
