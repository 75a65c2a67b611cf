// SPDX-License-Identifier: MIT
/// \file
/// Which of AVX2's three tiles fits a layer's weights: decided when they are packed, from the weights themselves.
#pragma once

#include <bitwright/kernels/avx2/short_sum_tile.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/short_sums.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace bitwright::kernels::avx2 {

/// Best last.
enum class tile_kind : std::int32_t { words, bytes, short_sums };

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

/// Whether some step's sums do not fit 16 bits. Small weights need no proof of their own, so that it is made once, when
/// they are packed.
template <class Activation, class Tile>
bool need_words(const panel_layout<Tile>& layout, const weighted_sum& sums) {
  const auto [least, most] = operand_range::of<Tile, Activation>(sums);
  std::int32_t weight = 0;
  for (std::size_t i = 0; i < sums.outputs * sums.inputs; ++i)
    weight = std::max(weight, std::abs(std::int32_t{sums.weights[i]}));
  return surely_fitting_steps(weight, std::max(-least, most)) == 0 && fitting_steps<Activation>(layout, sums) == 0;
}

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
  return need_words<Activation>(bytes, sums) ? words.bytes() : bytes.bytes();
}

inline tile_kind packed_kind(const std::byte* packed) {
  return static_cast<tile_kind>(packed_array<panel_header>(packed, 0)->kind);
}

}  // namespace bitwright::kernels::avx2
