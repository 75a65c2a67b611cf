// SPDX-License-Identifier: MIT
/// \file
/// Which tile of any 64-bit Arm fits a layer's weights: decided when they are packed, from the weights themselves. All
/// have the same layout.
#pragma once

#include <bitwright/kernels/neon/short_sum_tile.hpp>
#include <bitwright/kernels/neon/tile.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/short_sums.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// Best last.
enum class tile_kind : std::int32_t { singles, pairs, short_sums };

/// Whether weights that meet in a pair fit, of a column of one segment.
inline bool pairs_fit(const std::int8_t* weights, std::size_t count) {
  for (std::size_t k = 0; k + 8 < count; ++k)
    if (k % 16 < 8 && !paired_products::fit(weights[k], weights[k + 8])) return false;
  return true;
}

/// Whether all weights that meet in pairs fit.
template <class Tile>
bool all_pairs_fit(const panel_layout<Tile>& layout, const weighted_sum& sums) {
  for (std::size_t n = 0; n < sums.outputs; ++n)
    for (std::size_t segment = 0; segment < layout.segments; ++segment)
      if (!pairs_fit(segment_weights(layout, sums, n, segment), layout.length)) return false;
  return true;
}

/// Packs, and says in the header for which tile.
template <class Activation>
void pack_chosen(const panel_layout<short_sum_tile<Activation>>& layout, const weighted_sum& sums, std::byte* packed) {
  pack_panels(layout, sums, packed);
  const std::size_t steps = fitting_steps<Activation>(layout, sums);
  const tile_kind kind = steps >= least_short_steps(layout) ? tile_kind::short_sums
                         : all_pairs_fit(layout, sums)      ? tile_kind::pairs
                                                            : tile_kind::singles;
  auto& header = *packed_array<panel_header>(packed, 0);
  header.kind = static_cast<std::int32_t>(kind);
  header.short_steps = static_cast<std::int32_t>(steps);
}

inline tile_kind packed_kind(const std::byte* packed) {
  return static_cast<tile_kind>(packed_array<panel_header>(packed, 0)->kind);
}

}  // namespace bitwright::kernels::neon
