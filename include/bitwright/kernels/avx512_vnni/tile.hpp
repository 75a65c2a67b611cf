// SPDX-License-Identifier: MIT
/// \file
/// The tile of AVX512-VNNI: vpdpbusd adds four products of 8-bit activations and weights to each of 16 columns, exactly.
#pragma once

#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// Operands are unsigned: a signed activation has 128 added, which flips its sign bit.
template <one_of<std::uint8_t, std::int8_t> Activation>
struct tile {
  using operand = Activation;
  using weight = std::int8_t;
  static constexpr bool converts = false;
  static constexpr bool takes_indices = true;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t max_vectors = 4;

  /// So many sums, up to 24, that registers are left for a panel's step and a row's, and fewer loads than products.
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 4 ? 6 : 8; }
  static constexpr std::int32_t activation_offset(std::int32_t) { return std::is_signed_v<Activation> ? -128 : 0; }
  static constexpr std::int32_t weight_offset(std::int32_t) { return 0; }

  /// Four codes whose operands are 0.
  static constexpr std::uint32_t zero_operands = std::is_signed_v<Activation> ? 0x80808080u : 0;

  /// The next four operands of a row, in every column.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i broadcast(
      std::int32_t four_codes) {
    const __m512i codes = _mm512_set1_epi32(four_codes);
    if constexpr (std::is_signed_v<Activation>)
      return _mm512_xor_si512(codes, _mm512_set1_epi32(static_cast<int>(zero_operands)));
    return codes;
  }

  /// Sums of Rows x Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  struct registers {
    __m512i of[Rows][Vectors];

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void set(
        const std::int32_t* columns) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm512_loadu_si512(columns + v * lanes);
    }

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void set_zero() {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm512_setzero_si512();
    }

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void add(const registers& other) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm512_add_epi32(of[row][v], other.of[row][v]);
    }

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void write(
        std::int32_t* sums) const {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) _mm512_storeu_si512(sums + (row * Vectors + v) * lanes, of[row][v]);
    }
  };

  /// Adds one step, of four bytes a row.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void add_step(
      registers<Rows, Vectors>& sums, const std::byte* const* operands, std::size_t k, const std::byte* weights) {
    __m512i panel[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) panel[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      const __m512i step = broadcast(load_step(operands[row] + k));
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) sums.of[row][v] = _mm512_dpbusd_epi32(sums.of[row][v], step, panel[v]);
    }
  }

  /// A tile with few sums begins further steps, with sums of their own, before its products are there.
  static constexpr std::size_t steps_in_flight(std::size_t sums) { return sums >= 8 ? 1 : sums >= 4 ? 2 : 4; }

  /// Adds a segment of `length` bytes a row.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void add_segment(
      registers<Rows, Vectors>* sums, const std::byte* const* rows, std::size_t offset, std::size_t length,
      const std::byte* weights) {
    constexpr std::size_t count = steps_in_flight(Rows * Vectors), step_bytes = Vectors * 64;
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
        tails[row] = load_tail(from[row] + length, tail, length, zero_operands);
        from[row] = reinterpret_cast<const std::byte*>(tails + row);
      }
    }
  }

  /// The sums of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] static void accumulate(const tile_sums& task) {
    constexpr std::size_t count = steps_in_flight(Rows * Vectors);
    registers<Rows, Vectors> sums[count];
    sums[0].set(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 1; i < count; ++i) sums[i].set_zero();
    const segment_box box = task.box;
    const std::size_t length = task.length;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t segment = i * box.width + box.first_column; segment < i * box.width + box.last_column; ++segment)
        add_segment<Rows, Vectors>(sums, task.rows + segment * task.segment_stride, task.offset, length,
                                   task.weights + segment * task.segment_bytes);
#pragma GCC unroll 4
    for (std::size_t i = 1; i < count; ++i) sums[0].add(sums[i]);
    sums[0].write(task.sums);
  }

  /// Tables of all levels, each in every quarter of a vector.
  template <std::size_t Count>
  struct shuffles {
    __m512i of[Count];

    [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline shuffles from(
        const level_tables& tables) {
      shuffles all;
#pragma GCC unroll 4
      for (std::size_t i = 0; i < Count; ++i)
        all.of[i] = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(tables[i].data())));
      return all;
    }
  };

  /// The lower or the upper half of each byte.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline __m512i half_bytes(
      __m512i indices, std::size_t upper) {
    return _mm512_and_si512(upper ? _mm512_srli_epi16(indices, 4) : indices, _mm512_set1_epi8(15));
  }

  /// Adds the steps of one row that share their bytes, in two sets of sums by turns.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static inline void add_indices(
      registers<1, Vectors>* sums, const std::byte* operands, const std::byte* indices,
      const shuffles<4 / Bits>& tables) {
    constexpr std::size_t each = 4 / Bits;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      const __m512i packed = _mm512_load_si512(indices + v * 64);
#pragma GCC unroll 2
      for (std::size_t upper = 0; upper < 2; ++upper) {
        const __m512i halves = half_bytes(packed, upper);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < each; ++i) {
          const std::size_t step = upper * each + i;
          __m512i& sum = sums[step % 2].of[0][v];
          sum = _mm512_dpbusd_epi32(sum, broadcast(load_step(operands + step * 4)),
                                    _mm512_shuffle_epi8(tables.of[i], halves));
        }
      }
    }
  }

  /// The sums of one row and Vectors vectors of indices.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] static void accumulate_indices(const tile_sums& task) {
    constexpr std::size_t joined = 32 / Bits;  // Operands of the steps that share their bytes.
    const auto tables = shuffles<4 / Bits>::from(task.header->tables);
    registers<1, Vectors> sums[2];
    sums[0].set(task.initial);
    sums[1].set_zero();
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t segment = i * box.width + box.first_column; segment < i * box.width + box.last_column;
           ++segment) {
        const std::byte* operands = task.rows[segment * task.segment_stride] + task.offset;
        const std::byte* indices = task.weights + segment * task.segment_bytes;
        std::size_t left = task.length;
        for (; left >= joined; left -= joined, operands += joined, indices += Vectors * 64)
          add_indices<Bits, Vectors>(sums, operands, indices, tables);
        if (left == 0) continue;
        const auto tail = joined_tail<joined>(operands, left, zero_operands);
        add_indices<Bits, Vectors>(sums, tail.data(), indices, tables);
      }
    sums[0].add(sums[1]);
    sums[0].write(task.sums);
  }

  /// Writes the levels of a panel's indices as its steps.
  template <std::size_t Bits>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] static void unpack(const packed_segment& panel) {
    constexpr std::size_t each = 4 / Bits;
    const auto tables = shuffles<each>::from(*panel.tables);
    const std::size_t step_bytes = panel.width * 64;
    const std::byte* indices = panel.indices;
    std::byte* weights = panel.weights;
    for (std::size_t left = panel.vectors; left > 0; left -= panel.width, weights += 2 * each * step_bytes)
      for (std::size_t v = 0; v < panel.width; ++v, indices += 64) {
        const __m512i packed = _mm512_load_si512(indices);
#pragma GCC unroll 2
        for (std::size_t upper = 0; upper < 2; ++upper) {
          const __m512i halves = half_bytes(packed, upper);
#pragma GCC unroll 4
          for (std::size_t i = 0; i < each; ++i)
            _mm512_store_si512(weights + (upper * each + i) * step_bytes + v * 64,
                               _mm512_shuffle_epi8(tables.of[i], halves));
        }
      }
  }
};

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
