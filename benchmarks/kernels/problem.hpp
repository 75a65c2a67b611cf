// SPDX-License-Identifier: MIT
/// \file
/// What the kernels and their peers are given to do: the same codes, scales and shapes for all of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace bitwright::benchmarks {

/// A square window on a square image.
struct geometry {
  std::size_t image = 1, kernel = 1, stride = 1, padding = 0;

  std::size_t output() const { return (image + 2 * padding - kernel) / stride + 1; }
};

/// A gemm or a convolution of one image: 8-bit activations and outputs without zero points, weights with a scale for
/// each output. The range of the outputs begins at 0, as after a ReLU.
struct weighted_problem {
  std::string operation, shape;
  bool is_gemm;
  std::size_t rows;  ///< Of a gemm; 1 for a convolution.
  geometry window;
  std::size_t groups, group_channels, outputs;
  std::vector<std::uint8_t> activations;
  std::vector<std::int8_t> weights;  ///< Outputs x kernel x kernel x group_channels.
  std::vector<std::int32_t> bias;
  /// From the accumulator to the output, one for each output: in double, as a layer makes them of its scales. Peers take
  /// them in float, which leaves ties where there are none.
  std::vector<double> factors;
  int index_bits = 8;             ///< What our paths may pack a weight in.
  int greatest_activation = 255;  ///< What our paths are told of activations.
  /// Our own kernel of the same shape that this is to be compared with, instead of peers.
  std::shared_ptr<const weighted_problem> against = {};

  std::size_t inputs() const { return window.kernel * window.kernel * group_channels; }
  std::size_t pixels() const { return rows * window.output() * window.output(); }
  std::size_t output_codes() const { return pixels() * outputs; }
  std::vector<float> float_factors() const { return {factors.begin(), factors.end()}; }
  double operations() const { return 2.0 * static_cast<double>(output_codes() * inputs()); }

  /// Fills in codes that use the whole of their range, weights of `weight_bits` without the least code, and factors
  /// that spread the outputs over theirs.
  void fill(int weight_bits) {
    std::mt19937 generator(1);
    std::uniform_int_distribution<int> any_code(0, 255);
    const int greatest = (1 << (weight_bits - 1)) - 1;
    std::uniform_int_distribution<int> any_weight(-greatest, greatest), any_bias(-1000, 1000);
    std::uniform_real_distribution<double> any_spread(0.5, 1.0);
    activations.resize(rows * window.image * window.image * groups * group_channels);
    weights.resize(outputs * inputs());
    for (std::uint8_t& code : activations) code = static_cast<std::uint8_t>(any_code(generator));
    for (std::int8_t& code : weights) code = static_cast<std::int8_t>(any_weight(generator));
    // The sum's standard deviation: sqrt(inputs) * that of a weight * the root mean square of an activation.
    const double deviation =
        std::sqrt(static_cast<double>(inputs())) * greatest / std::sqrt(3.0) * 255 / std::sqrt(3.0);
    for (std::size_t n = 0; n < outputs; ++n) {
      bias.push_back(any_bias(generator));
      factors.push_back(100 / deviation * any_spread(generator));
    }
  }
};

inline weighted_problem make_gemm(std::size_t rows, std::size_t inputs, std::size_t outputs, int weight_bits) {
  weighted_problem problem{.operation = "gemm W" + std::to_string(weight_bits) + "A8",
                           .shape = std::to_string(rows) + "x" + std::to_string(inputs) + "x" + std::to_string(outputs),
                           .is_gemm = true,
                           .rows = rows,
                           .window = {},
                           .groups = 1,
                           .group_channels = inputs,
                           .outputs = outputs,
                           .activations = {},
                           .weights = {},
                           .bias = {},
                           .factors = {}};
  problem.fill(weight_bits);
  return problem;
}

/// Levels of weights that have less than 8 bits, and the greatest activation.
struct narrow_codes {
  std::string name;
  std::vector<std::int8_t> levels;
  int index_bits;
  int greatest_activation = 255;
};

/// The problem with weights and activations that are `codes`, to be compared with what it was.
inline weighted_problem narrowed(const weighted_problem& wide, const narrow_codes& codes) {
  weighted_problem problem = wide;
  problem.against = std::make_shared<weighted_problem>(wide);
  problem.operation = (wide.is_gemm ? "gemm " : "convolution ") + codes.name;
  problem.index_bits = codes.index_bits;
  problem.greatest_activation = codes.greatest_activation;
  std::mt19937 generator(2);
  std::uniform_int_distribution<std::size_t> any_level(0, codes.levels.size() - 1);
  for (std::int8_t& weight : problem.weights) weight = codes.levels[any_level(generator)];
  for (std::uint8_t& code : problem.activations)
    code = static_cast<std::uint8_t>(code * (codes.greatest_activation + 1) / 256);
  return problem;
}

inline weighted_problem make_convolution(geometry window, std::size_t groups, std::size_t group_channels,
                                         std::size_t outputs) {
  const auto text = [](std::size_t value) { return std::to_string(value); };
  weighted_problem problem{.operation = groups > 1 ? "depthwise" : "convolution",
                           .shape = text(window.kernel) + "x" + text(window.kernel) + "/" + text(window.stride) + " " +
                                    text(window.image) + "^2x" + text(groups * group_channels) + "->" + text(outputs),
                           .is_gemm = false,
                           .rows = 1,
                           .window = window,
                           .groups = groups,
                           .group_channels = group_channels,
                           .outputs = outputs,
                           .activations = {},
                           .weights = {},
                           .bias = {},
                           .factors = {}};
  problem.fill(8);
  return problem;
}

inline std::vector<std::uint8_t> random_bytes(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint8_t> bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator() >> 24);
  return bytes;
}

/// Pooling of one image.
struct pooling_problem {
  enum class kinds { maximum, average } kind;
  geometry window;
  std::size_t channels;
  std::vector<std::uint8_t> activations;

  pooling_problem(kinds pooling, geometry shape, std::size_t image_channels)
      : kind(pooling),
        window(shape),
        channels(image_channels),
        activations(random_bytes(shape.image * shape.image * image_channels, 2)) {}

  std::string operation() const {
    const std::string name = kind == kinds::maximum ? "max pooling" : "average pooling";
    return window.kernel == window.image ? "global " + name : name;
  }
  std::string shape() const {
    const auto text = [](std::size_t value) { return std::to_string(value); };
    return text(window.kernel) + "x" + text(window.kernel) + "/" + text(window.stride) + " " + text(window.image) +
           "^2x" + text(channels);
  }
  std::size_t output_codes() const { return window.output() * window.output() * channels; }
  double bytes() const { return static_cast<double>(activations.size() + output_codes()); }
};

/// The sum of two tensors with scales of their own.
struct addition_problem {
  float left_factor = 0.7f, right_factor = 0.4f;  ///< Scale of the branch / scale of the output.
  std::vector<std::uint8_t> left, right;

  explicit addition_problem(std::size_t count) : left(random_bytes(count, 3)), right(random_bytes(count, 4)) {}

  std::string shape() const { return std::to_string(left.size()) + " codes"; }
  double bytes() const { return 3.0 * static_cast<double>(left.size()); }
};

/// A table's value for each code.
struct lookup_problem {
  std::vector<std::uint8_t> codes, table = random_bytes(256, 5);

  explicit lookup_problem(std::size_t count) : codes(random_bytes(count, 6)) {}

  std::string shape() const { return std::to_string(codes.size()) + " codes"; }
  double bytes() const { return 2.0 * static_cast<double>(codes.size()); }
};

/// An image's change from channels first to channels last.
struct transpose_problem {
  std::size_t channels, pixels;
  std::vector<std::uint8_t> codes;

  transpose_problem(std::size_t image_channels, std::size_t image_pixels)
      : channels(image_channels), pixels(image_pixels), codes(random_bytes(image_channels * image_pixels, 7)) {}

  std::string shape() const { return std::to_string(channels) + "x" + std::to_string(pixels); }
  double bytes() const { return 2.0 * static_cast<double>(codes.size()); }
};

}  // namespace bitwright::benchmarks
