// SPDX-License-Identifier: MIT
/// \file
/// The tile of 256-bit vectors: 8 columns each, for any way of multiplying them, and AVX2's own two ways.
///
/// AVX2 has no exact product of bytes that adds up: vpmaddubsw saturates its sums of two at 16 bits. So in general
/// operands are 16-bit words, which vpmaddwd multiplies and adds exactly. Where weights are such that no sum of two can
/// saturate, bytes serve, with half the memory and fewer instructions; tile_kind.hpp says which it is.
#pragma once

#include <bitwright/kernels/avx2/levels.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitwright::kernels::avx2 {

/// What products of bytes have in common. Operands are unsigned: a signed activation has 128 added, which flips its sign
/// bit.
template <one_of<std::uint8_t, std::int8_t> Activation>
struct byte_operands {
  using operand = Activation;
  using weight = std::int8_t;
  static constexpr bool converts = false;
  static constexpr bool takes_indices = true;
  static constexpr std::int32_t activation_offset(std::int32_t) { return std::is_signed_v<Activation> ? -128 : 0; }
  static constexpr std::int32_t weight_offset(std::int32_t) { return 0; }

  /// Four codes whose operands are 0.
  static constexpr std::uint32_t zero_operands = std::is_signed_v<Activation> ? 0x80808080u : 0;

  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i operands(std::int32_t four_codes) {
    const __m256i codes = _mm256_set1_epi32(four_codes);
    return std::is_signed_v<Activation> ? _mm256_xor_si256(codes, _mm256_set1_epi8(-128)) : codes;
  }
};

/// vpmaddubsw, for weights of which no two that it adds saturate.
template <class Activation>
struct byte_products : byte_operands<Activation> {
  static constexpr std::size_t max_vectors = 2;
  static constexpr std::size_t short_sums = 2;
  static constexpr std::size_t short_sum(std::size_t k) { return k / 2 % 2; }
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 2 ? 4 : 8; }

  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i operands,
                                                                        __m256i weights) {
    const __m256i pairs = _mm256_maddubs_epi16(operands, weights);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

/// vpmaddwd of words: activations and weights with their zero points taken, 9 bits each, so that padding is 0.
template <one_of<std::uint8_t, std::int8_t> Activation>
struct word_products {
  using operand = std::int16_t;
  using weight = std::int16_t;
  static constexpr bool converts = true;
  static constexpr bool takes_indices = false;
  static constexpr std::size_t max_vectors = 2;
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 2 ? 6 : 8; }
  static constexpr std::uint32_t zero_operands = 0;
  static constexpr std::int32_t activation_offset(std::int32_t zero_point) { return zero_point; }
  static constexpr std::int32_t weight_offset(std::int32_t zero_point) { return zero_point; }

  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i operands(std::int32_t two_words) {
    return _mm256_set1_epi32(two_words);
  }
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i operands,
                                                                        __m256i weights) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(operands, weights));
  }
};

/// `Product` says what operands and weights are, and adds their products to sums.
template <class Activation, class Product>
struct tile : Product {
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t depth = 4 / sizeof(typename Product::weight);

  /// Codes less their zero point, as words.
  [[gnu::target("avx2")]] static void convert(const Activation* codes, std::size_t count, std::int32_t zero_point,
                                              std::int16_t* words) {
    const __m256i zero = _mm256_set1_epi16(static_cast<std::int16_t>(zero_point));
    std::size_t k = 0;
    for (; k + 16 <= count; k += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + k));
      const __m256i wide = std::is_signed_v<Activation> ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + k), _mm256_sub_epi16(wide, zero));
    }
    for (; k < count; ++k) words[k] = static_cast<std::int16_t>(codes[k] - zero_point);
  }

  /// Sums of Rows x Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  struct registers {
    __m256i of[Rows][Vectors];

    [[gnu::target("avx2"), gnu::always_inline]] void set(const std::int32_t* columns) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v)
          of[row][v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(columns + v * lanes));
    }

    [[gnu::target("avx2"), gnu::always_inline]] void set_zero() {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm256_setzero_si256();
    }

    [[gnu::target("avx2"), gnu::always_inline]] void add(const registers& other) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm256_add_epi32(of[row][v], other.of[row][v]);
    }

    [[gnu::target("avx2"), gnu::always_inline]] void write(std::int32_t* sums) const {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v)
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + (row * Vectors + v) * lanes), of[row][v]);
    }
  };

  /// Adds one step, of four bytes a row.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_step(registers<Rows, Vectors>& sums,
                                                                          const std::byte* const* operands,
                                                                          std::size_t k, const std::byte* weights) {
    __m256i panel[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v)
      panel[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + v * 32));
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      const __m256i step = Product::operands(load_step(operands[row] + k));
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) sums.of[row][v] = Product::add(sums.of[row][v], step, panel[v]);
    }
  }

  /// A tile with few sums begins further steps, with sums of their own, before its products are there.
  static constexpr std::size_t steps_in_flight(std::size_t sums) { return sums >= 8 ? 1 : sums >= 4 ? 2 : 4; }

  /// Adds a segment of `length` bytes a row.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_segment(registers<Rows, Vectors>* sums,
                                                                             const std::byte* const* rows,
                                                                             std::size_t offset, std::size_t length,
                                                                             const std::byte* weights) {
    constexpr std::size_t count = steps_in_flight(Rows * Vectors), step_bytes = Vectors * 32;
    const std::byte* from[Rows];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row] + offset;
    // The bytes that fill no step are a second round, of one step from a copy: the loops stand here once.
    std::int32_t tails[Rows];
    for (std::size_t tail = length % 4, steps = length / 4;; steps = 1, tail = 0) {
      std::size_t k = 0;
      for (; count > 1 && steps >= count; steps -= count, k += count * 4, weights += count * step_bytes)
#pragma GCC unroll 4
        for (std::size_t chain = 0; chain < count; ++chain)
          add_step<Rows, Vectors>(sums[chain], from, k + chain * 4, weights + chain * step_bytes);
      for (; steps > 0; --steps, k += 4, weights += step_bytes) add_step<Rows, Vectors>(sums[0], from, k, weights);
      if (tail == 0) return;
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        tails[row] = load_tail(from[row] + length, tail, length, Product::zero_operands);
        from[row] = reinterpret_cast<const std::byte*>(tails + row);
      }
    }
  }

  /// The sums of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2")]] static void accumulate(const tile_sums& task) {
    constexpr std::size_t count = steps_in_flight(Rows * Vectors);
    registers<Rows, Vectors> sums[count];
    sums[0].set(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 1; i < count; ++i) sums[i].set_zero();
    const segment_box box = task.box;
    // Words are converted, with room behind them: they have no tail.
    const std::size_t length = Product::converts ? divide_up(task.length, depth) * 4 : task.length;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t segment = i * box.width + box.first_column; segment < i * box.width + box.last_column; ++segment)
        add_segment<Rows, Vectors>(sums, task.rows + segment * task.segment_stride, task.offset, length,
                                   task.weights + segment * task.segment_bytes);
#pragma GCC unroll 4
    for (std::size_t i = 1; i < count; ++i) sums[0].add(sums[i]);
    sums[0].write(task.sums);
  }

  /// Adds the steps of one row that share their bytes, in two sets of sums by turns.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_indices(registers<1, Vectors>* sums,
                                                                             const std::byte* operands,
                                                                             const std::byte* indices,
                                                                             const level_shuffles<4 / Bits>& levels) {
    constexpr std::size_t each = 4 / Bits;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v)
#pragma GCC unroll 2
      for (std::size_t upper = 0; upper < 2; ++upper) {
        const __m256i halves = half_bytes(indices + v * 32, upper);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < each; ++i) {
          const std::size_t step = upper * each + i;
          __m256i& sum = sums[step % 2].of[0][v];
          sum = Product::add(sum, Product::operands(load_step(operands + step * 4)), levels.of(i, halves));
        }
      }
  }

  /// The sums of one row and Vectors vectors of indices.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("avx2")]] static void accumulate_indices(const tile_sums& task) {
    constexpr std::size_t joined = 32 / Bits;  // Operands of the steps that share their bytes.
    const auto levels = level_shuffles<4 / Bits>::from(task.header->tables);
    registers<1, Vectors> sums[2];
    sums[0].set(task.initial);
    sums[1].set_zero();
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        const std::byte* operands = task.rows[segment * task.segment_stride] + task.offset;
        const std::byte* indices = task.weights + segment * task.segment_bytes;
        std::size_t left = task.length;
        for (; left >= joined; left -= joined, operands += joined, indices += Vectors * 32)
          add_indices<Bits, Vectors>(sums, operands, indices, levels);
        if (left == 0) continue;
        const auto tail = joined_tail<joined>(operands, left, Product::zero_operands);
        add_indices<Bits, Vectors>(sums, tail.data(), indices, levels);
      }
    sums[0].add(sums[1]);
    sums[0].write(task.sums);
  }

  template <std::size_t Bits>
  static void unpack(const packed_segment& panel) {
    avx2::unpack<Bits>(panel);
  }
};

template <class Activation>
using byte_tile = tile<Activation, byte_products<Activation>>;
template <class Activation>
using word_tile = tile<Activation, word_products<Activation>>;

}  // namespace bitwright::kernels::avx2
