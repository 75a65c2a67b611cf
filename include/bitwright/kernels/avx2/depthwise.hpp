// SPDX-License-Identifier: MIT
/// \file
/// Depthwise convolution, 8 channels at a time. A line holds the taps of a column in pairs, 16 bits each, which
/// vpmaddwd multiplies by their weights and adds: exact, as codes and weights less their zero points need 9 bits.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>

#include <immintrin.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// The constants of 8 channels. Their weights follow: kernel width x pairs of rows x 8 x 2, of 16 bits.
struct alignas(32) depthwise_unit {
  static constexpr std::size_t channels = 8;
  static constexpr std::size_t pair_bytes = 32;

  std::int32_t biases[channels];
  std::int32_t multipliers[channels];
  std::int32_t shifts[channels];
  depthwise_rounding rounding;  ///< The least simple of its channels.

  const std::int16_t* weights() const { return reinterpret_cast<const std::int16_t*>(this + 1); }
  std::int16_t* weights() { return reinterpret_cast<std::int16_t*>(this + 1); }

  static std::size_t units(const convolution_constants& constants) {
    return (constants.groups + channels - 1) / channels;
  }
  /// The last unit begins earlier than its number says, so that no unit has fewer channels.
  static std::size_t first_channel(const convolution_constants& constants, std::size_t unit) {
    return std::min(unit * channels, constants.groups - channels);
  }
  static std::size_t column_bytes(const convolution_constants& constants) {
    return (constants.window.vertical.kernel + 1) / 2 * pair_bytes;
  }
  static std::size_t bytes(const convolution_constants& constants) {
    return sizeof(depthwise_unit) + constants.window.horizontal.kernel * column_bytes(constants);
  }
};

inline std::size_t depthwise_packed_bytes(const convolution_constants& constants) {
  return depthwise_unit::units(constants) * depthwise_unit::bytes(constants);
}

/// One line, and what its alignment may take.
inline std::size_t depthwise_workspace_bytes(const convolution_constants& constants) {
  const window_axis& across = constants.window.horizontal;
  const std::size_t column = depthwise_unit::column_bytes(constants);
  return line_columns(across, line_outputs(across, column)) * column + alignof(depthwise_unit);
}

inline void depthwise_pack(const convolution_constants& constants, std::byte* packed) {
  for (std::size_t i = 0; i < depthwise_unit::units(constants); ++i) {
    auto& unit = *reinterpret_cast<depthwise_unit*>(packed + i * depthwise_unit::bytes(constants));
    const std::size_t first = depthwise_unit::first_channel(constants, i);
    unit.rounding = depthwise_rounding::without_ties;
    for (std::size_t c = 0; c < depthwise_unit::channels; ++c) {
      const auto channel = depthwise_channel::of(constants, first + c, constants.sums.activation_zero_point);
      unit.biases[c] = channel.folded_bias;
      unit.multipliers[c] = channel.factor.multiplier;
      unit.shifts[c] = channel.factor.shift;
      unit.rounding = std::min(unit.rounding, channel.rounding);
    }
    std::int16_t* weight = unit.weights();
    for (std::size_t column = 0; column < constants.window.horizontal.kernel; ++column)
      for (std::size_t row = 0; row < constants.window.vertical.kernel; row += 2)
        for (std::size_t c = 0; c < depthwise_unit::channels; ++c)
          for (std::size_t tap = row; tap < row + 2; ++tap)
            *weight++ = static_cast<std::int16_t>(depthwise_weight(constants, first + c, tap, column));
  }
}

/// 8 channels of both rows, interleaved, in 16 bits.
template <class Activation>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i interleave(const Activation* first,
                                                                      const Activation* second) {
  const __m128i pairs = _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(first)),
                                          _mm_loadl_epi64(reinterpret_cast<const __m128i*>(second)));
  return std::same_as<Activation, std::uint8_t> ? _mm256_cvtepu8_epi16(pairs) : _mm256_cvtepi8_epi16(pairs);
}

/// Writes one pair of rows into `columns` columns of a line.
template <class Activation>
[[gnu::target("avx2")]] inline void fill_line(depthwise_row<Activation> first, depthwise_row<Activation> second,
                                              std::size_t columns, std::byte* line, std::size_t column_bytes) {
  for (std::size_t x = 0; x < columns; ++x, line += column_bytes)
    _mm256_store_si256(reinterpret_cast<__m256i*>(line), interleave(first.column(x), second.column(x)));
}

/// Writes the line under the outputs of row y that `parts` belongs to, for 8 channels from where `image` begins.
template <class Activation>
void make_line(const convolution_constants& constants, const Activation* image, std::size_t y, const line_parts& parts,
               std::byte* line) {
  Activation zeros[depthwise_unit::channels];
  std::fill_n(zeros, depthwise_unit::channels, static_cast<Activation>(constants.sums.activation_zero_point));
  const std::size_t bytes = depthwise_unit::column_bytes(constants);
  const depthwise_row<Activation> outside{zeros, 0};
  for (std::size_t tap = 0; tap < constants.window.vertical.kernel; tap += 2, line += depthwise_unit::pair_bytes) {
    fill_line(outside, outside, parts.left, line, bytes);
    fill_line(find_row(constants, image, y, tap, parts.first_pixel, zeros),
              find_row(constants, image, y, tap + 1, parts.first_pixel, zeros), parts.inside, line + parts.left * bytes,
              bytes);
    fill_line(outside, outside, parts.right, line + (parts.left + parts.inside) * bytes, bytes);
  }
}

/// Sums of 4 pixels.
struct depthwise_sums {
  __m256i pixels[4];
};

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i add_products(__m256i sums, const std::byte* codes,
                                                                        __m256i weights) {
  const __m256i pairs = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, weights));
}

/// The sums of the windows that lie at these distances from the first.
[[gnu::target("avx2"), gnu::always_inline]] inline depthwise_sums sum_windows(const depthwise_unit& unit,
                                                                              const depthwise_windows& windows,
                                                                              const std::size_t (&distances)[4]) {
  const __m256i biases = _mm256_load_si256(reinterpret_cast<const __m256i*>(unit.biases));
  __m256i a = biases, b = biases, c = biases, d = biases;
  const auto* weights = reinterpret_cast<const __m256i*>(unit.weights());
  for (std::size_t run = 0; run < windows.runs; ++run)
    for (std::size_t tap = 0; tap < windows.taps; ++tap, ++weights) {
      const std::byte* const line = windows.first + run * windows.run_bytes + tap * depthwise_unit::pair_bytes;
      const __m256i weight = _mm256_load_si256(weights);
      a = add_products(a, line + distances[0], weight);
      b = add_products(b, line + distances[1], weight);
      c = add_products(c, line + distances[2], weight);
      d = add_products(d, line + distances[3], weight);
    }
  return {{a, b, c, d}};
}

/// Outputs side by side, of 8 channels, from one line.
template <class Output>
struct depthwise_outputs {
  const depthwise_unit& unit;
  depthwise_windows windows;
  Output* codes;         ///< Of the first output.
  std::size_t channels;  ///< From one output to the next.
  std::size_t count;

  /// Output x, or the last: so that a group of 4 need not ask how many it has.
  std::size_t clamped(std::size_t x) const { return std::min(x, count - 1); }

  [[gnu::target("avx2"), gnu::always_inline]] depthwise_sums sums(std::size_t x) const {
    const std::size_t distances[] = {clamped(x) * windows.window_bytes, clamped(x + 1) * windows.window_bytes,
                                     clamped(x + 2) * windows.window_bytes, clamped(x + 3) * windows.window_bytes};
    return sum_windows(unit, windows, distances);
  }
};

/// To 8-bit codes, where rounding goes up at ties or meets none.
template <class Output>
[[gnu::target("avx2")]] inline void convolve_simply(const depthwise_outputs<Output>& line, std::int32_t zero_point,
                                                    code_range allowed) {
  const auto window = byte_lanes<Output>::of(zero_point, allowed);
  const auto factors = quarter_factors::of(_mm256_load_si256(reinterpret_cast<const __m256i*>(line.unit.multipliers)),
                                           _mm256_load_si256(reinterpret_cast<const __m256i*>(line.unit.shifts)));
  for (std::size_t x = 0; x < line.count; x += 4) {
    const depthwise_sums sums = line.sums(x);
    const __m256i codes = window.codes(factors.requantize(sums.pixels[0]), factors.requantize(sums.pixels[1]),
                                       factors.requantize(sums.pixels[2]), factors.requantize(sums.pixels[3]));
    const __m128i first = _mm256_castsi256_si128(codes), last = _mm256_extracti128_si256(codes, 1);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(line.codes + line.clamped(x) * line.channels), first);
    _mm_storeh_pd(reinterpret_cast<double*>(line.codes + line.clamped(x + 1) * line.channels), _mm_castsi128_pd(first));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(line.codes + line.clamped(x + 2) * line.channels), last);
    _mm_storeh_pd(reinterpret_cast<double*>(line.codes + line.clamped(x + 3) * line.channels), _mm_castsi128_pd(last));
  }
}

/// To any codes, by any rounding.
template <class Output, integer_rounding Rounding>
[[gnu::target("avx2")]] inline void convolve_generally(const depthwise_outputs<Output>& line, code_window window) {
  const __m256i multipliers = _mm256_load_si256(reinterpret_cast<const __m256i*>(line.unit.multipliers));
  const __m256i shifts = _mm256_load_si256(reinterpret_cast<const __m256i*>(line.unit.shifts));
  for (std::size_t x = 0; x < line.count; x += 4) {
    const depthwise_sums sums = line.sums(x);
    for (std::size_t i = 0; i < 4; ++i) {
      const __m256i rounded = requantize<Rounding>(sums.pixels[i], multipliers, shifts);
      store_codes(codes_of(rounded, window), line.codes + line.clamped(x + i) * line.channels, 8);
    }
  }
}

/// Outputs side by side from one line, by the simplest code that rounds as `Rounding` does.
template <class Output, integer_rounding Rounding>
void convolve_line(const weighted_sum& sums, const depthwise_outputs<Output>& line) {
  if constexpr (sizeof(Output) == 1 && to_nearest<Rounding>)
    if (rounds_simply<Rounding>(line.unit.rounding) && suits_byte_lanes(sums.output_zero_point))
      return convolve_simply(line, sums.output_zero_point, sums.output_codes);
  convolve_generally<Output, Rounding>(line, code_window::of(sums.output_zero_point, sums.output_codes));
}

/// Rows [first, last) of the outputs, counted through all images, of a convolution that suits_depthwise.
template <class Activation, class Output, integer_rounding Rounding>
void depthwise(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const convolution_constants& constants = call.constants;
  const auto& [vertical, horizontal] = constants.window;
  const std::size_t channels = constants.groups, height = vertical.output(), width = horizontal.output();
  const std::size_t column_bytes = depthwise_unit::column_bytes(constants);
  const std::size_t step = line_outputs(horizontal, column_bytes);
  std::byte* const line = aligned(call.workspace, alignof(depthwise_unit));
  const auto windows = depthwise_windows::of(constants, line, column_bytes, depthwise_unit::pair_bytes);
  for (std::size_t row = first; row < last; ++row) {
    const Activation* image = call.activations + row / height * vertical.input * horizontal.input * channels;
    for (std::size_t i = 0; i < depthwise_unit::units(constants); ++i) {
      const std::size_t channel = depthwise_unit::first_channel(constants, i);
      const auto& unit = *reinterpret_cast<const depthwise_unit*>(call.packed + i * depthwise_unit::bytes(constants));
      for (std::size_t x = 0; x < width; x += step) {
        const std::size_t count = std::min(step, width - x);
        make_line(constants, image + channel, row % height, line_parts::of(horizontal, x, count), line);
        convolve_line<Output, Rounding>(
            constants.sums, {unit, windows, call.outputs + (row * width + x) * channels + channel, channels, count});
      }
    }
  }
}

}  // namespace bitwright::kernels::avx2
