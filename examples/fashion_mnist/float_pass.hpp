// SPDX-License-Identifier: MIT
/// \file
/// A few images through the network and back, in float or double: the one loop that inference, gradients and training
/// share. They differ in what stands between a layer's products and its ReLU: a bias, or a batch norm.
#pragma once

#include "network.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace fashion_mnist {

/// Row-major matrices on memory that others own.
template <class Scalar>
using matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Scalar>
auto as_matrix(std::span<const Scalar> values, std::size_t columns) {
  return Eigen::Map<const matrix<Scalar>>(values.data(), static_cast<Eigen::Index>(values.size() / columns),
                                          static_cast<Eigen::Index>(columns));
}
template <class Scalar>
auto as_matrix(std::span<Scalar> values, std::size_t columns) {
  return Eigen::Map<matrix<Scalar>>(values.data(), static_cast<Eigen::Index>(values.size() / columns),
                                    static_cast<Eigen::Index>(columns));
}

/// Calls `row(inside, window, length)` for each row of each output pixel's window, as far as it lies in the image:
/// `length` values from `inside` in the image are the values from `window` in a matrix with a row for each pixel's
/// window, kernel * kernel * in_channels long.
template <class Row>
void for_each_window_row(const node& layer, Row row) {
  const auto clamp = [&layer](std::ptrdiff_t position) {
    return static_cast<std::size_t>(
        std::clamp(position, std::ptrdiff_t{0}, static_cast<std::ptrdiff_t>(layer.in_size)));
  };
  for (std::size_t y = 0; y < layer.size; ++y)
    for (std::size_t x = 0; x < layer.size; ++x)
      for (std::size_t ky = 0; ky < layer.kernel; ++ky) {
        const auto top =
            static_cast<std::ptrdiff_t>(y * layer.stride + ky) - static_cast<std::ptrdiff_t>(layer.padding);
        if (top < 0 || top >= static_cast<std::ptrdiff_t>(layer.in_size)) continue;
        const auto left = static_cast<std::ptrdiff_t>(x * layer.stride) - static_cast<std::ptrdiff_t>(layer.padding);
        const std::size_t begin = clamp(left), end = clamp(left + static_cast<std::ptrdiff_t>(layer.kernel));
        const std::size_t skipped = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(begin) - left);
        const std::size_t pixel = y * layer.size + x;
        row((static_cast<std::size_t>(top) * layer.in_size + begin) * layer.in_channels,
            ((pixel * layer.kernel + ky) * layer.kernel + skipped) * layer.in_channels,
            (end - begin) * layer.in_channels);
      }
}

/// The products of one layer and their gradients, for `images` images. Gradients are added to what is there.
template <class Scalar>
class layer_products {
 public:
  using input = std::span<const Scalar>;
  using output = std::span<Scalar>;

  void forward(const node& layer, std::size_t images, input in, input weights, output out) {
    for_each_block(layer, images, [&](std::size_t image, std::size_t count) {
      const input from = in.subspan(image * layer.inputs_per_image(), count * layer.inputs_per_image());
      const output to = out.subspan(image * layer.outputs_per_image(), count * layer.outputs_per_image());
      if (layer.depthwise())
        depthwise_forward(layer, from, weights, to);
      else
        as_matrix(to, layer.channels).noalias() =
            windows(layer, from) * as_matrix(weights, layer.weights_per_channel()).transpose();
    });
  }

  /// An empty `in_gradient` is left out.
  void backward(const node& layer, std::size_t images, input in, input weights, input out_gradient, output in_gradient,
                output weight_gradient) {
    for_each_block(layer, images, [&](std::size_t image, std::size_t count) {
      const std::size_t ins = layer.inputs_per_image(), outs = layer.outputs_per_image();
      const input from = in.subspan(image * ins, count * ins);
      const input to = out_gradient.subspan(image * outs, count * outs);
      const output back = in_gradient.empty() ? in_gradient : in_gradient.subspan(image * ins, count * ins);
      if (layer.depthwise())
        depthwise_backward(layer, from, weights, to, back, weight_gradient);
      else
        ordinary_backward(layer, from, weights, to, back, weight_gradient);
    });
  }

 private:
  static bool pointwise(const node& layer) { return layer.kernel == 1 && layer.stride == 1 && !layer.depthwise(); }

  // One image at a time keeps the matrix of windows in the cache. A pointwise layer has none, and takes all at once.
  template <class Block>
  void for_each_block(const node& layer, std::size_t images, Block block) {
    if (pointwise(layer)) return block(std::size_t{0}, images);
    for (std::size_t image = 0; image < images; ++image) block(image, std::size_t{1});
  }

  auto windows(const node& layer, input in) {
    const std::size_t width = layer.weights_per_channel();
    if (pointwise(layer)) return as_matrix(in, width);
    columns_.assign(layer.size * layer.size * width, Scalar{0});
    for_each_window_row(layer, [&](std::size_t inside, std::size_t window, std::size_t length) {
      std::copy_n(in.data() + inside, length, columns_.data() + window);
    });
    return as_matrix(input(columns_), width);
  }

  void ordinary_backward(const node& layer, input in, input weights, input out_gradient, output in_gradient,
                         output weight_gradient) {
    const std::size_t width = layer.weights_per_channel();
    const auto gradient = as_matrix(out_gradient, layer.channels);
    as_matrix(weight_gradient, width).noalias() += gradient.transpose() * windows(layer, in);
    if (in_gradient.empty()) return;
    if (pointwise(layer)) {
      as_matrix(in_gradient, width).noalias() += gradient * as_matrix(weights, width);
      return;
    }
    as_matrix(output(columns_), width).noalias() = gradient * as_matrix(weights, width);
    for_each_window_row(layer, [&](std::size_t inside, std::size_t window, std::size_t length) {
      for (std::size_t i = 0; i < length; ++i) in_gradient[inside + i] += columns_[window + i];
    });
  }

  // [channels][kernel][kernel] to [kernel][kernel][channels]: then all channels of a pixel lie side by side.
  void channels_last(const node& layer, input weights) {
    columns_.resize(weights.size());
    as_matrix(output(columns_), layer.channels) = as_matrix(weights, layer.weights_per_channel()).transpose();
  }

  void depthwise_forward(const node& layer, input in, input weights, output out) {
    channels_last(layer, weights);
    std::ranges::fill(out, Scalar{0});
    const std::size_t channels = layer.channels, window_size = layer.weights_per_channel() * channels;
    for_each_window_row(layer, [&](std::size_t inside, std::size_t window, std::size_t length) {
      Scalar* const pixel = out.data() + window / window_size * channels;
      const Scalar* const weight = columns_.data() + window % window_size;
      for (std::size_t tap = 0; tap < length; tap += channels)
        for (std::size_t c = 0; c < channels; ++c) pixel[c] += in[inside + tap + c] * weight[tap + c];
    });
  }

  void depthwise_backward(const node& layer, input in, input weights, input out_gradient, output in_gradient,
                          output weight_gradient) {
    channels_last(layer, weights);
    sums_.assign(weights.size(), Scalar{0});
    const std::size_t channels = layer.channels, window_size = layer.weights_per_channel() * channels;
    for_each_window_row(layer, [&](std::size_t inside, std::size_t window, std::size_t length) {
      const Scalar* const pixel = out_gradient.data() + window / window_size * channels;
      const std::size_t first = window % window_size;
      for (std::size_t tap = 0; tap < length; tap += channels)
        for (std::size_t c = 0; c < channels; ++c) {
          sums_[first + tap + c] += in[inside + tap + c] * pixel[c];
          if (!in_gradient.empty()) in_gradient[inside + tap + c] += columns_[first + tap + c] * pixel[c];
        }
    });
    as_matrix(weight_gradient, layer.weights_per_channel()) += as_matrix(input(sums_), channels).transpose();
  }

  std::vector<Scalar> columns_, sums_;
};

/// All outputs of one run of `images` images, kept for the way back.
/// `Between` has forward(node, values), which changes a layer's products [images * size * size][channels] in place, and
/// for the way back backward(node, gradient), which turns the gradient of what forward left into that of the products.
template <class Scalar>
class float_pass {
 public:
  float_pass(const network& graph, std::size_t images) : graph_(&graph), images_(images) {
    for (const node& each : graph.nodes()) values_.emplace_back(images * each.outputs_per_image());
  }

  /// Takes `pixels` through all nodes. `hook(index, values)` sees, and may change, each node's output.
  template <class Between, class Hook>
  std::span<const Scalar> forward(std::span<const Scalar> pixels, std::span<const Scalar> weights, Between& between,
                                  Hook&& hook) {
    std::ranges::copy(pixels, values_[0].begin());
    hook(std::size_t{0}, std::span<Scalar>(values_[0]));
    for (std::size_t i = 1; i < values_.size(); ++i) {
      const node& each = (*graph_)[i];
      const std::span<Scalar> out = values_[i];
      const std::span<const Scalar> in = values_[each.inputs[0]];
      if (each.has_weights()) {
        products_.forward(each, images_, in, each.weights_in(weights), out);
        between.forward(each, out);
      } else if (each.kind == node_kind::residual_add) {
        std::ranges::transform(in, values_[each.inputs[1]], out.begin(), std::plus{});
      } else {
        average(each, in, out);
      }
      if (each.relu)
        for (Scalar& value : out) value = std::max(value, Scalar{0});
      hook(i, out);
    }
    return values_.back();
  }

  /// After forward: takes the loss's gradient by the network's output back, and adds that by the weights.
  template <class Between>
  void backward(std::span<const Scalar> cotangent, std::span<const Scalar> weights, Between& between,
                std::span<Scalar> weight_gradient) {
    gradients_.resize(values_.size());
    for (std::size_t i = 1; i < values_.size(); ++i) gradients_[i].assign(values_[i].size(), Scalar{0});
    std::ranges::copy(cotangent, gradients_.back().begin());
    for (std::size_t i = values_.size() - 1; i > 0; --i) {
      const node& each = (*graph_)[i];
      const std::span<Scalar> gradient = gradients_[i], in_gradient = gradients_[each.inputs[0]];
      if (each.relu)
        for (std::size_t j = 0; j < gradient.size(); ++j) gradient[j] = values_[i][j] > 0 ? gradient[j] : Scalar{0};
      if (each.has_weights()) {
        between.backward(each, gradient);
        products_.backward(each, images_, values_[each.inputs[0]], each.weights_in(weights), gradient, in_gradient,
                           each.weights_in(weight_gradient));
      } else if (each.kind == node_kind::residual_add) {
        for (const std::size_t input : each.inputs)
          std::ranges::transform(gradients_[input], gradient, gradients_[input].begin(), std::plus{});
      } else {
        spread(each, gradient, in_gradient);
      }
    }
  }

 private:
  void average(const node& pooling, std::span<const Scalar> in, std::span<Scalar> out) const {
    const std::size_t pixels = pooling.in_size * pooling.in_size;
    std::ranges::fill(out, Scalar{0});
    for (std::size_t i = 0; i < in.size(); ++i)
      out[i / pixels / pooling.channels * pooling.channels + i % pooling.channels] += in[i];
    for (Scalar& value : out) value /= static_cast<Scalar>(pixels);
  }

  void spread(const node& pooling, std::span<const Scalar> gradient, std::span<Scalar> in_gradient) const {
    const std::size_t pixels = pooling.in_size * pooling.in_size;
    for (std::size_t i = 0; i < in_gradient.size(); ++i)
      in_gradient[i] += gradient[i / pixels / pooling.channels * pooling.channels + i % pooling.channels] /
                        static_cast<Scalar>(pixels);
  }

  const network* graph_;
  std::size_t images_;
  std::vector<std::vector<Scalar>> values_, gradients_;  // By node. The image's gradient stays empty: nobody asks.
  layer_products<Scalar> products_;
};

}  // namespace fashion_mnist
