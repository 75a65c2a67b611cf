// SPDX-License-Identifier: MIT
/// \file
/// The specification of pooling.
#pragma once

#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/pooling_arguments.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::scalar {

/// The codes of one channel under the window's taps inside the image, joined by `join(so_far, code)`.
template <class Code, class Join>
std::int32_t join_taps(const sliding_window& window, const Code* image, std::size_t channels, std::size_t y,
                       std::size_t x, std::int32_t so_far, Join join) {
  const auto& [vertical, horizontal] = window;
  const tap_range rows = vertical.taps_inside(y), columns = horizontal.taps_inside(x);
  for (std::size_t row = rows.first; row < rows.last; ++row)
    for (std::size_t column = columns.first; column < columns.last; ++column)
      so_far =
          join(so_far, image[(vertical.pixel(y, row) * horizontal.input + horizontal.pixel(x, column)) * channels]);
  return so_far;
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Code>
void max_pooling(const max_pooling_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  Code* output = call.outputs + first * width * call.channels;
  for (std::size_t row = first; row < last; ++row) {
    const Code* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < call.channels; ++c)
        *output++ = static_cast<Code>(join_taps(call.window, image + c, call.channels, row % height, x,
                                                std::numeric_limits<Code>::min(),
                                                [](std::int32_t a, std::int32_t b) { return std::max(a, b); }));
  }
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void average_pooling(const average_pooling_arguments<Activation, Output>& call, std::size_t first,
                     std::size_t last) noexcept {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  const auto add = [&call](std::int32_t sum, std::int32_t code) { return sum + code - call.activation_zero_point; };
  Output* output = call.outputs + first * width * call.channels;
  for (std::size_t row = first; row < last; ++row) {
    const Activation* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    for (std::size_t x = 0; x < width; ++x) {
      const dyadic factor = call.factors[call.window.taps_inside(row % height, x)];
      for (std::size_t c = 0; c < call.channels; ++c) {
        const std::int32_t sum = join_taps(call.window, image + c, call.channels, row % height, x, 0, add);
        *output++ = static_cast<Output>(requantize<Rounding>(sum, factor, call.output_zero_point, call.output_codes));
      }
    }
  }
}

}  // namespace bitwright::kernels::scalar
