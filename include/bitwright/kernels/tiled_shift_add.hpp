// SPDX-License-Identifier: MIT
/// \file
/// How the vector paths of shift_add walk over rows and columns; see kernels/term_panels.hpp for what they read.
///
/// A path says what its tiles are by a type `Tile` with, besides what term_panels asks for,
///     rows, place_of(row)         rows in the lanes of a block, and where a row's byte is among an input's
///     few_rows                    of how many rows at most steps are that take less time than a block
///     step_rows, operand          how many of them steps take at a time, and what they hold of an activation
///     add_runs, add_steps<Rows>   a column of a block, and a vector of columns of a few rows
#pragma once

#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/term_panels.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace bitwright::kernels {

/// What adding a column's runs reads and writes.
struct column_runs {
  const term_run* first;
  const term_run* last;
  const std::uint16_t* inputs;
  const std::uint8_t* operands;  ///< Inputs x rows of the block; 64-byte aligned.
  std::int32_t initial;
  std::int32_t* sums;  ///< One for each row of the block.
};

/// What adding a vector's steps reads and writes.
template <class Operand, class Slot>
struct vector_steps {
  std::size_t count;
  const std::uint32_t* inputs;
  const Slot* slots;
  const Operand* operands;  ///< Of the first row.
  std::size_t row_stride;   ///< Operands from one row to the next.
  const std::int32_t* initial;
  std::int32_t* sums;  ///< Rows x term_panel_columns, from the vector's first column on.
};

template <class Tile>
constexpr std::size_t tiled_shift_add_workspace_bytes(const weighted_sum& sums) {
  return 64 + std::max(sums.inputs * Tile::rows,
                       round_up(sums.inputs, Tile::depth) * Tile::step_rows * sizeof(typename Tile::operand));
}

/// Runs the rows of one call.
template <class Tile, class Activation, class Output>
class shift_add_runner {
 public:
  shift_add_runner(const gemm_arguments<Activation, Output>& call, store_function store)
      : call_(call),
        header_(*packed_array<term_panel_header>(call.packed, 0)),
        memory_(aligned_to_line(call.workspace)),
        store_(store) {}

  /// Rows [first, last).
  void run(std::size_t first, std::size_t last) const {
    while (first < last) {
      const bool few = last - first <= Tile::few_rows && header_.has_steps != 0;
      const std::size_t count = std::min(last - first, few ? Tile::step_rows : Tile::rows);
      if (few)
        run_few(first, count);
      else
        run_block(first, count);
      first += count;
    }
  }

 private:
  using operand = typename Tile::operand;
  static constexpr std::size_t width = term_panel_columns;

  template <class Element>
  const Element* array(std::size_t offset_in_memory) const {
    return packed_array<Element>(call_.packed, offset_in_memory);
  }

  const Activation* row(std::size_t m) const { return call_.activations + m * call_.activation_stride; }

  void run_block(std::size_t first, std::size_t count) const {
    constexpr std::int32_t least = std::numeric_limits<Activation>::min();
    auto* const operands = reinterpret_cast<std::uint8_t*>(memory_);
    for (std::size_t k = 0; k < call_.sums.inputs; ++k)
      for (std::size_t m = 0; m < Tile::rows; ++m)
        operands[k * Tile::rows + Tile::place_of(m)] =
            m < count ? static_cast<std::uint8_t>(row(first + m)[k] - least) : std::uint8_t{0};
    alignas(64) std::array<std::int32_t, Tile::rows * width> by_column{}, sums;
    for (std::size_t column = 0; column < call_.sums.outputs; column += width) {
      const std::size_t columns = std::min(width, call_.sums.outputs - column);
      for (std::size_t i = 0; i < columns; ++i) Tile::add_runs(runs_of(column + i, by_column.data() + i * Tile::rows));
      for (std::size_t m = 0; m < count; ++m)
        for (std::size_t i = 0; i < width; ++i) sums[m * width + i] = by_column[i * Tile::rows + m];
      store_codes(first, count, column, columns, sums.data());
    }
  }

  column_runs runs_of(std::size_t column, std::int32_t* sums) const {
    const auto* run_ends = array<std::uint32_t>(header_.run_ends);
    const auto* input_ends = array<std::uint32_t>(header_.input_ends);
    const auto* runs = array<term_run>(header_.runs);
    return {.first = runs + (column == 0 ? 0 : run_ends[column - 1]),
            .last = runs + run_ends[column],
            .inputs = array<std::uint16_t>(header_.inputs) + (column == 0 ? 0 : input_ends[column - 1]),
            .operands = reinterpret_cast<const std::uint8_t*>(memory_),
            .initial = array<std::int32_t>(header_.initial)[column],
            .sums = sums};
  }

  void run_few(std::size_t first, std::size_t count) const {
    auto* const operands = reinterpret_cast<operand*>(memory_);
    const std::size_t inputs = call_.sums.inputs, stride = round_up(inputs, Tile::depth);
    for (std::size_t m = 0; m < count; ++m)
      for (std::size_t k = 0; k < stride; ++k)
        operands[m * stride + k] =
            k < inputs ? static_cast<operand>(row(first + m)[k] - call_.sums.activation_zero_point) : operand{0};
    alignas(64) std::array<std::int32_t, Tile::step_rows * width> sums;
    for (std::size_t column = 0; column < call_.sums.outputs; column += width) {
      for (std::size_t i = 0; i < width; i += Tile::lanes)
        add_steps_functions[count - 1](steps_of((column + i) / Tile::lanes, stride, sums.data() + i));
      store_codes(first, count, column, std::min(width, call_.sums.outputs - column), sums.data());
    }
  }

  vector_steps<operand, typename Tile::slot> steps_of(std::size_t vector, std::size_t stride,
                                                      std::int32_t* sums) const {
    const auto* ends = array<std::uint32_t>(header_.step_ends);
    const std::size_t begin = vector == 0 ? 0 : ends[vector - 1];
    return {.count = ends[vector] - begin,
            .inputs = array<std::uint32_t>(header_.step_inputs) + begin,
            .slots = array<typename Tile::slot>(header_.slots) + begin * Tile::lanes * Tile::depth,
            .operands = reinterpret_cast<const operand*>(memory_),
            .row_stride = stride,
            .initial = array<std::int32_t>(header_.step_initial) + vector * Tile::lanes,
            .sums = sums};
  }

  static constexpr auto add_steps_functions = []<std::size_t... Row>(std::index_sequence<Row...>) {
    return std::array{&Tile::template add_steps<Row + 1>...};
  }
  (std::make_index_sequence<Tile::step_rows>());

  void store_codes(std::size_t first, std::size_t count, std::size_t column, std::size_t columns,
                   const std::int32_t* sums) const {
    std::array<std::byte*, std::max(Tile::rows, Tile::step_rows)> outputs;
    for (std::size_t m = 0; m < count; ++m)
      outputs[m] = reinterpret_cast<std::byte*>(call_.outputs + (first + m) * call_.output_stride);
    store_({.sums = sums,
            .rows = count,
            .columns = columns,
            .padded_columns = width,
            .multipliers = array<std::int32_t>(header_.multipliers) + column,
            .shifts = array<std::int32_t>(header_.shifts) + column,
            .may_tie = true,
            .window = code_window::of(call_.sums.output_zero_point, call_.sums.output_codes),
            .zero_point = call_.sums.output_zero_point,
            .output_codes = call_.sums.output_codes,
            .outputs = outputs.data(),
            .first_output = column});
  }

  const gemm_arguments<Activation, Output>& call_;
  const term_panel_header& header_;
  std::byte* memory_;
  store_function store_;
};

/// A path's shift_add, made of its tiles. `Store` turns their sums into codes.
template <class Tile, class Activation>
struct one_tile_shift_add {
  static std::size_t packed_bytes(const shift_add_constants& constants) {
    return term_panels<Tile, Activation>(constants).bytes();
  }

  static void pack(const shift_add_constants& constants, std::byte* packed) {
    term_panels<Tile, Activation>(constants).write(packed);
  }

  static std::size_t workspace_bytes(const shift_add_constants& constants) {
    return tiled_shift_add_workspace_bytes<Tile>(constants.sums);
  }

  /// Rows [first, last) of the outputs.
  template <class Output, store_function Store>
  static void run(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
    shift_add_runner<Tile, Activation, Output>(call, Store).run(first, last);
  }
};

}  // namespace bitwright::kernels
