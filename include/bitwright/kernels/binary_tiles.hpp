// SPDX-License-Identifier: MIT
/// \file
/// Tiles of binary sums: how binary gemm and binary convolution walk over blocks of rows and panels of weights.
///
/// A vector has `lanes` columns (outputs), and of each of them `depth` consecutive bytes of weights, a step. A panel is up
/// to `max_vectors` vectors that a tile reads together, step after step, as in kernels/panels.hpp. Rows of activations
/// become whole steps, too: what is beyond a row's or a tap's last bit is 0 in both, so that it never differs. A tap
/// outside of the image is packed as bits 0, which are -1: for these the sum of its weights is added to the row's sum.
///
/// A path says what its tiles are by a type `Tile` with
///     lanes, depth             columns of a vector, bytes of a column in a step
///     max_vectors, rows(v)     the widest panel, and the most rows of a tile with v vectors
///     operand_bytes(b)         of a row of b bytes, as tiles read it
///     converts                 whether operands are made by Tile::convert; else they are the row and zeros behind it
///     part_columns(v)          columns that are stored together
///     accumulate<Rows, Vectors>  a binary_accumulate_function
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/binary_convolution_arguments.hpp>
#include <bitwright/kernels/binary_gemm_arguments.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace bitwright::kernels {

/// What is known of all columns.
struct binary_header {
  std::int32_t places;                  ///< By which sums are shifted to the left.
  std::array<std::int32_t, 15> unused;  ///< Up to a cache line.
};

/// Where panels and their columns lie in packed memory.
template <class Tile>
struct binary_layout {
  std::size_t outputs;
  std::size_t taps;
  std::size_t row_bytes;

  explicit constexpr binary_layout(const binary_sum& sums)
      : outputs(sums.outputs), taps(sums.taps), row_bytes(sums.row_bytes()) {}

  constexpr std::size_t vectors() const { return divide_up(outputs, Tile::lanes); }
  constexpr std::size_t panels() const { return divide_up(vectors(), Tile::max_vectors); }
  /// Panels differ by one vector at most, so that none is left narrow.
  constexpr std::size_t first_vector(std::size_t panel) const { return panel * vectors() / panels(); }
  constexpr std::size_t columns() const { return vectors() * Tile::lanes; }
  constexpr std::size_t steps() const { return divide_up(row_bytes, Tile::depth); }

  /// Arrays with an element of four bytes for each column: what sums begin with, factors, scales, whether sums may
  /// tie; then the sums of each tap's weights.
  constexpr std::size_t array(std::size_t index) const {
    return sizeof(binary_header) + index * columns() * sizeof(std::int32_t);
  }
  constexpr std::size_t initial() const { return array(0); }
  constexpr std::size_t multipliers() const { return array(1); }
  constexpr std::size_t shifts() const { return array(2); }
  constexpr std::size_t scales() const { return array(3); }
  constexpr std::size_t ties() const { return array(4); }
  constexpr std::size_t tap_sums(std::size_t tap) const { return array(5 + tap); }
  constexpr std::size_t weights(std::size_t vector) const {
    return round_up(array(5 + taps), 64) + vector * steps() * Tile::lanes * Tile::depth;
  }
  constexpr std::size_t bytes() const { return weights(vectors()); }
};

/// The mask of the last byte of so many bits.
constexpr std::byte last_byte_mask(std::size_t bits) { return static_cast<std::byte>(0xff >> (7 - (bits + 7) % 8)); }

/// Writes the weights of output n to where its panel's steps have its lane; what is not written stays 0.
template <class Tile>
void pack_binary_weights(const binary_layout<Tile>& layout, const binary_sum& sums, std::size_t n, std::byte* packed) {
  const std::size_t vector = n / Tile::lanes, lane = n % Tile::lanes, tap_bytes = bytes_of_bits(sums.channels);
  std::size_t panel = 0;
  while (panel + 1 < layout.panels() && layout.first_vector(panel + 1) <= vector) ++panel;
  const std::size_t first = layout.first_vector(panel), width = layout.first_vector(panel + 1) - first;
  std::byte* const target = packed + layout.weights(first) + ((vector - first) * Tile::lanes + lane) * Tile::depth;
  const std::size_t step = width * Tile::lanes * Tile::depth;
  for (std::size_t k = 0; k < layout.row_bytes; ++k) {
    const std::byte mask = (k + 1) % tap_bytes == 0 ? last_byte_mask(sums.channels) : std::byte{0xff};
    target[k / Tile::depth * step + k % Tile::depth] = sums.weights[n * layout.row_bytes + k] & mask;
  }
}

/// Whether some sum of output n may lie half-way between two codes.
inline bool may_tie(const binary_sum& sums, std::size_t n) {
  return may_tie(sums.factors[n], std::abs(std::int64_t{sums.bias[n]}) + static_cast<std::int64_t>(sums.inputs()));
}

/// Whether outputs stay what they are when sums and factors are shifted: codes that are rounded once.
template <binary_output Output, integer_rounding Rounding>
inline constexpr bool may_shift_sums =
    !one_of<Output, bool, float> && vectorized_rounding<Rounding> && !std::same_as<Rounding, gemmlowp_double>;

/// By how many places to shift all sums, and so factors, so that factors lie below 1/4, which requantizes fastest:
///
///     sum * multiplier / 2^shift = (sum * 2^places) * multiplier / 2^(shift + places)
///
/// Sums of signs are small and leave room for it. Codes stay what they are, ties included.
inline int places_of(const binary_sum& sums) {
  if (sums.outputs == 0) return 0;
  std::int64_t most = 0;
  int least_shift = 62, greatest_shift = 0;
  for (std::size_t n = 0; n < sums.outputs; ++n) {
    most = std::max(most, std::abs(std::int64_t{sums.bias[n]}) + static_cast<std::int64_t>(sums.inputs()));
    least_shift = std::min(least_shift, sums.factors[n].shift);
    greatest_shift = std::max(greatest_shift, sums.factors[n].shift);
  }
  const int room = 31 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most)));
  return std::clamp(33 - least_shift, 0, std::max(0, std::min(room, 62 - greatest_shift)));
}

/// Writes the constants of output n.
template <class Tile>
void pack_binary_column(const binary_layout<Tile>& layout, const binary_sum& sums, std::size_t n, std::byte* packed) {
  const int places = packed_array<binary_header>(packed, 0)->places;
  packed_array<std::int32_t>(packed, layout.initial())[n] =
      (sums.bias[n] + static_cast<std::int32_t>(sums.inputs())) * (1 << places);
  if (sums.factors != nullptr) {
    packed_array<std::int32_t>(packed, layout.multipliers())[n] = sums.factors[n].multiplier;
    packed_array<std::int32_t>(packed, layout.shifts())[n] = sums.factors[n].shift + places;
    packed_array<std::int32_t>(packed, layout.ties())[n] = may_tie(sums, n);
  }
  if (sums.scales != nullptr) packed_array<float>(packed, layout.scales())[n] = sums.scales[n];
  const std::size_t tap_bytes = bytes_of_bits(sums.channels);
  for (std::size_t tap = 0; tap < sums.taps; ++tap) {
    const std::byte* weights = sums.weights + (n * sums.taps + tap) * tap_bytes;
    std::int32_t sum = -static_cast<std::int32_t>(sums.channels);
    for (std::size_t k = 0; k < tap_bytes; ++k) {
      const std::byte used = k + 1 == tap_bytes ? weights[k] & last_byte_mask(sums.channels) : weights[k];
      sum += 2 * std::popcount(std::to_integer<std::uint8_t>(used));
    }
    packed_array<std::int32_t>(packed, layout.tap_sums(tap))[n] = sum * (1 << places);
  }
}

template <class Tile>
std::size_t tiled_binary_packed_bytes(const binary_sum& sums) {
  return binary_layout<Tile>(sums).bytes();
}

/// Packs everything. `ShiftsSums` is may_shift_sums of the path's outputs.
template <class Tile, bool ShiftsSums>
void tiled_binary_pack(const binary_sum& sums, std::byte* packed) {
  const binary_layout<Tile> layout(sums);
  std::memset(packed, 0, layout.bytes());
  packed_array<binary_header>(packed, 0)->places = ShiftsSums ? places_of(sums) : 0;
  // Columns that no output has compute 0 and are never written.
  for (std::size_t column = sums.outputs; column < layout.columns(); ++column) {
    packed_array<std::int32_t>(packed, layout.multipliers())[column] = (std::int32_t{1} << 30) + 1;
    packed_array<std::int32_t>(packed, layout.shifts())[column] = 40;
  }
  for (std::size_t n = 0; n < sums.outputs; ++n) {
    pack_binary_column(layout, sums, n, packed);
    pack_binary_weights(layout, sums, n, packed);
  }
}

/// What a tile's accumulation reads and writes: initial - 2^shift * the number of bits that differ.
struct binary_tile_sums {
  const std::byte* const* rows;  ///< Operands, of the tile's rows.
  std::size_t steps;
  const std::byte* weights;     ///< The panel's.
  const std::int32_t* initial;  ///< What each column begins with.
  int shift;                    ///< 1, and the places of sums.
  std::int32_t* sums;           ///< Of each part rows x its columns; 64-byte aligned.
  std::size_t part_stride;      ///< From one part to the next.
};

/// What turning a part of a tile's sums into outputs reads and writes.
struct binary_tile_outputs {
  tile_codes codes;         ///< Where sums and outputs lie; and for codes all the rest. Columns begin a byte of bits.
  const float* scales;      ///< For floats, of the columns.
  const float* row_scales;  ///< For floats, of the rows, or null.
};

using binary_accumulate_function = void (*)(const binary_tile_sums&);
using binary_store_function = void (*)(const binary_tile_outputs&);

/// Accumulation for each number of vectors and of rows: [vectors - 1][rows - 1].
template <class Tile, std::size_t Vectors>
constexpr auto binary_accumulate_rows = []<std::size_t... Row>(std::index_sequence<Row...>) {
  std::array<binary_accumulate_function, Tile::rows(1)> functions{};
  ((functions[Row] = Tile::template accumulate<Row + 1, Vectors>), ...);
  return functions;
}
(std::make_index_sequence<Tile::rows(Vectors)>());

template <class Tile>
constexpr auto binary_accumulate_functions = []<std::size_t... Vector>(std::index_sequence<Vector...>) {
  return std::array<std::array<binary_accumulate_function, Tile::rows(1)>, sizeof...(Vector)>{
      binary_accumulate_rows<Tile, Vector + 1>...};
}
(std::make_index_sequence<Tile::max_vectors>());

/// The taps of a window that lie inside the image.
struct inner_taps {
  tap_range rows;
  tap_range columns;
};

/// Some rows of outputs to be made.
struct binary_block {
  std::size_t count;
  const std::byte* const* rows;  ///< Operands of each row.
  std::byte* const* outputs;     ///< Each row's first output.
  const float* row_scales;       ///< One for each row, or null.
  const inner_taps* inside;      ///< Of each row's window; null for a gemm.
};

/// Runs a layer's tiles over blocks of rows.
template <class Tile>
class binary_runner {
 public:
  /// `kernel_width` is the number of taps of a window's row.
  binary_runner(const binary_sum& sums, const std::byte* packed, std::size_t kernel_width, binary_store_function store)
      : layout_(sums),
        packed_(packed),
        kernel_width_(kernel_width),
        zero_point_(sums.output_zero_point),
        output_codes_(sums.output_codes),
        store_(store) {}

  void run(const binary_block& block) const {
    for (std::size_t panel = 0; panel < layout_.panels(); ++panel) {
      const std::size_t first = layout_.first_vector(panel), vectors = layout_.first_vector(panel + 1) - first;
      const std::size_t batches = divide_up(block.count, tiles_together * Tile::rows(vectors));
      for (std::size_t batch = 0; batch < batches; ++batch)
        run_batch(block, batch * block.count / batches, (batch + 1) * block.count / batches, first, vectors);
    }
  }

 private:
  const binary_header& header() const { return *packed_array<binary_header>(packed_, 0); }

  /// The sums of a few tiles become outputs together: with so few instructions a sum, what a call of the store function
  /// begins with would show.
  static constexpr std::size_t tiles_together = 4;

  void run_batch(const binary_block& block, std::size_t first, std::size_t last, std::size_t vector,
                 std::size_t vectors) const {
    constexpr std::size_t most_rows = tiles_together * Tile::rows(1);
    alignas(64) std::array<std::int32_t, Tile::max_vectors * Tile::lanes * most_rows> sums;
    const std::size_t column = vector * Tile::lanes, rows = last - first, width = Tile::part_columns(vectors);
    const std::size_t tiles = divide_up(rows, Tile::rows(vectors));
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      const std::size_t row = tile * rows / tiles, end = (tile + 1) * rows / tiles;
      binary_accumulate_functions<Tile>[vectors - 1][end - row - 1](
          {.rows = block.rows + first + row,
           .steps = layout_.steps(),
           .weights = packed_ + layout_.weights(vector),
           .initial = packed_array<std::int32_t>(packed_, layout_.initial()) + column,
           .shift = 1 + header().places,
           .sums = sums.data() + row * width,
           .part_stride = rows * width});
    }
    const std::size_t columns = std::min(layout_.outputs - column, vectors * Tile::lanes);
    for (std::size_t part = 0; part < columns; part += width) {
      std::int32_t* const of_part = sums.data() + part * rows;
      if (block.inside != nullptr) add_padding(block.inside + first, rows, column + part, width, of_part);
      store_part(block, first, rows, column + part, width, of_part);
    }
  }

  /// Adds, for each row, the sums of those taps' weights that lie outside of the image.
  void add_padding(const inner_taps* inside, std::size_t rows, std::size_t column, std::size_t width,
                   std::int32_t* sums) const {
    for (std::size_t row = 0; row < rows; ++row, sums += width) {
      if (inside[row].rows.count() * inside[row].columns.count() == layout_.taps) continue;
      for (std::size_t tap = 0; tap < layout_.taps; ++tap) {
        if (inside[row].rows.contains(tap / kernel_width_) && inside[row].columns.contains(tap % kernel_width_))
          continue;
        const auto* tap_sums = packed_array<std::int32_t>(packed_, layout_.tap_sums(tap)) + column;
        for (std::size_t i = 0; i < width; ++i) sums[i] += tap_sums[i];
      }
    }
  }

  /// Whether some sum of these columns may lie half-way between two codes.
  bool any_may_tie(std::size_t column, std::size_t width) const {
    const auto* ties = packed_array<std::int32_t>(packed_, layout_.ties()) + column;
    std::int32_t any = 0;
    for (std::size_t i = 0; i < width; ++i) any |= ties[i];
    return any != 0;
  }

  void store_part(const binary_block& block, std::size_t first, std::size_t rows, std::size_t column, std::size_t width,
                  const std::int32_t* sums) const {
    store_({.codes = {.sums = sums,
                      .rows = rows,
                      .columns = std::min(width, layout_.outputs - column),
                      .padded_columns = width,
                      .multipliers = packed_array<std::int32_t>(packed_, layout_.multipliers()) + column,
                      .shifts = packed_array<std::int32_t>(packed_, layout_.shifts()) + column,
                      .may_tie = any_may_tie(column, width),
                      .window = code_window::of(zero_point_, output_codes_),
                      .zero_point = zero_point_,
                      .output_codes = output_codes_,
                      .outputs = block.outputs + first,
                      .first_output = column},
            .scales = packed_array<float>(packed_, layout_.scales()) + column,
            .row_scales = block.row_scales == nullptr ? nullptr : block.row_scales + first});
  }

  binary_layout<Tile> layout_;
  const std::byte* packed_;
  std::size_t kernel_width_;
  std::int32_t zero_point_;
  code_range output_codes_;
  binary_store_function store_;
};

/// Copies bytes where a call of memcpy would take longer: in pieces of one size, of which the last two may overlap.
template <std::size_t Piece>
void copy_in_pieces(std::byte* to, const std::byte* from, std::size_t count) {
  for (std::size_t i = 0; i + Piece <= count; i += Piece) std::memcpy(to + i, from + i, Piece);
  if (count % Piece != 0) std::memcpy(to + count - Piece, from + count - Piece, Piece);
}

inline void copy_bits(std::byte* to, const std::byte* from, std::size_t count) {
  if (count >= 16)
    copy_in_pieces<16>(to, from, count);
  else if (count >= 4)
    copy_in_pieces<4>(to, from, count);
  else
    for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
}

/// The operands of a block of rows, in the workspace.
template <class Tile>
class binary_operands {
 public:
  /// As many rows as stay in the first-level cache, beside the weights, and fill some tiles.
  static constexpr std::size_t block_rows_of(const binary_sum& sums) {
    constexpr std::size_t cached = std::size_t{1} << 15, least = 2 * Tile::rows(1);
    return std::clamp(cached / std::max<std::size_t>(1, stride_of(sums)), least, block_rows);
  }
  static constexpr std::size_t workspace_bytes(const binary_sum& sums) {
    return 64 + block_rows_of(sums) * stride_of(sums) + row_stride(sums);
  }

  binary_operands(const binary_sum& sums, std::byte* workspace)
      : row_bytes_(sums.row_bytes()),
        stride_(stride_of(sums)),
        memory_(workspace + (64 - reinterpret_cast<std::uintptr_t>(workspace) % 64) % 64),
        row_(memory_ + block_rows_of(sums) * stride_) {}

  /// Where to write row i of the block. What it has beyond its last byte, `finish` makes 0.
  std::byte* row(std::size_t i) const { return Tile::converts ? row_ : memory_ + i * stride_; }

  /// The operands of row i, which was written to row(i).
  const std::byte* finish(std::size_t i) const {
    if constexpr (Tile::converts) return convert(row_, i);
    std::memset(memory_ + i * stride_ + row_bytes_, 0, stride_ - row_bytes_);
    return memory_ + i * stride_;
  }

  /// Those of row i that lies in `bytes` as it is, and has no bit beyond its last.
  const std::byte* of(const std::byte* bytes, std::size_t i) const {
    if constexpr (Tile::converts) return convert(bytes, i);
    if (row_bytes_ % Tile::depth == 0) return bytes;
    copy_bits(row(i), bytes, row_bytes_);
    return finish(i);
  }

 private:
  static constexpr std::size_t row_stride(const binary_sum& sums) { return round_up(sums.row_bytes(), 64); }
  static constexpr std::size_t stride_of(const binary_sum& sums) {
    return round_up(Tile::operand_bytes(sums.row_bytes()), 64);
  }

  const std::byte* convert(const std::byte* bytes, std::size_t i) const {
    Tile::convert(bytes, row_bytes_, memory_ + i * stride_);
    return memory_ + i * stride_;
  }

  std::size_t row_bytes_;
  std::size_t stride_;
  std::byte* memory_;
  std::byte* row_;  ///< One row before it is converted.
};

}  // namespace bitwright::kernels
