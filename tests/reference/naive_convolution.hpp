// SPDX-License-Identifier: MIT
/// \file
/// The oracle of convolution and, as its 1x1 case, of gemm: signed coordinates, 64-bit sums, one loop an index.
#pragma once

#include "exact_rounding.hpp"
#include <bitwright/arithmetic/dyadic.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright::reference {

/// One axis of a window, down or across.
struct naive_axis {
  std::int64_t image, kernel, stride = 1, dilation = 1, before = 0, after = 0;

  /// Windows, counted one by one.
  std::int64_t windows() const {
    std::int64_t count = 0;
    for (std::int64_t start = -before; start + (kernel - 1) * dilation < image + after; start += stride) ++count;
    return count;
  }
};

/// A convolution, whole numbers only. Everything is row-major, images height x width x channels.
struct naive_convolution {
  naive_axis down = {1, 1}, across = {1, 1};
  std::int64_t images = 1, groups = 1, group_channels = 1, outputs = 1;
  std::vector<std::int64_t> activations = {}, weights = {}, weight_zero_points = {}, bias = {};
  std::vector<dyadic> factors = {};
  std::int64_t activation_zero_point = 0, output_zero_point = 0, least = 0, most = 0;

  std::int64_t accumulator(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t n) const {
    const std::int64_t group = n / (outputs / groups), channels = groups * group_channels;
    std::int64_t sum = at(bias, n);
    for (std::int64_t i = 0; i < down.kernel; ++i)
      for (std::int64_t j = 0; j < across.kernel; ++j)
        for (std::int64_t c = 0; c < group_channels; ++c) {
          const std::int64_t row = y * down.stride + i * down.dilation - down.before;
          const std::int64_t column = x * across.stride + j * across.dilation - across.before;
          if (row < 0 || row >= down.image || column < 0 || column >= across.image) continue;
          const std::int64_t pixel = (image * down.image + row) * across.image + column;
          const std::int64_t activation = at(activations, pixel * channels + group * group_channels + c);
          const std::int64_t weight = at(weights, ((n * down.kernel + i) * across.kernel + j) * group_channels + c);
          sum += (activation - activation_zero_point) * (weight - at(weight_zero_points, n));
        }
    return sum;
  }

  /// The codes of all outputs, by code_of<Rounding>.
  template <class Rounding>
  std::vector<std::int64_t> result() const {
    return result(code_of<Rounding>);
  }

 private:
  // Compiled once for all roundings.
  std::vector<std::int64_t> result(decltype(code_of<half_up>)* code_of_sum) const {
    std::vector<std::int64_t> codes;
    for (std::int64_t image = 0; image < images; ++image)
      for (std::int64_t y = 0; y < down.windows(); ++y)
        for (std::int64_t x = 0; x < across.windows(); ++x)
          for (std::int64_t n = 0; n < outputs; ++n)
            codes.push_back(code_of_sum(accumulator(image, y, x, n), factors[static_cast<std::size_t>(n)],
                                        output_zero_point, least, most));
    return codes;
  }

  static std::int64_t at(const std::vector<std::int64_t>& values, std::int64_t index) {
    return values.at(static_cast<std::size_t>(index));
  }
};

}  // namespace bitwright::reference
