// SPDX-License-Identifier: MIT
/// \file
/// Panels of group-wise weights: what the tiles of a path read, packed once and without loss.
///
/// A panel has `lanes` columns (outputs), and group after group their codes; then, group after group too, the columns'
/// scales as fp16, and their zero points where the format has them. Within a group, `depth` successive codes of a column
/// lie side by side, and beside them those of the next column. Of 4-bit codes a byte holds code k and code k + 16, as in
/// ggml's blocks, the first in its lower half. Columns that no output has are zeros.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// A `Tile` says with which `format`, `lanes` and `depth`, and with `flipped_bits` which bits of every 8-bit code are
/// stored inverted.
template <class Tile>
struct group_panel_layout {
  using format = typename Tile::format;

  std::size_t outputs;
  std::size_t groups;

  static constexpr std::size_t group_bytes = Tile::lanes * group_size * format::bits / 8;

  /// Within a panel.
  constexpr std::size_t scales() const { return groups * group_bytes; }
  constexpr std::size_t zero_points() const { return scales() + groups * Tile::lanes * sizeof(std::uint16_t); }
  constexpr std::size_t panel_bytes() const {
    return round_up(zero_points() + (format::has_zero_points ? groups * Tile::lanes : 0), 64);
  }

  /// Within packed memory, where the biases of all columns come first.
  constexpr std::size_t panels() const { return divide_up(outputs, Tile::lanes); }
  constexpr std::size_t panel(std::size_t p) const {
    return round_up(panels() * Tile::lanes * sizeof(float), 64) + p * panel_bytes();
  }
  constexpr std::size_t bytes() const { return panel(panels()); }

  /// Of column `lane` of panel p in group g.
  constexpr std::size_t scale(std::size_t p, std::size_t lane, std::size_t g) const {
    return panel(p) + scales() + (g * Tile::lanes + lane) * sizeof(std::uint16_t);
  }
  constexpr std::size_t zero_point(std::size_t p, std::size_t lane, std::size_t g) const {
    return panel(p) + zero_points() + g * Tile::lanes + lane;
  }
  /// The byte of code k of the group, and the lowest of the code's bits in it.
  constexpr std::size_t code_byte(std::size_t p, std::size_t lane, std::size_t g, std::size_t k) const {
    const std::size_t j = k % (group_size * format::bits / 8), step = j / Tile::depth;
    return panel(p) + g * group_bytes + (step * Tile::lanes + lane) * Tile::depth + j % Tile::depth;
  }
  static constexpr int code_bit(std::size_t k) { return format::bits == 4 && k >= group_size / 2 ? 4 : 0; }

  /// Output n's code k of group g, as it was packed.
  std::int32_t code(const std::byte* packed, std::size_t n, std::size_t g, std::size_t k) const {
    const std::byte byte = packed[code_byte(n / Tile::lanes, n % Tile::lanes, g, k)] ^ std::byte{Tile::flipped_bits};
    if constexpr (format::bits == 8) return static_cast<std::int8_t>(byte);
    return static_cast<std::int32_t>(byte >> code_bit(k)) & 15;
  }
};

template <class Tile>
group_panel_layout<Tile> group_layout(const group_weights& weights) {
  return {weights.outputs, weights.groups()};
}

/// Writes group g of output n.
template <class Tile>
void pack_group(const group_panel_layout<Tile>& layout, const group_weights& weights, std::size_t n, std::size_t g,
                std::byte* packed) {
  const std::size_t p = n / Tile::lanes, lane = n % Tile::lanes, from = n * layout.groups + g;
  for (std::size_t k = 0; k < group_size; ++k)
    packed[layout.code_byte(p, lane, g, k)] |=
        static_cast<std::byte>(weights.codes[from * group_size + k] ^ Tile::flipped_bits) << layout.code_bit(k);
  *packed_array<std::uint16_t>(packed, layout.scale(p, lane, g)) = weights.scales[from];
  if constexpr (Tile::format::has_zero_points)
    packed[layout.zero_point(p, lane, g)] = std::byte{weights.zero_points[from]};
}

template <class Tile>
void pack_group_panels(const group_weights& weights, std::byte* packed) {
  const auto layout = group_layout<Tile>(weights);
  std::fill_n(packed, layout.bytes(), std::byte{});
  if (weights.bias != nullptr) std::copy_n(weights.bias, weights.outputs, packed_array<float>(packed, 0));
  for (std::size_t n = 0; n < weights.outputs; ++n)
    for (std::size_t g = 0; g < layout.groups; ++g) pack_group(layout, weights, n, g, packed);
}

}  // namespace bitwright::kernels
