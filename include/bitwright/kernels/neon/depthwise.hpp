// SPDX-License-Identifier: MIT
/// \file
/// Depthwise convolution on 64-bit Arm, 16 channels of a pixel at once, from the taps inside the image as they lie
/// there. Codes and weights less their zero points need 9 bits: smlal multiplies them in 16 bits, exactly.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// The constants of 16 channels. Their weights follow: kernel height x kernel width x 16, of 16 bits.
struct alignas(16) depthwise_unit {
  static constexpr std::size_t channels = 16;

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
  static std::size_t bytes(const convolution_constants& constants) {
    return sizeof(depthwise_unit) + constants.sums.inputs * channels * sizeof(std::int16_t);
  }
};

inline std::size_t depthwise_packed_bytes(const convolution_constants& constants) {
  return depthwise_unit::units(constants) * depthwise_unit::bytes(constants);
}

inline std::size_t depthwise_workspace_bytes(const convolution_constants&) { return 0; }

inline void depthwise_pack(const convolution_constants& constants, std::byte* packed) {
  for (std::size_t i = 0; i < depthwise_unit::units(constants); ++i, packed += depthwise_unit::bytes(constants)) {
    auto& unit = *reinterpret_cast<depthwise_unit*>(packed);
    const std::size_t first = depthwise_unit::first_channel(constants, i);
    unit.rounding = depthwise_rounding::without_ties;
    for (std::size_t c = 0; c < depthwise_unit::channels; ++c) {
      const auto channel =
          depthwise_channel::of(constants, first + c, 0);  // Codes are multiplied less their zero point.
      unit.biases[c] = channel.folded_bias;
      unit.multipliers[c] = channel.factor.multiplier;
      unit.shifts[c] = channel.factor.shift;
      unit.rounding = std::min(unit.rounding, channel.rounding);
    }
    std::int16_t* weight = unit.weights();
    for (std::size_t row = 0; row < constants.window.vertical.kernel; ++row)
      for (std::size_t column = 0; column < constants.window.horizontal.kernel; ++column)
        for (std::size_t c = 0; c < depthwise_unit::channels; ++c)
          *weight++ = static_cast<std::int16_t>(depthwise_weight(constants, first + c, row, column));
  }
}

/// 16 codes less their zero point, in 16 bits.
struct centred_codes {
  int16x8_t low;
  int16x8_t high;

  [[gnu::always_inline]] static centred_codes load(const std::uint8_t* codes, std::int32_t zero_point) {
    const uint8x16_t all = vld1q_u8(codes), zero = vdupq_n_u8(static_cast<std::uint8_t>(zero_point));
    return {vreinterpretq_s16_u16(vsubl_u8(vget_low_u8(all), vget_low_u8(zero))),
            vreinterpretq_s16_u16(vsubl_high_u8(all, zero))};
  }
  [[gnu::always_inline]] static centred_codes load(const std::int8_t* codes, std::int32_t zero_point) {
    const int8x16_t all = vld1q_s8(codes), zero = vdupq_n_s8(static_cast<std::int8_t>(zero_point));
    return {vsubl_s8(vget_low_s8(all), vget_low_s8(zero)), vsubl_high_s8(all, zero)};
  }
};

/// The sums of 16 channels.
struct depthwise_sums {
  int32x4_t of[4];

  [[gnu::always_inline]] explicit depthwise_sums(const std::int32_t* biases)
      : of{vld1q_s32(biases), vld1q_s32(biases + 4), vld1q_s32(biases + 8), vld1q_s32(biases + 12)} {}

  [[gnu::always_inline]] void add(const centred_codes& codes, const std::int16_t* weights) {
    const int16x8_t low = vld1q_s16(weights), high = vld1q_s16(weights + 8);
    of[0] = vmlal_s16(of[0], vget_low_s16(codes.low), vget_low_s16(low));
    of[1] = vmlal_high_s16(of[1], codes.low, low);
    of[2] = vmlal_s16(of[2], vget_low_s16(codes.high), vget_low_s16(high));
    of[3] = vmlal_high_s16(of[3], codes.high, high);
  }
};

/// The taps of one output pixel that lie inside the image.
template <class Activation>
struct depthwise_taps {
  const Activation* first;  ///< Of channel 0.
  std::size_t rows, columns;
  std::size_t row_step, column_step;  ///< In codes.
  std::size_t first_weight;           ///< The first tap's number in the window.
  std::size_t weight_row_step;        ///< In taps.
  std::int32_t zero_point;

  static depthwise_taps of(const convolution_constants& constants, const depthwise_rows<Activation>& rows,
                           std::size_t x) {
    const auto& [vertical, horizontal] = constants.window;
    const tap_range across = horizontal.taps_inside(x);
    const bool any = rows.inside.count() > 0 && across.count() > 0;
    const std::size_t row = any ? vertical.pixel(rows.y, rows.inside.first) : 0;
    const std::size_t column = any ? horizontal.pixel(x, across.first) : 0;
    return {rows.image + (row * horizontal.input + column) * constants.groups,
            any ? rows.inside.count() : 0,
            across.count(),
            vertical.dilation * horizontal.input * constants.groups,
            horizontal.dilation * constants.groups,
            rows.inside.first * horizontal.kernel + across.first,
            horizontal.kernel,
            constants.sums.activation_zero_point};
  }

  [[gnu::always_inline]] depthwise_sums sum(const depthwise_unit& unit, std::size_t channel) const {
    depthwise_sums sums(unit.biases);
    const std::int16_t* weights = unit.weights() + first_weight * depthwise_unit::channels;
    const Activation* row = first + channel;
    for (std::size_t i = 0; i < rows; ++i, row += row_step, weights += weight_row_step * depthwise_unit::channels)
      for (std::size_t j = 0; j < columns; ++j)
        sums.add(centred_codes::load(row + j * column_step, zero_point), weights + j * depthwise_unit::channels);
    return sums;
  }
};

/// Writes the codes of 16 channels.
template <class Output, integer_rounding Rounding>
[[gnu::always_inline]] inline void store_sums(const depthwise_sums& sums, const depthwise_unit& unit,
                                              const window_lanes& window, Output* outputs) {
  int32x4_t codes[4];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i)
    codes[i] = window.codes(
        requantize<Rounding>(sums.of[i], vld1q_s32(unit.multipliers + 4 * i), vld1q_s32(unit.shifts + 4 * i)));
  store(outputs, codes[0], codes[1]);
  store(outputs + 8, codes[2], codes[3]);
}

/// The code of one pixel and unit, by the simplest code that rounds as `Rounding` does.
template <integer_rounding Rounding, class Activation, class Output>
[[gnu::always_inline]] inline void convolve_pixel(const depthwise_taps<Activation>& taps, const depthwise_unit& unit,
                                                  std::size_t channel, const window_lanes& window, Output* outputs) {
  const depthwise_sums sums = taps.sum(unit, channel);
  if constexpr (to_nearest<Rounding>)
    if (unit.rounding == depthwise_rounding::without_ties)
      return store_sums<Output, half_up>(sums, unit, window, outputs + channel);
  store_sums<Output, Rounding>(sums, unit, window, outputs + channel);
}

/// Rows [first, last) of the outputs, counted through all images, of a convolution that suits_depthwise.
template <class Activation, class Output, integer_rounding Rounding>
void depthwise(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const convolution_constants& constants = call.constants;
  const std::size_t channels = constants.groups, width = constants.window.horizontal.output();
  const std::size_t units = depthwise_unit::units(constants), bytes = depthwise_unit::bytes(constants);
  const window_lanes window(code_window::of(constants.sums.output_zero_point, constants.sums.output_codes));
  Output* outputs = call.outputs + first * width * channels;
  for (std::size_t row = first; row < last; ++row) {
    const auto rows = depthwise_rows<Activation>::of(constants, call.activations, row);
    for (std::size_t x = 0; x < width; ++x, outputs += channels) {
      const auto taps = depthwise_taps<Activation>::of(constants, rows, x);
      for (std::size_t i = 0; i < units; ++i)
        convolve_pixel<Rounding>(taps, *reinterpret_cast<const depthwise_unit*>(call.packed + i * bytes),
                                 depthwise_unit::first_channel(constants, i), window, outputs);
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

}  // namespace bitwright::kernels::neon
