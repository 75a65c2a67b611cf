// SPDX-License-Identifier: MIT
/// \file
/// Transposition of bytes, 16 rows x 32 columns at a time. Interleaving the bytes of rows i and i + 8 of 16, four times
/// over, transposes 16 x 16: each time every byte's 8-bit address, row and column, turns left by one bit.
#pragma once

#include <bitwright/kernels/transpose_arguments.hpp>

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace bitwright::kernels::avx2 {

/// 16 rows of 16 bytes, twice: in the lower and in the upper half of each register.
struct bytes_to_transpose {
  __m256i rows[16];

  /// Rows i and i + 8 of all interleaved.
  template <std::size_t... Rows>
  [[gnu::target("avx2"), gnu::always_inline]] bytes_to_transpose interleaved(std::index_sequence<Rows...>) const {
    bytes_to_transpose next;
    ((next.rows[2 * Rows] = _mm256_unpacklo_epi8(rows[Rows], rows[Rows + 8]),
      next.rows[2 * Rows + 1] = _mm256_unpackhi_epi8(rows[Rows], rows[Rows + 8])),
     ...);
    return next;
  }

  [[gnu::target("avx2"), gnu::always_inline]] bytes_to_transpose transposed() const {
    constexpr auto half = std::make_index_sequence<8>();
    return interleaved(half).interleaved(half).interleaved(half).interleaved(half);
  }
};

/// 16 rows of 32 bytes, `stride` apart, to 32 rows of 16.
[[gnu::target("avx2")]] inline void transpose_wide_tile(const std::uint8_t* codes, std::size_t stride,
                                                        std::uint8_t* outputs, std::size_t output_stride) {
  bytes_to_transpose tile;
  for (std::size_t i = 0; i < 16; ++i)
    tile.rows[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i * stride));
  tile = tile.transposed();
  for (std::size_t i = 0; i < 16; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(outputs + i * output_stride), _mm256_castsi256_si128(tile.rows[i]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(outputs + (i + 16) * output_stride),
                     _mm256_extracti128_si256(tile.rows[i], 1));
  }
}

/// 16 rows of 16 bytes to as many.
[[gnu::target("avx2")]] inline void transpose_tile(const std::uint8_t* codes, std::size_t stride, std::uint8_t* outputs,
                                                   std::size_t output_stride) {
  bytes_to_transpose tile;
  for (std::size_t i = 0; i < 16; ++i)
    tile.rows[i] = _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i * stride)));
  tile = tile.transposed();
  for (std::size_t i = 0; i < 16; ++i)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(outputs + i * output_stride), _mm256_castsi256_si128(tile.rows[i]));
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
  const std::size_t whole_rows = rows / 16 * 16;
  std::size_t j = 0;
  for (; j + 32 <= columns; j += 32)
    for (std::size_t i = 0; i < whole_rows; i += 16)
      transpose_wide_tile(codes + i * stride + j, stride, outputs + j * rows + i, rows);
  for (; j + 16 <= columns; j += 16)
    for (std::size_t i = 0; i < whole_rows; i += 16)
      transpose_tile(codes + i * stride + j, stride, outputs + j * rows + i, rows);
  transpose_edge(codes + j, stride, outputs + j * rows, rows, whole_rows, columns - j);
  transpose_edge(codes + whole_rows * stride, stride, outputs + whole_rows, rows, rows - whole_rows, columns);
}

/// Rows [first, last) of the outputs, counted through all matrices.
template <class Code>
void transpose(const transpose_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  const auto* codes = reinterpret_cast<const std::uint8_t*>(call.codes);
  auto* const outputs = reinterpret_cast<std::uint8_t*>(call.outputs);
  while (first < last) {
    const std::size_t column = first % call.columns, count = std::min(last - first, call.columns - column);
    transpose_columns(codes + first / call.columns * call.rows * call.columns + column, call.columns,
                      outputs + first * call.rows, call.rows, count);
    first += count;
  }
}

}  // namespace bitwright::kernels::avx2
