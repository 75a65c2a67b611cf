// SPDX-License-Identifier: MIT
/// \file
/// XNOR-Net's scales of activations: how large the values are whose signs a window multiplies.
///
///     A[y][x] = mean_c |value[y][x][c]|         K[y][x] = sum of A over the window at (y, x) / taps
///
/// Taps outside of the image are 0. Sums of signs times K and the weights' scale approximate the sums of values.
/// Source: Rastegari et al., "XNOR-Net" (ECCV 2016), section 3.2.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/kernels/sliding_window.hpp>
#include <bitwright/layers/image.hpp>

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <span>

namespace bitwright {

/// The mean magnitude of at least one value: in double, eight sums at a time, in an order that depends on nothing but their
/// number. NaN if one of them is.
inline double mean_magnitude_of(std::span<const float> values) {
  std::array<double, 8> sums{};
  std::size_t i = 0;
  for (; i + 8 <= values.size(); i += 8)
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += std::abs(double{values[i + lane]});
  for (; i < values.size(); ++i) sums[i % 8] += std::abs(double{values[i]});
  const double total = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  return total / static_cast<double>(values.size());
}

/// The plan of a convolution's scales, one for each pixel of its outputs. A linear layer's, one for each row, are those of
/// images of one pixel and a window of one tap.
class magnitude_scales {
 public:
  /// What the convolution's input is, and its window.
  struct description {
    height_width image = {1, 1};
    std::size_t channels;
    height_width kernel = {1, 1};
    height_width stride = {1, 1};
    image_padding padding = {};
    height_width dilation = {1, 1};
  };

  /// Throws invalid_argument naming the argument: for no channels, for a size, stride or dilation of 0, and for a kernel
  /// larger than the padded image.
  explicit magnitude_scales(const description& layer)
      : window_(
            make_window("magnitude_scales", layer.image, layer.kernel, layer.stride, layer.padding, layer.dilation)),
        channels_(layer.channels),
        input_size_(image_size(layer.image, layer.channels)) {
    require(layer.channels > 0, "magnitude_scales: channels", layer.channels, "at least 1");
  }

  std::size_t input_size() const { return input_size_; }  ///< Values of one image: height x width x channels.
  /// Scales of one image: height x width of the outputs.
  std::size_t output_size() const { return window_.vertical.output() * window_.horizontal.output(); }
  std::size_t workspace_size() const { return input_size_ / channels_; }  ///< Numbers that `run` keeps meanwhile.

  /// As many images of scales as of values. Not finite where a value under the window is not. Allocates nothing.
  /// Asserted: whole images, as many in both spans, and a workspace of at least workspace_size().
  void run(std::span<const float> values, std::span<float> scales, std::span<double> workspace) const noexcept {
    assert(values.size() % input_size_ == 0 && scales.size() == values.size() / input_size_ * output_size());
    assert(workspace.size() >= workspace_size());
    for (std::size_t image = 0; image < values.size() / input_size_; ++image) {
      for (std::size_t pixel = 0; pixel < workspace_size(); ++pixel)
        workspace[pixel] = mean_magnitude_of(values.subspan(image * input_size_ + pixel * channels_, channels_));
      for (std::size_t i = 0; i < output_size(); ++i) scales[image * output_size() + i] = mean_of_window(workspace, i);
    }
  }

 private:
  float mean_of_window(std::span<const double> magnitudes, std::size_t output) const {
    const auto& [vertical, horizontal] = window_;
    const std::size_t y = output / horizontal.output(), x = output % horizontal.output();
    const kernels::tap_range rows = vertical.taps_inside(y), columns = horizontal.taps_inside(x);
    double sum = 0;
    for (std::size_t row = rows.first; row < rows.last; ++row)
      for (std::size_t column = columns.first; column < columns.last; ++column)
        sum += magnitudes[vertical.pixel(y, row) * horizontal.input + horizontal.pixel(x, column)];
    return static_cast<float>(sum / static_cast<double>(vertical.kernel * horizontal.kernel));
  }

  kernels::sliding_window window_;
  std::size_t channels_;
  std::size_t input_size_;
};

}  // namespace bitwright
