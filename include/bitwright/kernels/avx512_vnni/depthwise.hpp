// SPDX-License-Identifier: MIT
/// \file
/// Depthwise convolution, 32 channels at a time. A line holds the taps of a column in fours, which vpdpbusd multiplies
/// by their weights and adds. It takes unsigned codes, so signed ones are moved up by 128, and 8-bit weights: where a
/// zero point makes them wider, the path of avx2 runs.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/depthwise.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// The constants of 32 channels, in the order in which interleaving leaves them. Their weights follow: kernel width x
/// fours of rows x 32 x 4, of 8 bits.
struct alignas(64) depthwise_unit {
  static constexpr std::size_t channels = 32;
  static constexpr std::size_t four_bytes = 128;

  std::int32_t biases[channels];
  std::int32_t signed_biases[channels];  ///< For signed codes, which are moved up by 128.
  std::int32_t multipliers[channels];
  std::int32_t shifts[channels];
  depthwise_rounding rounding;  ///< The least simple of its channels.

  template <class Activation>
  const std::int32_t* biases_for() const {
    return std::same_as<Activation, std::uint8_t> ? biases : signed_biases;
  }
  const std::int8_t* weights() const { return reinterpret_cast<const std::int8_t*>(this + 1); }
  std::int8_t* weights() { return reinterpret_cast<std::int8_t*>(this + 1); }

  /// The channel in lane `lane`: interleaving takes 16 channels apart, 4 by 4, and both halves of a unit at once.
  static constexpr std::size_t channel(std::size_t lane) {
    return lane / 16 * 8 + lane / 4 % 2 * 16 + lane / 8 % 2 * 4 + lane % 4;
  }
  static std::size_t units(const convolution_constants& constants) {
    return (constants.groups + channels - 1) / channels;
  }
  static std::size_t column_bytes(const convolution_constants& constants) {
    return (constants.window.vertical.kernel + 3) / 4 * four_bytes;
  }
  static std::size_t bytes(const convolution_constants& constants) {
    return sizeof(depthwise_unit) + constants.window.horizontal.kernel * column_bytes(constants);
  }
};

/// What stands before the units: whether avx2's follow instead.
struct alignas(64) depthwise_header {
  bool wide_weights;
};

inline std::size_t depthwise_packed_bytes(const convolution_constants& constants) {
  return sizeof(depthwise_header) + std::max(depthwise_unit::units(constants) * depthwise_unit::bytes(constants),
                                             avx2::depthwise_packed_bytes(constants));
}

/// One line, and what its alignment may take.
inline std::size_t depthwise_workspace_bytes(const convolution_constants& constants) {
  const window_axis& across = constants.window.horizontal;
  const std::size_t column = depthwise_unit::column_bytes(constants);
  return std::max(line_columns(across, line_outputs(across, column)) * column + alignof(depthwise_unit),
                  avx2::depthwise_workspace_bytes(constants));
}

/// Whether some weight less its zero point needs 9 bits.
inline bool has_wide_weights(const weighted_sum& sums) {
  for (std::size_t i = 0; i < sums.outputs * sums.inputs; ++i)
    if (!code_range::all_of<std::int8_t>().contains(sums.weights[i] - sums.weight_zero_points[i / sums.inputs]))
      return true;
  return false;
}

/// One unit, of the channels from `first` on.
inline void pack_unit(const convolution_constants& constants, std::size_t first, depthwise_unit& unit) {
  const std::int32_t zero_point = constants.sums.activation_zero_point;
  unit.rounding = depthwise_rounding::without_ties;
  for (std::size_t lane = 0; lane < depthwise_unit::channels; ++lane) {
    const std::size_t n = first + depthwise_unit::channel(lane);
    const auto channel = depthwise_channel::of(constants, n, zero_point);
    unit.biases[lane] = channel.folded_bias;
    unit.signed_biases[lane] = depthwise_channel::of(constants, n, zero_point + 128).folded_bias;
    unit.multipliers[lane] = channel.factor.multiplier;
    unit.shifts[lane] = channel.factor.shift;
    unit.rounding = std::min(unit.rounding, channel.rounding);
  }
  std::int8_t* weight = unit.weights();
  for (std::size_t column = 0; column < constants.window.horizontal.kernel; ++column)
    for (std::size_t row = 0; row < constants.window.vertical.kernel; row += 4)
      for (std::size_t lane = 0; lane < depthwise_unit::channels; ++lane)
        for (std::size_t tap = row; tap < row + 4; ++tap)
          *weight++ =
              static_cast<std::int8_t>(depthwise_weight(constants, first + depthwise_unit::channel(lane), tap, column));
}

inline void depthwise_pack(const convolution_constants& constants, std::byte* packed) {
  auto& header = *reinterpret_cast<depthwise_header*>(packed);
  header.wide_weights = has_wide_weights(constants.sums);
  packed += sizeof header;
  if (header.wide_weights) return avx2::depthwise_pack(constants, packed);
  for (std::size_t i = 0; i < depthwise_unit::units(constants); ++i)
    pack_unit(constants, i * depthwise_unit::channels,
              *reinterpret_cast<depthwise_unit*>(packed + i * depthwise_unit::bytes(constants)));
}

/// The chosen of 32 codes, as unsigned ones. The others are neither read nor, where their memory is none, missed.
template <class Activation>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m256i load_unsigned(
    const Activation* codes, __mmask32 chosen) {
  const __m256i loaded = _mm256_maskz_loadu_epi8(chosen, codes);
  if constexpr (std::same_as<Activation, std::uint8_t>) return loaded;
  return _mm256_xor_si256(loaded, _mm256_set1_epi8(static_cast<char>(0x80)));
}

/// Writes `Rows` rows of 32 channels, of which the chosen count, and zeros for the rest of four, into `columns` columns
/// of a line.
template <std::size_t Rows, class Activation>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void fill_line(
    const depthwise_row<Activation> (&rows)[4], __mmask32 chosen, std::size_t columns, std::byte* line,
    std::size_t column_bytes) {
  auto first = rows[0], second = rows[1], third = rows[2], fourth = rows[3];
  const __m256i none = _mm256_setzero_si256();
  for (; columns > 0; --columns, line += column_bytes) {
    const __m256i a = load_unsigned(first.codes, chosen), b = Rows > 1 ? load_unsigned(second.codes, chosen) : none;
    const __m256i c = Rows > 2 ? load_unsigned(third.codes, chosen) : none;
    const __m256i d = Rows > 3 ? load_unsigned(fourth.codes, chosen) : none;
    const __m256i low = _mm256_unpacklo_epi8(a, b), other_low = _mm256_unpacklo_epi8(c, d);
    const __m256i high = _mm256_unpackhi_epi8(a, b), other_high = _mm256_unpackhi_epi8(c, d);
    auto* const fours = reinterpret_cast<__m256i*>(line);
    _mm256_store_si256(fours + 0, _mm256_unpacklo_epi16(low, other_low));
    _mm256_store_si256(fours + 1, _mm256_unpackhi_epi16(low, other_low));
    _mm256_store_si256(fours + 2, _mm256_unpacklo_epi16(high, other_high));
    _mm256_store_si256(fours + 3, _mm256_unpackhi_epi16(high, other_high));
    first.codes += first.stride, second.codes += second.stride;
    third.codes += third.stride, fourth.codes += fourth.stride;
  }
}

/// Writes as many of four rows as the kernel has left into `columns` columns of a line.
template <class Activation>
void fill_rows(std::size_t left, const depthwise_row<Activation> (&rows)[4], __mmask32 chosen, std::size_t columns,
               std::byte* line, std::size_t column_bytes) {
  if (left == 1)
    fill_line<1>(rows, chosen, columns, line, column_bytes);
  else if (left == 3)
    fill_line<3>(rows, chosen, columns, line, column_bytes);
  else
    fill_line<4>(rows, chosen, columns, line, column_bytes);
}

/// Writes the columns outside the image into the line that `parts` belongs to: the zero point, for any channels.
template <class Activation>
void fill_outside(const convolution_constants& constants, const line_parts& parts, const Activation* zeros,
                  std::byte* line) {
  const std::size_t bytes = depthwise_unit::column_bytes(constants), kernel = constants.window.vertical.kernel;
  const depthwise_row<Activation> outside[4] = {{zeros, 0}, {zeros, 0}, {zeros, 0}, {zeros, 0}};
  constexpr auto all = ~__mmask32{0};
  for (std::size_t tap = 0; tap < kernel; tap += 4, line += depthwise_unit::four_bytes) {
    fill_rows(kernel - tap, outside, all, parts.left, line, bytes);
    fill_rows(kernel - tap, outside, all, parts.right, line + (parts.left + parts.inside) * bytes, bytes);
  }
}

/// Writes the columns inside, of the chosen of 32 channels from `channel` on.
template <class Activation>
void fill_inside(const depthwise_rows<Activation>& rows, std::size_t channel, const line_parts& parts, __mmask32 chosen,
                 const Activation* zeros, std::byte* line) {
  const std::size_t bytes = depthwise_unit::column_bytes(rows.constants);
  const std::size_t kernel = rows.constants.window.vertical.kernel;
  line += parts.left * bytes;
  for (std::size_t tap = 0; tap < kernel; tap += 4, line += depthwise_unit::four_bytes) {
    depthwise_row<Activation> four[4];
    for (std::size_t i = 0; i < 4; ++i) four[i] = rows.find(tap + i, parts.first_pixel, channel, zeros);
    fill_rows(kernel - tap, four, chosen, parts.inside, line, bytes);
  }
}

/// Sums of 2 pixels, each in two registers.
struct depthwise_sums {
  __m512i first[2];
  __m512i second[2];
};

/// Outputs side by side, of the channels of a unit, from one line.
template <class Output>
struct depthwise_outputs {
  const depthwise_unit& unit;
  const std::int32_t* biases;
  depthwise_windows windows;
  Output* codes;         ///< Of the first output.
  std::size_t channels;  ///< From one output to the next.
  __mmask32 chosen;      ///< Of a unit's channels.
  std::size_t count;
};

/// Adds four taps of two windows, the second `next` bytes from the first.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void add_tap(
    depthwise_sums& sums, const std::byte* codes, std::size_t next, const std::int8_t* weights) {
  const __m512i low = _mm512_load_si512(weights), high = _mm512_load_si512(weights + 64);
  sums.first[0] = _mm512_dpbusd_epi32(sums.first[0], _mm512_load_si512(codes), low);
  sums.first[1] = _mm512_dpbusd_epi32(sums.first[1], _mm512_load_si512(codes + 64), high);
  sums.second[0] = _mm512_dpbusd_epi32(sums.second[0], _mm512_load_si512(codes + next), low);
  sums.second[1] = _mm512_dpbusd_epi32(sums.second[1], _mm512_load_si512(codes + next + 64), high);
}

/// Windows of any taps.
struct any_taps {
  template <class Output>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static void add_to(
      depthwise_sums& sums, const depthwise_outputs<Output>& line, const std::byte* codes, std::size_t next) {
    const std::int8_t* weights = line.unit.weights();
    for (std::size_t run = 0; run < line.windows.runs; ++run)
      for (std::size_t tap = 0; tap < line.windows.taps; ++tap, weights += depthwise_unit::four_bytes)
        add_tap(sums, codes + run * line.windows.run_bytes + tap * depthwise_unit::four_bytes, next, weights);
  }
};

/// Windows whose taps lie beside each other, as many fours as there are indices.
template <std::size_t... Taps>
struct dense_taps {
  static constexpr std::size_t count = sizeof...(Taps);

  constexpr explicit dense_taps(std::index_sequence<Taps...>) {}

  template <class Output>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static void add_to(
      depthwise_sums& sums, const depthwise_outputs<Output>& line, const std::byte* codes, std::size_t next) {
    constexpr std::size_t bytes = depthwise_unit::four_bytes;
    (add_tap(sums, codes + Taps * bytes, next, line.unit.weights() + Taps * bytes), ...);
  }
};

/// The codes of the chosen channels of one pixel.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_chosen(
    void* outputs, __mmask32 chosen, __m256i codes) {
  if (chosen == ~__mmask32{0})
    _mm256_storeu_si256(static_cast<__m256i*>(outputs), codes);
  else
    _mm256_mask_storeu_epi8(outputs, chosen, codes);
}

/// To 8-bit codes, where rounding goes up at ties or meets none.
template <class Taps, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void convolve_simply(
    const depthwise_outputs<Output> line, std::int32_t zero_point, code_range allowed) {
  const depthwise_unit& unit = line.unit;
  const auto low = quarter_factors::of(_mm512_load_si512(unit.multipliers), _mm512_load_si512(unit.shifts));
  const auto high = quarter_factors::of(_mm512_load_si512(unit.multipliers + 16), _mm512_load_si512(unit.shifts + 16));
  const auto window = byte_lanes<Output>::of(zero_point, allowed);
  const __m512i low_bias = _mm512_load_si512(line.biases), high_bias = _mm512_load_si512(line.biases + 16);
  // Packing takes 128 bits of each register at a time, in the order of interleaving: 4 channels of either pixel.
  const __m512i order = _mm512_setr_epi32(0, 8, 1, 9, 4, 12, 5, 13, 2, 10, 3, 11, 6, 14, 7, 15);
  for (std::size_t x = 0; x < line.count; x += 2) {
    const std::size_t second = x + 1 < line.count ? 1 : 0;  // The last twice, if one is left.
    depthwise_sums sums{{low_bias, high_bias}, {low_bias, high_bias}};
    Taps::add_to(sums, line, line.windows.first + x * line.windows.window_bytes, second * line.windows.window_bytes);
    const __m512i packed = window.packed(low.requantize(sums.first[0]), high.requantize(sums.first[1]),
                                         low.requantize(sums.second[0]), high.requantize(sums.second[1]));
    const __m512i both = _mm512_permutexvar_epi32(order, packed);
    Output* const outputs = line.codes + x * line.channels;
    store_chosen(outputs, line.chosen, _mm512_castsi512_si256(both));
    store_chosen(outputs + second * line.channels, line.chosen, _mm512_extracti64x4_epi64(both, 1));
  }
}

/// One pixel to any codes, by any rounding.
template <class Output, integer_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_generally(
    const depthwise_unit& unit, const __m512i (&sums)[2], code_window window, __mmask32 chosen, Output* outputs) {
  const __m512i low =
      requantize<Rounding>(sums[0], _mm512_load_si512(unit.multipliers), _mm512_load_si512(unit.shifts));
  const __m512i high =
      requantize<Rounding>(sums[1], _mm512_load_si512(unit.multipliers + 16), _mm512_load_si512(unit.shifts + 16));
  const __m512i first = codes_of(low, window), second = codes_of(high, window);
  const __m512i order = _mm512_setr_epi32(0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  const __m512i other = _mm512_or_si512(order, _mm512_set1_epi32(4));
  const auto count = static_cast<std::size_t>(std::popcount(chosen));
  store_codes(_mm512_permutex2var_epi32(first, order, second), outputs, count);
  if (count > 16) store_codes(_mm512_permutex2var_epi32(first, other, second), outputs + 16, count - 16);
}

template <class Output, integer_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void convolve_generally(
    const depthwise_outputs<Output> line, code_window window) {
  const __m512i low = _mm512_load_si512(line.biases), high = _mm512_load_si512(line.biases + 16);
  for (std::size_t x = 0; x < line.count; ++x) {
    depthwise_sums sums{{low, high}, {low, high}};
    any_taps::add_to(sums, line, line.windows.first + x * line.windows.window_bytes, 0);
    store_generally<Output, Rounding>(line.unit, sums.first, window, line.chosen, line.codes + x * line.channels);
  }
}

/// To 8-bit codes as above, with code of its own for windows of 3 x 3 and of 5 x 5.
template <class Output>
void convolve_bytes(const weighted_sum& sums, const depthwise_outputs<Output>& line) {
  using three = decltype(dense_taps(std::make_index_sequence<3 * 1>()));
  using five = decltype(dense_taps(std::make_index_sequence<5 * 2>()));
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
  const std::byte* const packed = call.packed + sizeof(depthwise_header);
  if (reinterpret_cast<const depthwise_header*>(call.packed)->wide_weights) {
    convolution_arguments<Activation, Output> wide = call;
    wide.packed = packed;
    return avx2::depthwise<Activation, Output, Rounding>(wide, first, last);
  }
  const convolution_constants& constants = call.constants;
  const window_axis& across = constants.window.horizontal;
  const std::size_t channels = constants.groups, width = across.output(), units = depthwise_unit::units(constants);
  const std::size_t column_bytes = depthwise_unit::column_bytes(constants), step = line_outputs(across, column_bytes);
  std::byte* const line = aligned(call.workspace, alignof(depthwise_unit));
  const auto windows = depthwise_windows::of(constants, line, column_bytes, depthwise_unit::four_bytes);
  Activation zeros[depthwise_unit::channels];
  std::fill_n(zeros, depthwise_unit::channels, static_cast<Activation>(constants.sums.activation_zero_point));
  for (std::size_t row = first; row < last; ++row) {
    const auto rows = depthwise_rows<Activation>::of(constants, call.activations, row);
    for (std::size_t i = 0; i < units; ++i) {
      const std::size_t channel = i * depthwise_unit::channels, left = channels - channel;
      const auto& unit = *reinterpret_cast<const depthwise_unit*>(packed + i * depthwise_unit::bytes(constants));
      const auto chosen = static_cast<__mmask32>(left >= 32 ? ~0u : (1u << left) - 1);
      for (std::size_t x = 0; x < width; x += step) {
        const std::size_t count = std::min(step, width - x);
        const auto parts = line_parts::of(across, x, count);
        // Where one line holds a whole row, what lies outside stays in it.
        if (step < width || (row == first && i == 0)) fill_outside(constants, parts, zeros, line);
        fill_inside(rows, channel, parts, chosen, zeros, line);
        convolve_line<Output, Rounding>(
            constants.sums, {unit, unit.biases_for<Activation>(), windows,
                             call.outputs + (row * width + x) * channels + channel, channels, chosen, count});
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

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
