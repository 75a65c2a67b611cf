// SPDX-License-Identifier: MIT
/// \file
/// The specification of convolution: the window under each output pixel, gathered, is a row of a gemm.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/scalar/weighted_sum.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

inline std::size_t convolution_packed_bytes(const convolution_constants& constants) {
  return packed_bytes(constants.sums);
}
inline void convolution_pack(const convolution_constants& constants, std::byte* packed) {
  pack(constants.sums, packed);
}

/// One gathered window: kernel height x kernel width x channels.
inline std::size_t convolution_workspace_bytes(const convolution_constants& constants) {
  return constants.sums.inputs * constants.groups;
}

/// Copies the window under output (y, x) of an image. Taps outside are the value 0: their code is the zero point.
template <class Activation>
void gather_window(const convolution_constants& constants, const Activation* image, std::size_t y, std::size_t x,
                   Activation* patch) {
  const auto& [vertical, horizontal] = constants.window;
  const std::size_t channels = constants.channels();
  const tap_range rows = vertical.taps_inside(y), columns = horizontal.taps_inside(x);
  const auto zero = static_cast<Activation>(constants.sums.activation_zero_point);
  for (std::size_t row = 0; row < vertical.kernel; ++row)
    for (std::size_t column = 0; column < horizontal.kernel; ++column, patch += channels)
      if (rows.contains(row) && columns.contains(column))
        std::copy_n(image + (vertical.pixel(y, row) * horizontal.input + horizontal.pixel(x, column)) * channels,
                    channels, patch);
      else
        std::fill_n(patch, channels, zero);
}

/// The outputs of one gathered window.
template <class Activation, class Output, integer_rounding Rounding>
void convolve_window(const convolution_constants& constants, const Activation* patch, const std::byte* packed,
                     Output* outputs) {
  const weighted_sum& sums = constants.sums;
  // The window of a single group is one dot product, as its channels lie beside those of the next tap.
  const std::size_t runs = constants.groups == 1 ? 1 : sums.inputs / constants.group_channels;
  const std::size_t length = sums.inputs / runs, group_outputs = sums.outputs / constants.groups;
  for (std::size_t group = 0; group < constants.groups; ++group, patch += constants.group_channels)
    for (std::size_t n = group * group_outputs; n < (group + 1) * group_outputs; ++n) {
      const packed_weight* weights = packed_row(sums, packed, n);
      std::int32_t sum = sums.bias[n];
      for (std::size_t run = 0; run < runs; ++run)
        sum += dot(patch + run * constants.channels(), sums.activation_zero_point, weights + run * length, length);
      outputs[n] = output_code<Rounding, Output>(sums, n, sum);
    }
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void convolution(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const auto& [vertical, horizontal] = call.constants.window;
  const std::size_t image_size = vertical.input * horizontal.input * call.constants.channels();
  const std::size_t height = vertical.output(), width = horizontal.output(), outputs = call.constants.sums.outputs;
  auto* patch = reinterpret_cast<Activation*>(call.workspace);
  for (std::size_t row = first; row < last; ++row)
    for (std::size_t x = 0; x < width; ++x) {
      gather_window(call.constants, call.activations + row / height * image_size, row % height, x, patch);
      convolve_window<Activation, Output, Rounding>(call.constants, patch, call.packed,
                                                    call.outputs + (row * width + x) * outputs);
    }
}

}  // namespace bitwright::kernels::scalar
