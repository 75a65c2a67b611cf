// SPDX-License-Identifier: MIT
/// \file
/// Transposition of bytes on 64-bit Arm, 16 x 16 at a time. Interleaving the bytes of rows i and i + 8 of 16, four
/// times over, transposes them: each time every byte's 8-bit address, row and column, turns left by one bit.
#pragma once

#include <bitwright/kernels/transpose_arguments.hpp>

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace bitwright::kernels::neon {

/// 16 rows of 16 bytes.
struct byte_tile {
  uint8x16_t rows[16];

  /// Rows i and i + 8 of all interleaved.
  template <std::size_t... Rows>
  [[gnu::always_inline]] byte_tile interleaved(std::index_sequence<Rows...>) const {
    byte_tile next;
    ((next.rows[2 * Rows] = vzip1q_u8(rows[Rows], rows[Rows + 8]),
      next.rows[2 * Rows + 1] = vzip2q_u8(rows[Rows], rows[Rows + 8])),
     ...);
    return next;
  }

  [[gnu::always_inline]] byte_tile transposed() const {
    constexpr auto half = std::make_index_sequence<8>();
    return interleaved(half).interleaved(half).interleaved(half).interleaved(half);
  }
};

/// 16 rows of 16 bytes, `stride` apart, to as many.
inline void transpose_tile(const std::uint8_t* codes, std::size_t stride, std::uint8_t* outputs,
                           std::size_t output_stride) {
  byte_tile tile;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) tile.rows[i] = vld1q_u8(codes + i * stride);
  tile = tile.transposed();
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) vst1q_u8(outputs + i * output_stride, tile.rows[i]);
}

/// rows x columns bytes that no tile holds.
inline void transpose_edge(const std::uint8_t* codes, std::size_t stride, std::uint8_t* outputs,
                           std::size_t output_stride, std::size_t rows, std::size_t columns) {
  for (std::size_t j = 0; j < columns; ++j)
    for (std::size_t i = 0; i < rows; ++i) outputs[j * output_stride + i] = codes[i * stride + j];
}

/// `columns` columns of one matrix of `rows` rows, which are rows of the output.
inline void transpose_columns(const std::uint8_t* codes, std::size_t stride, std::uint8_t* outputs, std::size_t rows,
                              std::size_t columns) {
  const std::size_t whole_rows = rows / 16 * 16, whole_columns = columns / 16 * 16;
  for (std::size_t j = 0; j < whole_columns; j += 16)
    for (std::size_t i = 0; i < whole_rows; i += 16)
      transpose_tile(codes + i * stride + j, stride, outputs + j * rows + i, rows);
  transpose_edge(codes + whole_columns, stride, outputs + whole_columns * rows, rows, whole_rows,
                 columns - whole_columns);
  transpose_edge(codes + whole_rows * stride, stride, outputs + whole_rows, rows, rows - whole_rows, columns);
}

/// Rows [first, last) of the outputs, counted through all matrices.
template <class Code>
void transpose(const transpose_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  const auto* const codes = reinterpret_cast<const std::uint8_t*>(call.codes);
  auto* const outputs = reinterpret_cast<std::uint8_t*>(call.outputs);
  while (first < last) {
    const std::size_t column = first % call.columns, count = std::min(last - first, call.columns - column);
    transpose_columns(codes + first / call.columns * call.rows * call.columns + column, call.columns,
                      outputs + first * call.rows, call.rows, count);
    first += count;
  }
}

}  // namespace bitwright::kernels::neon
