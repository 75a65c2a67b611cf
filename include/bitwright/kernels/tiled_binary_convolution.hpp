// SPDX-License-Identifier: MIT
/// \file
/// Binary convolution by tiles: the window of each output pixel is gathered, which for bits are few bytes, into a row.
#pragma once

#include <bitwright/kernels/binary_tiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace bitwright::kernels {

template <class Tile>
std::size_t tiled_binary_convolution_workspace_bytes(const binary_convolution_constants& constants) {
  return binary_operands<Tile>::workspace_bytes(constants.sums);
}

/// Copies the window of output (y, x), with bits 0 for taps outside and for bits that are no channel's.
inline void gather_bits(const binary_convolution_constants& constants, const std::byte* image, std::size_t y,
                        std::size_t x, const inner_taps& inside, std::byte* row) {
  const auto& [vertical, horizontal] = constants.window;
  const std::size_t pixel = bytes_of_bits(constants.sums.channels), line = horizontal.kernel * pixel;
  const std::size_t taps = inside.columns.count(), before = inside.columns.first * pixel;
  const bool joined = horizontal.dilation == 1;
  for (std::size_t i = 0; i < vertical.kernel; ++i, row += line) {
    if (taps == 0 || !inside.rows.contains(i)) {
      std::memset(row, 0, line);
      continue;
    }
    const std::byte* from =
        image + (vertical.pixel(y, i) * horizontal.input + horizontal.pixel(x, inside.columns.first)) * pixel;
    if (before > 0) std::memset(row, 0, before);
    if (joined)
      copy_bits(row + before, from, taps * pixel);
    else
      for (std::size_t j = 0; j < taps; ++j)
        copy_bits(row + before + j * pixel, from + j * horizontal.dilation * pixel, pixel);
    if (before + taps * pixel < line) std::memset(row + before + taps * pixel, 0, line - before - taps * pixel);
  }
}

/// Makes 0 what no channel has in the last byte of each tap.
inline void mask_taps(const binary_sum& sums, std::byte* row) {
  if (sums.channels % 8 == 0) return;
  const std::size_t tap_bytes = bytes_of_bits(sums.channels);
  for (std::size_t tap = 1; tap <= sums.taps; ++tap) row[tap * tap_bytes - 1] &= last_byte_mask(sums.channels);
}

/// An output's place, which goes through images row by row.
struct output_place {
  std::size_t image;
  std::size_t y;
  std::size_t x;

  constexpr void advance(std::size_t height, std::size_t width) {
    if (++x < width) return;
    x = 0;
    if (++y < height) return;
    y = 0, ++image;
  }
};

/// Rows [first, last) of the outputs, counted through all images; a block of pixels at a time, over rows' ends.
template <class Tile, binary_output Output>
void tiled_binary_convolution(const binary_convolution_arguments<Output>& call, std::size_t first, std::size_t last,
                              binary_store_function store) {
  const binary_sum& sums = call.constants.sums;
  const auto& [vertical, horizontal] = call.constants.window;
  const binary_runner<Tile> runner(sums, call.packed, horizontal.kernel, store);
  const binary_operands<Tile> operands(sums, call.workspace);
  const std::size_t most = binary_operands<Tile>::block_rows_of(sums);
  const std::size_t height = vertical.output(), width = horizontal.output();
  const std::size_t image_bytes = vertical.input * horizontal.input * bytes_of_bits(sums.channels);
  std::array<const std::byte*, block_rows> rows;
  std::array<std::byte*, block_rows> outputs;
  std::array<inner_taps, block_rows> inside;
  output_place place{first / std::max<std::size_t>(1, height), first % std::max<std::size_t>(1, height), 0};
  for (std::size_t pixel = first * width; pixel < last * width; pixel += most) {
    const std::size_t count = std::min(most, last * width - pixel);
    for (std::size_t i = 0; i < count; ++i) {
      const auto [image, y, x] = place;
      inside[i] = {vertical.taps_inside(y), horizontal.taps_inside(x)};
      gather_bits(call.constants, call.activations + image * image_bytes, y, x, inside[i], operands.row(i));
      mask_taps(sums, operands.row(i));
      rows[i] = operands.finish(i);
      outputs[i] = reinterpret_cast<std::byte*>(call.outputs + (pixel + i) * stored_outputs<Output>(sums.outputs));
      place.advance(height, width);
    }
    runner.run({.count = count,
                .rows = rows.data(),
                .outputs = outputs.data(),
                .row_scales = call.pixel_scales == nullptr ? nullptr : call.pixel_scales + pixel,
                .inside = inside.data()});
  }
}

template <class Tile, binary_output Output, binary_store_function Store>
void run_tiled_binary_convolution(const binary_convolution_arguments<Output>& call, std::size_t first,
                                  std::size_t last) noexcept {
  tiled_binary_convolution<Tile>(call, first, last, Store);
}

}  // namespace bitwright::kernels
