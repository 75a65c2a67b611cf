// SPDX-License-Identifier: MIT
/// \file
/// The shape words of layers on images: sizes, padding, and the window they make.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/sliding_window.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace bitwright {

/// Pixels, or taps, down and across.
struct height_width {
  std::size_t height;
  std::size_t width;

  friend constexpr bool operator==(height_width, height_width) = default;
};

/// Pixels of the value 0 around an image.
struct image_padding {
  std::size_t top = 0;
  std::size_t bottom = 0;
  std::size_t left = 0;
  std::size_t right = 0;

  static constexpr image_padding on_all_sides(std::size_t pixels) { return {pixels, pixels, pixels, pixels}; }
};

/// Codes of one image. Throws invalid_argument for more than a std::size_t counts.
inline std::size_t image_size(height_width pixels, std::size_t channels) {
  return shape{pixels.height, pixels.width, channels}.elements();
}

/// Positions of a window on an image.
inline height_width output_pixels(const kernels::sliding_window& window) {
  return {window.vertical.output(), window.horizontal.output()};
}

/// The window that slides over an image with the given strides. `layer` is the name that errors begin with.
/// Throws invalid_argument for a size, stride or dilation of 0, for any number from 2^30, and where no window fits.
inline kernels::sliding_window make_window(std::string_view layer, height_width image, height_width kernel,
                                           height_width stride, const image_padding& padding, height_width dilation) {
  const std::string name = std::string(layer) + ": ";
  const auto check = [&name](const char* argument, std::size_t value, std::size_t least) {
    // Below 2^30, so that no product of two of them overflows.
    require(value >= least && value < std::size_t{1} << 30, name + argument, value, "[", least, ", 2^30)");
  };
  check("image.height", image.height, 1), check("image.width", image.width, 1);
  check("kernel height", kernel.height, 1), check("kernel width", kernel.width, 1);
  check("stride.height", stride.height, 1), check("stride.width", stride.width, 1);
  check("dilation.height", dilation.height, 1), check("dilation.width", dilation.width, 1);
  check("padding.top", padding.top, 0), check("padding.bottom", padding.bottom, 0);
  check("padding.left", padding.left, 0), check("padding.right", padding.right, 0);
  const kernels::sliding_window window{
      {image.height, kernel.height, stride.height, dilation.height, padding.top, padding.bottom},
      {image.width, kernel.width, stride.width, dilation.width, padding.left, padding.right}};
  const auto fits = [&name](const char* argument, const kernels::window_axis& axis) {
    require(axis.output() > 0, name + argument, axis.kernel, "taps, with a dilation of ", axis.dilation,
            ", that fit the padded image of ", axis.padding_before + axis.input + axis.padding_after, " pixels");
  };
  fits("kernel height", window.vertical), fits("kernel width", window.horizontal);
  return window;
}

}  // namespace bitwright
