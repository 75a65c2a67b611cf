// SPDX-License-Identifier: MIT
/// \file
/// Pooling on 64-bit Arm, a register of channels at once. The last one overlaps the one before, so that nothing beside
/// the images is touched; images with fewer channels are the specification's.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/pooling_arguments.hpp>
#include <bitwright/kernels/scalar/pooling.hpp>

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright::kernels::neon {

/// The taps of one output that lie inside the image, as steps in memory.
struct taps_in_memory {
  std::size_t offset;  ///< Of the first tap, in codes from the image's first.
  std::size_t rows;
  std::size_t columns;
  std::size_t row_step;
  std::size_t column_step;

  taps_in_memory(const sliding_window& window, std::size_t channels, std::size_t y, std::size_t x) {
    const auto& [vertical, horizontal] = window;
    const tap_range down = vertical.taps_inside(y), across = horizontal.taps_inside(x);
    offset = (vertical.pixel(y, down.first) * horizontal.input + horizontal.pixel(x, across.first)) * channels;
    rows = down.count();
    columns = across.count();
    row_step = vertical.dilation * horizontal.input * channels;
    column_step = horizontal.dilation * channels;
  }
};

/// A register of codes, and the greater ones of two.
[[gnu::always_inline]] inline uint8x16_t load(const std::uint8_t* codes) { return vld1q_u8(codes); }
[[gnu::always_inline]] inline int8x16_t load(const std::int8_t* codes) { return vld1q_s8(codes); }
[[gnu::always_inline]] inline int16x8_t load(const std::int16_t* codes) { return vld1q_s16(codes); }
[[gnu::always_inline]] inline uint8x16_t greater(uint8x16_t a, uint8x16_t b) { return vmaxq_u8(a, b); }
[[gnu::always_inline]] inline int8x16_t greater(int8x16_t a, int8x16_t b) { return vmaxq_s8(a, b); }
[[gnu::always_inline]] inline int16x8_t greater(int16x8_t a, int16x8_t b) { return vmaxq_s16(a, b); }

/// Rows [first, last) of the outputs, counted through all images.
template <class Code>
void max_pooling(const max_pooling_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  constexpr std::size_t lanes = 16 / sizeof(Code);
  if (call.channels < lanes) return scalar::max_pooling(call, first, last);
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  Code* output = call.outputs + first * width * call.channels;
  for (std::size_t row = first; row < last; ++row) {
    const Code* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    for (std::size_t x = 0; x < width; ++x, output += call.channels) {
      const taps_in_memory taps(call.window, call.channels, row % height, x);
      for (std::size_t c = 0; c < call.channels; c += lanes) {
        const std::size_t channel = std::min(c, call.channels - lanes);
        auto greatest = load(image + taps.offset + channel);
        for (std::size_t i = 0; i < taps.rows; ++i)
          for (std::size_t j = 0; j < taps.columns; ++j)
            greatest =
                greater(greatest, load(image + taps.offset + i * taps.row_step + j * taps.column_step + channel));
        std::memcpy(output + channel, &greatest, sizeof greatest);
      }
    }
  }
}

/// Writes the averages of eight channels.
template <integer_rounding Rounding, class Activation, class Output>
void average_taps(const average_pooling_arguments<Activation, Output>& call, const taps_in_memory& taps,
                  const Activation* first_tap, const window_lanes& window, Output* outputs) {
  const auto count = static_cast<std::int32_t>(taps.rows * taps.columns);
  int32x4_t low = vdupq_n_s32(-count * call.activation_zero_point), high = low;
  for (std::size_t i = 0; i < taps.rows; ++i)
    for (std::size_t j = 0; j < taps.columns; ++j) {
      const int16x8_t codes = load_widened(first_tap + i * taps.row_step + j * taps.column_step);
      low = vaddw_s16(low, vget_low_s16(codes));
      high = vaddw_high_s16(high, codes);
    }
  const dyadic factor = call.factors[count];
  const int32x4_t multiplier = vdupq_n_s32(factor.multiplier), shift = vdupq_n_s32(factor.shift);
  store(outputs, window.codes(requantize<Rounding>(low, multiplier, shift)),
        window.codes(requantize<Rounding>(high, multiplier, shift)));
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void average_pooling(const average_pooling_arguments<Activation, Output>& call, std::size_t first,
                     std::size_t last) noexcept {
  constexpr std::size_t lanes = 8;
  if (call.channels < lanes) return scalar::average_pooling<Activation, Output, Rounding>(call, first, last);
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  const window_lanes window(code_window::of(call.output_zero_point, call.output_codes));
  Output* output = call.outputs + first * width * call.channels;
  for (std::size_t row = first; row < last; ++row) {
    const Activation* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    for (std::size_t x = 0; x < width; ++x, output += call.channels) {
      const taps_in_memory taps(call.window, call.channels, row % height, x);
      for (std::size_t c = 0; c < call.channels; c += lanes) {
        const std::size_t channel = std::min(c, call.channels - lanes);
        average_taps<Rounding>(call, taps, image + taps.offset + channel, window, output + channel);
      }
    }
  }
}

}  // namespace bitwright::kernels::neon
