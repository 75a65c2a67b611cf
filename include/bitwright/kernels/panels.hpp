// SPDX-License-Identifier: MIT
/// \file
/// Panels: weights as the tiles of a path read them, packed once, with all that the same column of outputs needs.
///
/// A vector has `lanes` columns (output channels), and of each of them `depth` consecutive weights, a step. The weights of
/// a column are divided into segments, whose activations lie side by side: all of a gemm's, one tap's of a convolution.
/// Each segment fills whole steps, the last with weights 0. A panel is up to `max_vectors` vectors that a tile reads
/// together: its steps, one after another, each with all the panel's vectors. Panels never mix groups.
///
/// Weights of few different values, levels, are packed as indices into these, several to a byte: what would be the
/// first bytes of 2, 4 or 8 steps share a byte, the first step's in its lowest bits, and so on. Half a byte is looked
/// up at once, in a table for each index that it holds.
///
/// Tiles multiply operands, codes from which an offset may have been taken, a = code - offset, and w likewise:
///
///     sum[n] = bias[n] - za * sum_k (w[n][k] - zw[n]) + sum_k a[k] * w[n][k] - zw[n] * sum_k a[k]
///
/// where za and zw are the zero points in terms of operands. The first two terms are a column's initial sum; the last is
/// there only if some zw is not 0. Sums are modulo 2^32, as parts of them need more than 32 bits where the whole does not.
/// Source: Jacob et al. (CVPR 2018), section 2.3.
#pragma once

#include <bitwright/kernels/vectorized_rounding.hpp>
#include <bitwright/kernels/weight_levels.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace bitwright::kernels {

/// A product's quotient, rounded up.
constexpr std::size_t divide_up(std::size_t value, std::size_t divisor) { return (value + divisor - 1) / divisor; }

/// The least multiple of `step` that is not below value.
constexpr std::size_t round_up(std::size_t value, std::size_t step) { return divide_up(value, step) * step; }

/// What is known of all columns.
struct panel_header {
  std::int32_t activation_zero_point;   ///< Of operands.
  std::int32_t any_weight_zero_points;  ///< Whether some column's, of operands, is not 0.
  std::int32_t activation_offset;       ///< Operands are codes less this.
  std::int32_t may_tie;                 ///< Whether some sum of some column may lie half-way between two codes.
  std::int32_t kind;                    ///< For a path that packs in more than one way.
  std::int32_t short_steps;             ///< How many steps' sums fit 16 bits, where a path asks.
  std::array<std::int32_t, 10> unused;  ///< Up to a cache line.
  level_tables tables;                  ///< Where indices are packed.
};

/// The bits that a `Tile` has packed for each weight: those of an index, where that is less and it takes indices.
template <class Tile>
constexpr std::size_t packed_bits(const weighted_sum& sums) {
  constexpr std::size_t own = 8 * sizeof(typename Tile::weight);
  return Tile::takes_indices ? std::min(own, static_cast<std::size_t>(sums.index_bits)) : own;
}

/// Where panels and their columns lie in packed memory. A `Tile` says with which `lanes`, `depth` and `weight` type.
template <class Tile>
struct panel_layout {
  std::size_t groups;         ///< With weights of their own; 1 for a gemm.
  std::size_t group_outputs;  ///< Columns of a group.
  std::size_t segments;
  std::size_t length;                                    ///< Weights of a segment.
  std::size_t bits = 8 * sizeof(typename Tile::weight);  ///< Of a packed weight, an index if it is less.

  constexpr std::size_t vectors() const { return divide_up(group_outputs, Tile::lanes); }
  constexpr std::size_t panels() const { return divide_up(vectors(), Tile::max_vectors); }
  /// The first vector of panel p of a group: panels differ by one vector at most, so that none is left narrow.
  constexpr std::size_t first_vector(std::size_t p) const { return p * vectors() / panels(); }

  constexpr std::size_t columns() const { return groups * vectors() * Tile::lanes; }
  constexpr std::size_t column(std::size_t group, std::size_t vector) const {
    return (group * vectors() + vector) * Tile::lanes;
  }
  /// Whether weights are packed as indices.
  constexpr bool indices() const { return bits < 8; }
  /// Steps that share their bytes.
  constexpr std::size_t joined_steps() const { return indices() ? 8 / bits : 1; }
  constexpr std::size_t steps() const { return round_up(divide_up(length, Tile::depth), joined_steps()); }
  /// Bytes of one vector's weights in a segment, as they are packed and as they are unpacked.
  constexpr std::size_t segment_bytes() const { return steps() * Tile::lanes * Tile::depth * bits / 8; }
  constexpr std::size_t unpacked_bytes() const {
    return steps() * Tile::lanes * Tile::depth * sizeof(typename Tile::weight);
  }
  /// Of memory for one panel's unpacked weights, as a workspace has it: 64-byte aligned.
  constexpr std::size_t unpacked_panel_bytes() const {
    return indices() ? 64 + std::min(vectors(), Tile::max_vectors) * segments * unpacked_bytes() : 0;
  }

  /// Arrays with an element for each column, in this order: what sums begin with, factors and zero points; then the
  /// activation zero point times the sum of a segment's weights, for each segment.
  static constexpr std::size_t arrays = 4;
  constexpr std::size_t array(std::size_t index) const {
    return sizeof(panel_header) + index * columns() * sizeof(std::int32_t);
  }
  constexpr std::size_t initial() const { return array(0); }
  constexpr std::size_t multipliers() const { return array(1); }
  constexpr std::size_t shifts() const { return array(2); }
  constexpr std::size_t weight_zero_points() const { return array(3); }
  constexpr std::size_t segment_terms(std::size_t segment) const { return array(arrays + segment); }
  constexpr std::size_t weights(std::size_t group, std::size_t vector) const {
    return round_up(array(arrays + segments), 64) + (group * vectors() + vector) * segments * segment_bytes();
  }
  constexpr std::size_t bytes() const { return weights(groups, 0); }
};

/// An array of packed memory.
template <class Element>
const Element* packed_array(const std::byte* packed, std::size_t offset) {
  return reinterpret_cast<const Element*>(packed + offset);
}
template <class Element>
Element* packed_array(std::byte* packed, std::size_t offset) {
  return reinterpret_cast<Element*>(packed + offset);
}

/// The weights of segment `segment` of output n.
template <class Tile>
const std::int8_t* segment_weights(const panel_layout<Tile>& layout, const weighted_sum& sums, std::size_t n,
                                   std::size_t segment) {
  return sums.weights + n * sums.inputs + segment * layout.length;
}

/// Whether some sum of output n may lie half-way between two codes.
inline bool may_tie(const weighted_sum& sums, std::size_t n) {
  const std::int64_t zero = sums.activation_zero_point;
  const std::int64_t furthest = std::max(sums.activation_codes.max - zero, zero - sums.activation_codes.min);
  std::int64_t most = std::abs(std::int64_t{sums.bias[n]});
  for (const std::int8_t* weight = sums.weights + n * sums.inputs; weight != sums.weights + (n + 1) * sums.inputs;
       ++weight)
    most += std::abs(*weight - sums.weight_zero_points[n]) * furthest;
  return may_tie(sums.factors[n], most);
}

/// Writes the constants of output n into its column, and what they tell of all columns into the header.
template <class Tile>
void pack_column(const panel_layout<Tile>& layout, const weighted_sum& sums, std::size_t n, std::size_t column,
                 std::byte* packed) {
  auto& header = *packed_array<panel_header>(packed, 0);
  const std::int32_t zero_point = sums.weight_zero_points[n] - Tile::weight_offset(sums.weight_zero_points[n]);
  // Unsigned: modulo 2^32.
  auto initial = static_cast<std::uint32_t>(sums.bias[n]);
  for (std::size_t segment = 0; segment < layout.segments; ++segment) {
    const std::int8_t* weights = segment_weights(layout, sums, n, segment);
    std::int32_t total = 0;
    for (std::size_t k = 0; k < layout.length; ++k)
      total += weights[k] - Tile::weight_offset(sums.weight_zero_points[n]);
    const auto activation = static_cast<std::uint32_t>(header.activation_zero_point);
    const auto length = static_cast<std::uint32_t>(layout.length);
    packed_array<std::uint32_t>(packed, layout.segment_terms(segment))[column] =
        activation * static_cast<std::uint32_t>(total);
    initial -= activation * (static_cast<std::uint32_t>(total) - length * static_cast<std::uint32_t>(zero_point));
  }
  packed_array<std::uint32_t>(packed, layout.initial())[column] = initial;
  packed_array<std::int32_t>(packed, layout.multipliers())[column] = sums.factors[n].multiplier;
  packed_array<std::int32_t>(packed, layout.shifts())[column] = sums.factors[n].shift;
  packed_array<std::int32_t>(packed, layout.weight_zero_points())[column] = zero_point;
  header.any_weight_zero_points |= zero_point;
  header.may_tie |= may_tie(sums, n);
}

/// Columns that no output has: they compute 0 and are never written.
template <class Tile>
void pack_no_column(const panel_layout<Tile>& layout, std::size_t column, std::byte* packed) {
  packed_array<std::int32_t>(packed, layout.multipliers())[column] = (std::int32_t{1} << 30) + 1;
  packed_array<std::int32_t>(packed, layout.shifts())[column] = 40;
}

/// Where a panel's steps have the lane of output n.
template <class Tile>
struct packed_lane {
  std::size_t offset;  ///< In packed memory, of the first step of segment 0.
  std::size_t step;    ///< Weights of the panel in a step.

  packed_lane(const panel_layout<Tile>& layout, std::size_t n) {
    const std::size_t group = n / layout.group_outputs, local = n % layout.group_outputs;
    const std::size_t vector = local / Tile::lanes, lane = local % Tile::lanes;
    // The panel whose first vector is the last not above this one.
    std::size_t panel = 0;
    while (panel + 1 < layout.panels() && layout.first_vector(panel + 1) <= vector) ++panel;
    const std::size_t first = layout.first_vector(panel);
    step = (layout.first_vector(panel + 1) - first) * Tile::lanes * Tile::depth;
    const std::size_t element = layout.indices() ? 1 : sizeof(typename Tile::weight);
    offset = layout.weights(group, first) + ((vector - first) * Tile::lanes + lane) * Tile::depth * element;
  }
};

/// Writes the weights of output n; what is not written stays 0.
template <class Tile>
void pack_weights_of(const panel_layout<Tile>& layout, const weighted_sum& sums, std::size_t n, std::byte* packed) {
  using weight = typename Tile::weight;
  const packed_lane<Tile> lane(layout, n);
  auto* target = packed_array<weight>(packed, lane.offset);
  for (std::size_t segment = 0; segment < layout.segments; ++segment, target += layout.steps() * lane.step) {
    const std::int8_t* weights = segment_weights(layout, sums, n, segment);
    for (std::size_t k = 0; k < layout.length; ++k)
      target[k / Tile::depth * lane.step + k % Tile::depth] =
          static_cast<weight>(weights[k] - Tile::weight_offset(sums.weight_zero_points[n]));
  }
}

/// Writes the indices of output n; what is not written stays 0.
template <class Tile>
void pack_indices_of(const panel_layout<Tile>& layout, const weighted_sum& sums, const weight_levels& levels,
                     std::size_t n, std::byte* packed) {
  const packed_lane<Tile> lane(layout, n);
  const std::size_t joined = layout.joined_steps();
  auto* target = packed_array<std::uint8_t>(packed, lane.offset);
  for (std::size_t segment = 0; segment < layout.segments; ++segment, target += layout.steps() / joined * lane.step) {
    const std::int8_t* weights = segment_weights(layout, sums, n, segment);
    for (std::size_t k = 0; k < layout.length; ++k) {
      const std::size_t step = k / Tile::depth;
      const unsigned index = levels.index_of(weights[k]) << step % joined * layout.bits;
      std::uint8_t& byte = target[step / joined * lane.step + k % Tile::depth];
      byte = static_cast<std::uint8_t>(byte | index);
    }
  }
}

/// Packs everything.
template <class Tile>
void pack_panels(const panel_layout<Tile>& layout, const weighted_sum& sums, std::byte* packed) {
  std::memset(packed, 0, layout.bytes());
  auto& header = *packed_array<panel_header>(packed, 0);
  header.activation_offset = Tile::activation_offset(sums.activation_zero_point);
  header.activation_zero_point = sums.activation_zero_point - header.activation_offset;
  const std::size_t padded = layout.vectors() * Tile::lanes;
  for (std::size_t column = 0; column < layout.columns(); ++column)
    if (column % padded >= layout.group_outputs) pack_no_column(layout, column, packed);
  for (std::size_t n = 0; n < sums.outputs; ++n)
    pack_column(layout, sums, n, n / layout.group_outputs * padded + n % layout.group_outputs, packed);
  if (layout.indices()) {
    const weight_levels levels({sums.weights, sums.outputs * sums.inputs});
    header.tables = levels.tables(layout.bits);
    for (std::size_t n = 0; n < sums.outputs; ++n) pack_indices_of(layout, sums, levels, n, packed);
  } else {
    for (std::size_t n = 0; n < sums.outputs; ++n) pack_weights_of(layout, sums, n, packed);
  }
}

}  // namespace bitwright::kernels
