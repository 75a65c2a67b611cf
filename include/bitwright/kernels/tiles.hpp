// SPDX-License-Identifier: MIT
/// \file
/// Tiles: how gemm and convolution walk over blocks of rows and panels of weights, whatever the instruction set.
///
/// A row is what one row of outputs is made of: for each segment, a pointer to its operands. A tile joins a few rows with
/// one panel: it accumulates their sums into a small buffer, and then turns the buffer into codes. Both steps are the
/// path's own; the second alone knows the rounding policy and the type of outputs.
///
/// A path says what its tiles are by a type `Tile` with
///     operand, weight        what rows and panels hold
///     converts               whether activations become operands by Tile::convert, which takes their zero point; else
///                            rows are read where they lie
///     lanes, depth           columns of a vector, weights of a column in a step
///     max_vectors, rows(v)   the widest panel, and the most rows of a tile with v vectors
///     activation_offset(z), weight_offset(z)   what operands and weights are less than codes with zero point z
///     accumulate<Rows, Vectors>                an accumulate_function
///     takes_indices          whether weights may be packed as indices; if so, it has besides
///     accumulate_indices<Bits, Vectors>        an accumulate_function, of one row with such weights
///     unpack<Bits>                             an unpack_function
///
/// One row takes indices as they are packed, and reads that much less. For more rows a panel is unpacked once, into the
/// workspace, and then is like any other.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace bitwright::kernels {

/// A block has at most this many rows: a multiple of all tiles' rows.
inline constexpr std::size_t block_rows = 120;

/// Some of a grid of segments, those with first <= row < last, and columns likewise. All other segments of the rows at
/// hand hold nothing but zero points, so that their products need not be made.
struct segment_box {
  std::size_t first_row, last_row;
  std::size_t first_column, last_column;
  std::size_t width;  ///< Segments of a row of the whole grid.

  static constexpr segment_box all(std::size_t rows, std::size_t columns) { return {0, rows, 0, columns, columns}; }
};

/// What a tile's accumulation reads and writes.
struct tile_sums {
  const panel_header* header;
  const std::byte* const* rows;  ///< The operands of the tile's rows in segment 0.
  std::size_t segment_stride;    ///< Pointers from one segment to the next.
  std::size_t offset;            ///< Bytes to be added to each pointer.
  segment_box box;
  std::size_t length;           ///< Operands of a segment.
  const std::byte* weights;     ///< The panel's, from segment 0 on.
  std::size_t segment_bytes;    ///< Of the panel's weights of one segment.
  const std::int32_t* initial;  ///< What each column begins with.
  std::int32_t* sums;           ///< Rows x columns of the panel.
};

/// What turning a tile's sums into codes reads and writes.
struct tile_codes {
  const std::int32_t* sums;  ///< Rows x padded_columns.
  std::size_t rows;
  std::size_t columns;         ///< That outputs have.
  std::size_t padded_columns;  ///< Whole vectors.
  const std::int32_t* multipliers;
  const std::int32_t* shifts;
  bool may_tie;  ///< Whether some sum may lie half-way between two codes.
  code_window window;
  std::int32_t zero_point;  ///< With output_codes, what the window is made of.
  code_range output_codes;
  std::byte* const* outputs;  ///< Each row's first output.
  std::size_t first_output;   ///< That of column 0.
};

/// The first multiple of 64 bytes in memory.
inline std::byte* aligned_to_line(std::byte* memory) {
  return memory + (64 - reinterpret_cast<std::uintptr_t>(memory) % 64) % 64;
}

/// The next four bytes of a row.
inline std::int32_t load_step(const std::byte* bytes) {
  std::int32_t step;
  std::memcpy(&step, bytes, sizeof step);
  return step;
}

/// The last `count` < 4 bytes before `end`, of a segment of `length`, and the rest of `fill`, which the path takes for
/// operands 0. Reads nothing outside the segment.
inline std::int32_t load_tail(const std::byte* end, std::size_t count, std::size_t length, std::uint32_t fill = 0) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t bytes = 0;
  if (length >= 4)
    bytes = static_cast<std::uint32_t>(load_step(end - 4)) >> 8 * (4 - count);
  else
    for (std::size_t k = 0; k < count; ++k) bytes = bytes << 8 | std::to_integer<std::uint32_t>(*--end);
  return static_cast<std::int32_t>(bytes | fill << 8 * count);
}

/// The last `left` bytes of a segment, fewer than Joined, and `fill` where there are none.
template <std::size_t Joined>
std::array<std::byte, Joined> joined_tail(const std::byte* bytes, std::size_t left, std::uint32_t fill) {
  std::array<std::byte, Joined> tail;
  tail.fill(static_cast<std::byte>(fill & 0xff));
  std::memcpy(tail.data(), bytes, left);
  return tail;
}

/// What unpacking a panel's segment reads and writes.
struct packed_segment {
  const level_tables* tables;
  const std::byte* indices;  ///< 64-byte aligned.
  std::size_t vectors;       ///< Of indices: the panel's of all steps that share bytes.
  std::size_t width;         ///< Vectors of the panel: those of one such step.
  std::byte* weights;        ///< Levels, as steps of a panel; 64-byte aligned.
};

using accumulate_function = void (*)(const tile_sums&);
using unpack_function = void (*)(const packed_segment&);
using store_function = void (*)(const tile_codes&);

/// Consecutive rows of a block which need the same segments.
struct row_run {
  std::size_t first;
  std::size_t count;
  segment_box box;
};

/// Some rows of outputs to be made.
struct row_block {
  const std::byte* const* rows;  ///< Segments x block_rows pointers to operands.
  std::byte* const* outputs;     ///< Each row's first output.
  const row_run* runs;
  std::size_t run_count;
};

/// A tile's accumulation for each number of vectors and rows.
template <class Tile, std::size_t Vectors>
constexpr auto accumulate_rows = []<std::size_t... Row>(std::index_sequence<Row...>) {
  std::array<accumulate_function, block_rows> functions{};
  ((functions[Row] = Tile::template accumulate<Row + 1, Vectors>), ...);
  return functions;
}
(std::make_index_sequence<Tile::rows(Vectors)>());

template <class Tile>
constexpr auto accumulate_functions = []<std::size_t... Vector>(std::index_sequence<Vector...>) {
  return std::array<std::array<accumulate_function, block_rows>, sizeof...(Vector)>{
      accumulate_rows<Tile, Vector + 1>...};
}
(std::make_index_sequence<Tile::max_vectors>());

/// One row's accumulation of indices, for each number of vectors.
template <class Tile, std::size_t Bits>
constexpr auto accumulate_indices_functions = []<std::size_t... Vector>(std::index_sequence<Vector...>) {
  return std::array<accumulate_function, sizeof...(Vector)>{Tile::template accumulate_indices<Bits, Vector + 1>...};
}
(std::make_index_sequence<Tile::max_vectors>());

template <class Tile>
accumulate_function accumulate_indices_function(std::size_t bits, std::size_t vectors) {
  if (bits == 4) return accumulate_indices_functions<Tile, 4>[vectors - 1];
  if (bits == 2) return accumulate_indices_functions<Tile, 2>[vectors - 1];
  return accumulate_indices_functions<Tile, 1>[vectors - 1];
}

template <class Tile>
unpack_function unpack_function_of(std::size_t bits) {
  return bits == 4 ? Tile::template unpack<4> : bits == 2 ? Tile::template unpack<2> : Tile::template unpack<1>;
}

/// Runs a layer's tiles over blocks of rows.
template <class Tile>
class tile_runner {
 public:
  /// `unpacked` is of layout.unpacked_panel_bytes(), of any alignment, for this runner alone.
  tile_runner(const panel_layout<Tile>& layout, const std::byte* packed, const weighted_sum& sums, store_function store,
              std::byte* unpacked)
      : layout_(layout),
        packed_(packed),
        unpacked_(aligned_to_line(unpacked)),
        zero_point_(sums.output_zero_point),
        output_codes_(sums.output_codes),
        store_(store) {}

  /// Makes the outputs of a block. `group_stride` is the distance of groups' operands in bytes.
  void run(const row_block& block, std::size_t group_stride) const {
    for (std::size_t group = 0; group < layout_.groups; ++group) run_group(block, group, group * group_stride);
  }

  /// The outputs of one group, whose operands lie `offset` bytes from the rows' pointers.
  void run_group(const row_block& block, std::size_t group, std::size_t offset) const {
    std::array<std::uint32_t, block_rows> row_sums;
    if (header().any_weight_zero_points != 0) add_rows(block, offset, row_sums.data());
    const bool one_row = block.runs[block.run_count - 1].first + block.runs[block.run_count - 1].count == 1;
    for (std::size_t panel = 0; panel < layout_.panels(); ++panel) {
      const panel_weights weights = weights_of(group, panel, one_row);
      for (const row_run* run = block.runs; run != block.runs + block.run_count; ++run)
        run_panel(block, *run, group, panel, weights, offset, row_sums.data());
    }
  }

 private:
  static constexpr std::size_t most_columns = Tile::max_vectors * Tile::lanes;

  /// A panel's weights as a tile takes them.
  struct panel_weights {
    const std::byte* first;
    std::size_t segment_bytes;
    bool indices;  ///< For accumulate_indices.
  };

  const panel_header& header() const { return *packed_array<panel_header>(packed_, 0); }

  /// The sum of each row's operands, padding included.
  void add_rows(const row_block& block, std::size_t offset, std::uint32_t* row_sums) const {
    const row_run& last = block.runs[block.run_count - 1];
    for (std::size_t row = 0; row < last.first + last.count; ++row) {
      row_sums[row] = 0;
      for (std::size_t segment = 0; segment < layout_.segments; ++segment) {
        const std::byte* operands = block.rows[segment * block_rows + row] + offset;
        row_sums[row] += add_operands(reinterpret_cast<const typename Tile::operand*>(operands));
      }
    }
  }

  std::uint32_t add_operands(const typename Tile::operand* codes) const {
    std::uint32_t total = 0;
    for (std::size_t k = 0; k < layout_.length; ++k)
      total += static_cast<std::uint32_t>(codes[k] - (Tile::converts ? 0 : header().activation_offset));
    return total;
  }

  std::size_t width(std::size_t panel) const { return layout_.first_vector(panel + 1) - layout_.first_vector(panel); }

  panel_weights weights_of(std::size_t group, std::size_t panel, bool one_row) const {
    const std::byte* packed = packed_ + layout_.weights(group, layout_.first_vector(panel));
    const std::size_t segment_bytes = width(panel) * layout_.segment_bytes();
    if constexpr (Tile::takes_indices)
      if (layout_.indices() && !one_row) return unpack(packed, width(panel));
    return {packed, segment_bytes, layout_.indices()};
  }

  panel_weights unpack(const std::byte* packed, std::size_t vectors) const {
    // Segments are whole bytes of indices: all of a panel's are like one.
    const std::size_t bytes = vectors * layout_.segments * layout_.segment_bytes();
    unpack_function_of<Tile>(layout_.bits)({.tables = &header().tables,
                                            .indices = packed,
                                            .vectors = bytes / (Tile::lanes * Tile::depth),
                                            .width = vectors,
                                            .weights = unpacked_});
    return {unpacked_, vectors * layout_.unpacked_bytes(), false};
  }

  accumulate_function accumulate(const panel_weights& weights, std::size_t vectors, std::size_t rows) const {
    if constexpr (Tile::takes_indices)
      if (weights.indices) return accumulate_indices_function<Tile>(layout_.bits, vectors);
    return accumulate_functions<Tile>[vectors - 1][rows - 1];
  }

  void run_panel(const row_block& block, const row_run& run, std::size_t group, std::size_t panel,
                 const panel_weights& weights, std::size_t offset, const std::uint32_t* row_sums) const {
    const std::size_t vector = layout_.first_vector(panel), vectors = width(panel);
    const std::size_t column = layout_.column(group, vector), columns = vectors * Tile::lanes;
    const std::size_t tiles = divide_up(run.count, Tile::rows(vectors));
    alignas(64) std::array<std::int32_t, most_columns * Tile::rows(1)> sums;
    alignas(64) std::array<std::int32_t, most_columns> initial;
    tile_sums task{.header = &header(),
                   .rows = nullptr,
                   .segment_stride = block_rows,
                   .offset = offset,
                   .box = run.box,
                   .length = layout_.length,
                   .weights = weights.first,
                   .segment_bytes = weights.segment_bytes,
                   .initial = initial_sums(run.box, column, columns, initial.data()),
                   .sums = sums.data()};
    const std::size_t first_output = group * layout_.group_outputs + vector * Tile::lanes;
    tile_codes codes{.sums = sums.data(),
                     .rows = 0,
                     .columns = std::min(columns, layout_.group_outputs - vector * Tile::lanes),
                     .padded_columns = columns,
                     .multipliers = packed_array<std::int32_t>(packed_, layout_.multipliers()) + column,
                     .shifts = packed_array<std::int32_t>(packed_, layout_.shifts()) + column,
                     .may_tie = header().may_tie != 0,
                     .window = code_window::of(zero_point_, output_codes_),
                     .zero_point = zero_point_,
                     .output_codes = output_codes_,
                     .outputs = nullptr,
                     .first_output = first_output};
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      const std::size_t first = run.first + tile * run.count / tiles;
      codes.rows = run.first + (tile + 1) * run.count / tiles - first;
      task.rows = block.rows + first;
      codes.outputs = block.outputs + first;
      accumulate(weights, vectors, codes.rows)(task);
      if (header().any_weight_zero_points != 0) take_zero_points(codes, column, row_sums + first, sums.data());
      store_(codes);
    }
  }

  /// What the columns' sums begin with, when only the segments of `box` are added: as it is packed, or in `adjusted`.
  const std::int32_t* initial_sums(const segment_box& box, std::size_t column, std::size_t columns,
                                   std::int32_t* adjusted) const {
    const std::int32_t* initial = packed_array<std::int32_t>(packed_, layout_.initial()) + column;
    const std::size_t used = (box.last_row - box.first_row) * (box.last_column - box.first_column);
    if (used == layout_.segments || header().activation_zero_point == 0) return initial;
    std::copy_n(initial, columns, adjusted);
    for (std::size_t segment = 0; segment < layout_.segments; ++segment) {
      const std::size_t row = segment / box.width, at = segment % box.width;
      if (row >= box.first_row && row < box.last_row && at >= box.first_column && at < box.last_column) continue;
      const auto* terms = packed_array<std::uint32_t>(packed_, layout_.segment_terms(segment)) + column;
      for (std::size_t i = 0; i < columns; ++i)
        adjusted[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(adjusted[i]) + terms[i]);
    }
    return adjusted;
  }

  void take_zero_points(const tile_codes& codes, std::size_t column, const std::uint32_t* row_sums,
                        std::int32_t* sums) const {
    const auto* zero_points = packed_array<std::uint32_t>(packed_, layout_.weight_zero_points()) + column;
    for (std::size_t row = 0; row < codes.rows; ++row, sums += codes.padded_columns)
      for (std::size_t i = 0; i < codes.padded_columns; ++i)
        sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) - zero_points[i] * row_sums[row]);
  }

  panel_layout<Tile> layout_;
  const std::byte* packed_;
  std::byte* unpacked_;
  std::int32_t zero_point_;
  code_range output_codes_;
  store_function store_;
};

}  // namespace bitwright::kernels
