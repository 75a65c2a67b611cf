// SPDX-License-Identifier: MIT
/// \file
/// Convolution by tiles: an output pixel is a row, and each tap a segment that points into the image, or for padding to
/// zero points. Few channels would make short segments: their windows are gathered, one segment each.
///
/// Source: Dukhan, "The Indirect Convolution Algorithm" (2019).
#pragma once

#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/sliding_window.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright::kernels {

/// Outputs, or pixels, with first <= i < last.
struct index_range {
  std::size_t first;
  std::size_t last;

  constexpr std::size_t count() const { return last > first ? last - first : 0; }
  constexpr index_range within(index_range other) const {
    return {std::max(first, other.first), std::min(last, other.last)};
  }
};

/// The outputs of an axis by what their windows meet: zone 0 the image's beginning, 1 neither end, 2 its end alone.
constexpr std::array<index_range, 3> zones_of(const window_axis& axis) {
  const std::size_t outputs = axis.output(), reach = (axis.kernel - 1) * axis.dilation;
  const std::size_t begin = std::min(outputs, divide_up(axis.padding_before, axis.stride));
  const std::size_t room = axis.padding_before + axis.input;
  const std::size_t fits = room > reach ? std::min(outputs, divide_up(room - reach, axis.stride)) : 0;
  const std::size_t end = std::max(begin, fits);
  return {{{0, begin}, {begin, end}, {end, outputs}}};
}

/// The least range that holds the taps inside the image of all these outputs.
constexpr tap_range taps_of(const window_axis& axis, index_range outputs) {
  tap_range all{axis.kernel, 0};
  for (std::size_t o = outputs.first; o < outputs.last; ++o) {
    const tap_range inside = axis.taps_inside(o);
    all = {std::min(all.first, inside.first), std::max(all.last, inside.last)};
  }
  return {std::min(all.first, all.last), all.last};
}

/// How a convolution divides its outputs into blocks.
template <class Tile>
struct convolution_blocks {
  sliding_window window;
  std::size_t groups;
  std::size_t group_channels;
  std::size_t outputs;
  std::size_t bits;

  explicit constexpr convolution_blocks(const convolution_constants& constants)
      : window(constants.window),
        groups(constants.groups),
        group_channels(constants.group_channels),
        outputs(constants.sums.outputs),
        bits(packed_bits<Tile>(constants.sums)) {}

  constexpr std::size_t channels() const { return groups * group_channels; }
  constexpr std::size_t taps() const { return window.vertical.kernel * window.horizontal.kernel; }
  /// Gathered windows are rounded up to whole steps once, not at every tap.
  constexpr bool gathers() const { return taps() > 1 && group_channels < 4 * Tile::depth; }
  constexpr panel_layout<Tile> layout() const {
    return {.groups = groups,
            .group_outputs = outputs / groups,
            .segments = gathers() ? 1 : taps(),
            .length = gathers() ? taps() * group_channels : group_channels,
            .bits = bits};
  }
  constexpr std::size_t width() const { return window.horizontal.output(); }
  /// Rows of outputs of a block.
  constexpr std::size_t rows() const {
    return gathers() ? 1 : std::max<std::size_t>(1, block_rows / std::max<std::size_t>(1, width()));
  }

  static constexpr std::size_t element = sizeof(typename Tile::operand);
  /// What a copy may write or a step may read beyond the operands it is for.
  static constexpr std::size_t slack = 64;

  /// Rows of the image that a block's windows meet.
  constexpr std::size_t input_rows() const {
    const window_axis& axis = window.vertical;
    return std::min(axis.input, (rows() - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1);
  }
  /// Operands of a row of the image, as converted, or as padded for gathering.
  constexpr std::size_t line() const {
    const window_axis& axis = window.horizontal;
    return (gathers() ? axis.padding_before + axis.input + axis.padding_after : axis.input) * channels();
  }
  constexpr std::size_t lines_bytes() const {
    if (!gathers() && !Tile::converts) return 0;
    const std::size_t lines = gathers() ? window.vertical.kernel : input_rows();
    return round_up(lines * line() * element + slack, 64);
  }
  constexpr std::size_t patch() const { return round_up(taps() * group_channels, Tile::depth); }
  constexpr std::size_t patches_bytes() const {
    return gathers() ? round_up(block_rows * patch() * element + slack, 64) : 0;
  }
  constexpr std::size_t zeros_bytes() const { return round_up(channels() * element + slack, 64); }
  constexpr std::size_t table_bytes() const { return layout().segments * block_rows * sizeof(std::byte*); }
  constexpr std::size_t unpacked_offset() const {
    return table_bytes() + zeros_bytes() + lines_bytes() + patches_bytes();
  }
  constexpr std::size_t bytes() const { return 64 + unpacked_offset() + layout().unpacked_panel_bytes(); }
};

/// One call's walk over its outputs. Everything it needs to write is in the workspace.
template <class Tile, class Activation, class Output>
class tiled_convolution {
 public:
  tiled_convolution(const convolution_arguments<Activation, Output>& call, store_function store)
      : call_(call),
        blocks_(call.constants),
        runner_(blocks_.layout(), call.packed, call.constants.sums, store,
                aligned_to_line(call.workspace) + blocks_.unpacked_offset()),
        down_(zones_of(blocks_.window.vertical)),
        across_(zones_of(blocks_.window.horizontal)) {
    std::byte* memory = aligned_to_line(call.workspace);
    table_ = reinterpret_cast<const std::byte**>(memory);
    zeros_ = memory + blocks_.table_bytes();
    lines_ = zeros_ + blocks_.zeros_bytes();
    patches_ = lines_ + blocks_.lines_bytes();
    fill_zeros(reinterpret_cast<operand*>(zeros_), blocks_.channels());
  }

  /// Rows [first, last) of the outputs, counted through all images.
  void run(std::size_t first, std::size_t last) {
    const std::size_t height = blocks_.window.vertical.output();
    while (first < last) {
      const std::size_t y = first % height, image = first / height;
      const std::size_t count = std::min({blocks_.rows(), last - first, height - y});
      image_ = call_.activations + image * blocks_.window.vertical.input * row_size();
      outputs_of_image_ = call_.outputs + image * height * blocks_.width() * blocks_.outputs;
      if (blocks_.gathers())
        run_gathered(y);
      else
        run_direct({y, y + count});
      first += count;
    }
  }

 private:
  using operand = typename Tile::operand;
  static constexpr std::size_t element = sizeof(operand);

  std::size_t row_size() const { return blocks_.window.horizontal.input * blocks_.channels(); }

  void fill_zeros(operand* target, std::size_t count) const {
    const std::int32_t code = call_.constants.sums.activation_zero_point;
    const auto zero = static_cast<operand>(Tile::converts ? code - Tile::activation_offset(code) : code);
    std::fill_n(target, count, zero);
  }

  void copy_codes(const Activation* from, std::size_t count, operand* target) const {
    if constexpr (Tile::converts)
      Tile::convert(from, count, call_.constants.sums.activation_zero_point, target);
    else
      std::memcpy(target, from, count);
  }

  // Widths that need several blocks are divided evenly.
  template <class Work>
  void for_each_part(const Work& work) {
    const std::size_t width = blocks_.width(), parts = divide_up(width, block_rows);
    for (std::size_t part = 0; part < parts; ++part)
      work(index_range{part * width / parts, (part + 1) * width / parts});
  }

  void run_direct(index_range rows) {
    if constexpr (Tile::converts) convert_rows(rows);
    for_each_part([&](index_range columns) {
      block_count_ = run_count_ = 0;
      for (const index_range& zone_rows : down_) {
        bool fresh = true;  // Runs do not join zones of rows.
        for (std::size_t zone = 0; zone < 3; ++zone)
          fresh = !add_pixels(rows.within(zone_rows), columns.within(across_[zone]), zone == 1, fresh) && fresh;
      }
      runner_.run({table_, output_pointers_.data(), runs_.data(), run_count_}, blocks_.group_channels * element);
    });
  }

  /// Converts the rows of the image that these outputs' windows meet.
  void convert_rows(index_range rows) {
    const window_axis& axis = blocks_.window.vertical;
    const std::size_t begin = rows.first * axis.stride;  // In the padded image.
    const std::size_t end = (rows.last - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1;
    line_begin_ = std::min(axis.input, begin - std::min(begin, axis.padding_before));
    const std::size_t line_end = std::min(axis.input, end - std::min(end, axis.padding_before));
    if (line_end > line_begin_)
      copy_codes(image_ + line_begin_ * row_size(), (line_end - line_begin_) * row_size(),
                 reinterpret_cast<operand*>(lines_));
  }

  /// Where the operands of a row of the image lie.
  const std::byte* image_row(std::size_t row) const {
    if constexpr (Tile::converts)
      return lines_ + (row - line_begin_) * row_size() * element;
    else
      return reinterpret_cast<const std::byte*>(image_ + row * row_size());
  }

  /// Adds the pixels of these rows and columns to the block. Says whether there are any.
  bool add_pixels(index_range rows, index_range columns, bool inner, bool fresh) {
    const std::size_t count = rows.count() * columns.count();
    if (count == 0) return false;
    const tap_range down = taps_of(blocks_.window.vertical, rows), across = taps_of(blocks_.window.horizontal, columns);
    const segment_box box{down.first, down.last, across.first, across.last, blocks_.window.horizontal.kernel};
    add_run({block_count_, count, box}, fresh);
    for (std::size_t y = rows.first; y < rows.last; ++y) {
      add_pointers(y, columns, inner);
      for (std::size_t x = columns.first; x < columns.last; ++x)
        output_pointers_[block_count_ + x - columns.first] =
            reinterpret_cast<std::byte*>(outputs_of_image_ + (y * blocks_.width() + x) * blocks_.outputs);
      block_count_ += columns.count();
    }
    return true;
  }

  /// A run of its own, unless it or the one before is too short to keep a tile busy.
  void add_run(row_run run, bool fresh) {
    constexpr std::size_t worth_a_tile = 3;
    row_run& before = runs_[run_count_ - (fresh ? 0 : 1)];
    if (!fresh && std::min(run.count, before.count) < worth_a_tile) {
      before.count += run.count;
      before.box = {std::min(before.box.first_row, run.box.first_row), std::max(before.box.last_row, run.box.last_row),
                    std::min(before.box.first_column, run.box.first_column),
                    std::max(before.box.last_column, run.box.last_column), run.box.width};
    } else {
      runs_[run_count_++] = run;
    }
  }

  /// The pointers of a row of pixels, which is `inner` if no window reaches over the image's sides.
  void add_pointers(std::size_t y, index_range columns, bool inner) {
    const auto& [vertical, horizontal] = blocks_.window;
    const tap_range inside = vertical.taps_inside(y);
    const std::size_t pixel = blocks_.channels() * element, count = columns.count();
    const std::byte** target = table_ + block_count_;
    for (std::size_t i = 0; i < vertical.kernel; ++i)
      for (std::size_t j = 0; j < horizontal.kernel; ++j, target += block_rows)
        if (!inside.contains(i)) {
          std::fill_n(target, count, zeros_);
        } else if (inner) {
          const std::byte* from = image_row(vertical.pixel(y, i)) + horizontal.pixel(columns.first, j) * pixel;
          for (std::size_t x = 0; x < count; ++x) target[x] = from + x * horizontal.stride * pixel;
        } else {
          const std::byte* from = image_row(vertical.pixel(y, i));
          for (std::size_t x = 0; x < count; ++x)
            target[x] = horizontal.taps_inside(columns.first + x).contains(j)
                            ? from + horizontal.pixel(columns.first + x, j) * pixel
                            : zeros_;
        }
  }

  /// A row of outputs, from windows that are copied together.
  void run_gathered(std::size_t y) {
    pad_lines(y);
    for_each_part([&](index_range columns) {
      const row_run run{0, columns.count(), segment_box::all(1, 1)};
      for (std::size_t i = 0; i < run.count; ++i) {
        table_[i] = patches_ + i * blocks_.patch() * element;
        output_pointers_[i] = reinterpret_cast<std::byte*>(outputs_of_image_ +
                                                           (y * blocks_.width() + columns.first + i) * blocks_.outputs);
      }
      for (std::size_t group = 0; group < blocks_.groups; ++group) {
        gather(columns, group);
        runner_.run_group({table_, output_pointers_.data(), &run, 1}, group, 0);
      }
    });
  }

  /// The rows of the image under the windows of row y, each with its padding.
  void pad_lines(std::size_t y) {
    const auto& [vertical, horizontal] = blocks_.window;
    const tap_range inside = vertical.taps_inside(y);
    auto* line = reinterpret_cast<operand*>(lines_);
    const std::size_t before = horizontal.padding_before * blocks_.channels();
    for (std::size_t i = 0; i < vertical.kernel; ++i, line += blocks_.line()) {
      if (!inside.contains(i)) {
        fill_zeros(line, blocks_.line());
        continue;
      }
      fill_zeros(line, before);
      copy_codes(image_ + vertical.pixel(y, i) * row_size(), row_size(), line + before);
      fill_zeros(line + before + row_size(), blocks_.line() - before - row_size());
    }
  }

  /// Copies the windows of one group side by side, in runs of operands that lie side by side.
  void gather(index_range columns, std::size_t group) const {
    const bool joined = blocks_.groups == 1 && blocks_.window.horizontal.dilation == 1;
    const std::size_t runs = joined ? 1 : blocks_.window.horizontal.kernel;
    const std::size_t bytes = blocks_.window.horizontal.kernel / runs * blocks_.group_channels * element;
    if (bytes <= 16)
      gather_runs<16>(columns, group, runs, bytes);
    else if (bytes <= 32)
      gather_runs<32>(columns, group, runs, bytes);
    else
      gather_runs<0>(columns, group, runs, bytes);
  }

  /// Copies of Copied bytes, whatever the run's are: what is too much, the next one overwrites. 0 copies what there is.
  template <std::size_t Copied>
  void gather_runs(index_range columns, std::size_t group, std::size_t runs, std::size_t bytes) const {
    const auto& [vertical, horizontal] = blocks_.window;
    const std::size_t pixel = blocks_.channels() * element, line = blocks_.line() * element, rows = vertical.kernel;
    const std::size_t stride = horizontal.stride * pixel, step = horizontal.dilation * pixel;
    const std::byte* window = lines_ + columns.first * stride + group * blocks_.group_channels * element;
    std::byte* patch = patches_;
    for (std::size_t x = columns.first; x < columns.last; ++x, window += stride, patch += blocks_.patch() * element) {
      std::byte* target = patch;
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < runs; ++j, target += bytes)
          std::memcpy(target, window + i * line + j * step, Copied > 0 ? Copied : bytes);
    }
  }

  const convolution_arguments<Activation, Output>& call_;
  convolution_blocks<Tile> blocks_;
  tile_runner<Tile> runner_;
  std::array<index_range, 3> down_;
  std::array<index_range, 3> across_;
  const std::byte** table_;
  std::byte* zeros_;
  std::byte* lines_;
  std::byte* patches_;
  const Activation* image_ = nullptr;
  Output* outputs_of_image_ = nullptr;
  std::size_t line_begin_ = 0;
  std::size_t block_count_ = 0;
  std::size_t run_count_ = 0;
  std::array<row_run, 9> runs_{};
  std::array<std::byte*, block_rows> output_pointers_{};
};

}  // namespace bitwright::kernels
