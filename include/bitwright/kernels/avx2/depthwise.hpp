// SPDX-License-Identifier: MIT
/// \file
/// Depthwise convolution, 16 channels at a time. A line holds the taps of a column in pairs, 16 bits each, which
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
#include <utility>

namespace bitwright::kernels::avx2 {

/// The constants of 16 channels. Their weights follow: kernel width x pairs of rows x 16 x 2, of 16 bits.
struct alignas(32) depthwise_unit {
  static constexpr std::size_t channels = 16;
  static constexpr std::size_t pair_bytes = 64;

  std::int32_t biases[channels];
  std::int32_t multipliers[channels];
  std::int32_t shifts[channels];
  depthwise_rounding rounding;  ///< The least simple of its channels.

  std::int16_t* weights() { return reinterpret_cast<std::int16_t*>(this + 1); }
  const std::int16_t* weights() const { return reinterpret_cast<const std::int16_t*>(this + 1); }

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

/// The weights of a unit's channels, from `first` on.
inline void pack_weights(const convolution_constants& constants, std::size_t first, std::int16_t* weight) {
  for (std::size_t column = 0; column < constants.window.horizontal.kernel; ++column)
    for (std::size_t row = 0; row < constants.window.vertical.kernel; row += 2)
      for (std::size_t channel = first; channel < first + depthwise_unit::channels; ++channel)
        for (std::size_t tap = row; tap < row + 2; ++tap)
          *weight++ = static_cast<std::int16_t>(depthwise_weight(constants, channel, tap, column));
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
    pack_weights(constants, first, unit.weights());
  }
}

/// 8 pairs of codes, in 16 bits.
template <class Activation>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i widened(__m128i pairs) {
  return std::same_as<Activation, std::uint8_t> ? _mm256_cvtepu8_epi16(pairs) : _mm256_cvtepi8_epi16(pairs);
}

/// Writes one pair of rows into `columns` columns of a line.
template <class Activation>
[[gnu::target("avx2")]] inline void fill_line(depthwise_row<Activation> first, depthwise_row<Activation> second,
                                              std::size_t columns, std::byte* line, std::size_t column_bytes) {
  for (; columns > 0; --columns, line += column_bytes) {
    const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first.codes));
    const __m128i lower = _mm_loadu_si128(reinterpret_cast<const __m128i*>(second.codes));
    auto* const pairs = reinterpret_cast<__m256i*>(line);
    _mm256_store_si256(pairs, widened<Activation>(_mm_unpacklo_epi8(upper, lower)));
    _mm256_store_si256(pairs + 1, widened<Activation>(_mm_unpackhi_epi8(upper, lower)));
    first.codes += first.stride, second.codes += second.stride;
  }
}

/// Writes the columns outside the image into the line that `parts` belongs to: the zero point, for any channels.
template <class Activation>
void fill_outside(const convolution_constants& constants, const line_parts& parts, const Activation* zeros,
                  std::byte* line) {
  const std::size_t bytes = depthwise_unit::column_bytes(constants);
  const depthwise_row<Activation> outside{zeros, 0};
  for (std::size_t tap = 0; tap < constants.window.vertical.kernel; tap += 2, line += depthwise_unit::pair_bytes) {
    fill_line(outside, outside, parts.left, line, bytes);
    fill_line(outside, outside, parts.right, line + (parts.left + parts.inside) * bytes, bytes);
  }
}

/// Writes the columns inside, of 16 channels from `channel` on.
template <class Activation>
void fill_inside(const depthwise_rows<Activation>& rows, std::size_t channel, const line_parts& parts,
                 const Activation* zeros, std::byte* line) {
  const std::size_t bytes = depthwise_unit::column_bytes(rows.constants);
  line += parts.left * bytes;
  for (std::size_t tap = 0; tap < rows.constants.window.vertical.kernel; tap += 2, line += depthwise_unit::pair_bytes)
    fill_line(rows.find(tap, parts.first_pixel, channel, zeros), rows.find(tap + 1, parts.first_pixel, channel, zeros),
              parts.inside, line, bytes);
}

/// Outputs side by side, of a unit's channels, from one line.
template <class Output>
struct depthwise_outputs {
  const depthwise_unit& unit;
  depthwise_windows windows;
  Output* codes;         ///< Of the first output.
  std::size_t channels;  ///< From one output to the next.
  std::size_t count;
};

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i load(const void* lanes) {
  return _mm256_load_si256(static_cast<const __m256i*>(lanes));
}

/// Sums of 2 windows, each in two registers.
struct depthwise_sums {
  __m256i first[2];
  __m256i second[2];

  /// Adds one pair of taps of the window whose codes these are, and of the one `next` bytes further.
  [[gnu::target("avx2"), gnu::always_inline]] void add(const std::byte* codes, std::size_t next,
                                                       const std::int16_t* weights) {
    const __m256i low = load(weights), high = load(weights + 16);
    add_products(first[0], codes, low);
    add_products(first[1], codes + 32, high);
    add_products(second[0], codes + next, low);
    add_products(second[1], codes + next + 32, high);
  }

 private:
  [[gnu::target("avx2"), gnu::always_inline]] static void add_products(__m256i& sums, const std::byte* codes,
                                                                       __m256i weights) {
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(load(codes), weights));
    // Left to itself g++ makes all products first, more than there are registers, and adds them as a tree.
    asm("" : "+x"(sums));
  }
};

/// Windows of any taps.
struct any_taps {
  template <class Output>
  [[gnu::target("avx2"), gnu::always_inline]] static void add_to(depthwise_sums& sums,
                                                                 const depthwise_outputs<Output>& line,
                                                                 const std::byte* codes, std::size_t next) {
    const std::int16_t* weights = line.unit.weights();
    for (std::size_t run = 0; run < line.windows.runs; ++run)
      for (std::size_t tap = 0; tap < line.windows.taps; ++tap, weights += 32)
        sums.add(codes + run * line.windows.run_bytes + tap * depthwise_unit::pair_bytes, next, weights);
  }
};

/// Windows whose taps lie beside each other, as many pairs as there are indices.
template <std::size_t... Taps>
struct dense_taps {
  static constexpr std::size_t count = sizeof...(Taps);

  constexpr explicit dense_taps(std::index_sequence<Taps...>) {}

  template <class Output>
  [[gnu::target("avx2"), gnu::always_inline]] static void add_to(depthwise_sums& sums,
                                                                 const depthwise_outputs<Output>& line,
                                                                 const std::byte* codes, std::size_t next) {
    (sums.add(codes + Taps * depthwise_unit::pair_bytes, next, line.unit.weights() + Taps * 32), ...);
  }
};

/// To 8-bit codes, where rounding goes up at ties or meets none.
template <class Taps, class Output>
[[gnu::target("avx2")]] inline void convolve_simply(const depthwise_outputs<Output> line, std::int32_t zero_point,
                                                    code_range allowed) {
  const depthwise_unit& unit = line.unit;
  const auto low = quarter_factors::of(load(unit.multipliers), load(unit.shifts));
  const auto high = quarter_factors::of(load(unit.multipliers + 8), load(unit.shifts + 8));
  const auto window = byte_lanes<Output>::of(zero_point, allowed);
  const __m256i low_bias = load(unit.biases), high_bias = load(unit.biases + 8);
  for (std::size_t x = 0; x < line.count; x += 2) {
    const std::size_t second = x + 1 < line.count ? 1 : 0;  // The last twice, if one is left.
    depthwise_sums sums{{low_bias, high_bias}, {low_bias, high_bias}};
    Taps::add_to(sums, line, line.windows.first + x * line.windows.window_bytes, second * line.windows.window_bytes);
    const __m256i codes = window.codes(low.requantize(sums.first[0]), high.requantize(sums.first[1]),
                                       low.requantize(sums.second[0]), high.requantize(sums.second[1]));
    Output* const outputs = line.codes + x * line.channels;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(outputs), _mm256_castsi256_si128(codes));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(outputs + second * line.channels), _mm256_extracti128_si256(codes, 1));
  }
}

/// To any codes, by any rounding.
template <class Output, integer_rounding Rounding>
[[gnu::target("avx2")]] inline void convolve_generally(const depthwise_outputs<Output> line, code_window window) {
  const depthwise_unit& unit = line.unit;
  const __m256i low_bias = load(unit.biases), high_bias = load(unit.biases + 8);
  for (std::size_t x = 0; x < line.count; x += 2) {
    const std::size_t second = x + 1 < line.count ? 1 : 0;
    depthwise_sums sums{{low_bias, high_bias}, {low_bias, high_bias}};
    any_taps::add_to(sums, line, line.windows.first + x * line.windows.window_bytes,
                     second * line.windows.window_bytes);
    Output* const outputs = line.codes + x * line.channels;
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i multipliers = load(unit.multipliers + 8 * half), shifts = load(unit.shifts + 8 * half);
      const __m256i first = requantize<Rounding>(sums.first[half], multipliers, shifts);
      const __m256i next = requantize<Rounding>(sums.second[half], multipliers, shifts);
      store_codes(codes_of(first, window), outputs + 8 * half, 8);
      store_codes(codes_of(next, window), outputs + second * line.channels + 8 * half, 8);
    }
  }
}

/// To 8-bit codes as above, with code of its own for windows of 3 x 3 and of 5 x 5.
template <class Output>
void convolve_bytes(const weighted_sum& sums, const depthwise_outputs<Output>& line) {
  using three = decltype(dense_taps(std::make_index_sequence<3 * 2>()));
  using five = decltype(dense_taps(std::make_index_sequence<5 * 3>()));
  const bool dense = line.windows.runs == 1;
  if (dense && line.windows.taps == three::count)
    convolve_simply<three>(line, sums.output_zero_point, sums.output_codes);
  else if (dense && line.windows.taps == five::count)
    convolve_simply<five>(line, sums.output_zero_point, sums.output_codes);
  else
    convolve_simply<any_taps>(line, sums.output_zero_point, sums.output_codes);
}

/// Outputs side by side from one line, by the simplest code that rounds as `Rounding` does.
template <class Output, integer_rounding Rounding>
void convolve_line(const weighted_sum& sums, const depthwise_outputs<Output>& line) {
  if constexpr (sizeof(Output) == 1 && to_nearest<Rounding>)
    if (rounds_simply<Rounding>(line.unit.rounding) && suits_byte_lanes(sums.output_zero_point))
      return convolve_bytes(sums, line);
  convolve_generally<Output, Rounding>(line, code_window::of(sums.output_zero_point, sums.output_codes));
}

/// Rows [first, last) of the outputs, counted through all images, of a convolution that suits_depthwise.
template <class Activation, class Output, integer_rounding Rounding>
void depthwise(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const convolution_constants& constants = call.constants;
  const window_axis& across = constants.window.horizontal;
  const std::size_t channels = constants.groups, width = across.output(), units = depthwise_unit::units(constants);
  const std::size_t column_bytes = depthwise_unit::column_bytes(constants), step = line_outputs(across, column_bytes);
  std::byte* const line = aligned(call.workspace, alignof(depthwise_unit));
  const auto windows = depthwise_windows::of(constants, line, column_bytes, depthwise_unit::pair_bytes);
  Activation zeros[depthwise_unit::channels];
  std::fill_n(zeros, depthwise_unit::channels, static_cast<Activation>(constants.sums.activation_zero_point));
  for (std::size_t row = first; row < last; ++row) {
    const auto rows = depthwise_rows<Activation>::of(constants, call.activations, row);
    for (std::size_t i = 0; i < units; ++i) {
      const std::size_t channel = depthwise_unit::first_channel(constants, i);
      const auto& unit = *reinterpret_cast<const depthwise_unit*>(call.packed + i * depthwise_unit::bytes(constants));
      for (std::size_t x = 0; x < width; x += step) {
        const std::size_t count = std::min(step, width - x);
        const auto parts = line_parts::of(across, x, count);
        // Where one line holds a whole row, what lies outside stays in it.
        if (step < width || (row == first && i == 0)) fill_outside(constants, parts, zeros, line);
        fill_inside(rows, channel, parts, zeros, line);
        convolve_line<Output, Rounding>(
            constants.sums, {unit, windows, call.outputs + (row * width + x) * channels + channel, channels, count});
      }
    }
  }
}

/// As kernels/one_tile_convolution.hpp takes them.
struct depthwise_functions {
  static constexpr auto packed_bytes = depthwise_packed_bytes;
  static constexpr auto pack = depthwise_pack;
  static constexpr auto workspace_bytes = depthwise_workspace_bytes;
  template <class Activation, class Output, integer_rounding Rounding>
  static constexpr auto run = depthwise<Activation, Output, Rounding>;
};

}  // namespace bitwright::kernels::avx2
