// SPDX-License-Identifier: MIT
/// \file
/// The specification of binary convolution: the sums of those taps that lie inside the image.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/binary_convolution_arguments.hpp>
#include <bitwright/kernels/scalar/binary_gemm.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

inline std::size_t binary_convolution_workspace_bytes(const binary_convolution_constants&) { return 0; }

/// The sum of the window of output (y, x) of an image and the weights of one output channel.
inline std::int32_t sum_of_window(const binary_convolution_constants& constants, const std::byte* image, std::size_t y,
                                  std::size_t x, const std::byte* weights) {
  const auto& [vertical, horizontal] = constants.window;
  const tap_range rows = vertical.taps_inside(y), columns = horizontal.taps_inside(x);
  const std::size_t pixel_bytes = bytes_of_bits(constants.sums.channels);
  std::int32_t sum = 0;
  for (std::size_t row = rows.first; row < rows.last; ++row)
    for (std::size_t column = columns.first; column < columns.last; ++column) {
      const std::size_t pixel = vertical.pixel(y, row) * horizontal.input + horizontal.pixel(x, column);
      const std::size_t tap = row * horizontal.kernel + column;
      sum += sum_of_signs(image + pixel * pixel_bytes, weights + tap * pixel_bytes, constants.sums.channels);
    }
  return sum;
}

/// Rows [first, last) of the outputs, counted through all images.
template <binary_output Output, integer_rounding Rounding>
void binary_convolution(const binary_convolution_arguments<Output>& call, std::size_t first,
                        std::size_t last) noexcept {
  const binary_sum& sums = call.constants.sums;
  const auto& [vertical, horizontal] = call.constants.window;
  const std::size_t image_bytes = vertical.input * horizontal.input * bytes_of_bits(sums.channels);
  const std::size_t height = vertical.output(), width = horizontal.output();
  for (std::size_t row = first; row < last; ++row)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t n = 0; n < sums.outputs; ++n) {
        const std::size_t pixel = row * width + x;
        const std::int32_t sum = sum_of_window(call.constants, call.activations + row / height * image_bytes,
                                               row % height, x, call.packed + n * sums.row_bytes());
        store_binary<Output, Rounding>(sums, n, sums.bias[n] + sum,
                                       call.pixel_scales == nullptr ? nullptr : call.pixel_scales + pixel,
                                       call.outputs + pixel * stored_outputs<Output>(sums.outputs));
      }
}

}  // namespace bitwright::kernels::scalar
