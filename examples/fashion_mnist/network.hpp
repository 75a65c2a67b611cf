// SPDX-License-Identifier: MIT
/// \file
/// A small convolutional network as data: a list of nodes that every pass, float or integer, walks in order.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace fashion_mnist {

/// What a node computes. `image` is the network's input, and always node 0.
enum class node_kind { image, convolution, residual_add, global_average_pooling, linear };

/// One node. Its output is [size][size][channels] an image (NHWC); its weights, where it has any, are
/// [channels][kernel][kernel][input channels / groups]. A linear node is a convolution of one pixel.
struct node {
  std::string name;
  node_kind kind;
  std::vector<std::size_t> inputs;  ///< Indices of earlier nodes: none for an image, two for an add, else one.
  std::size_t in_size = 0;          ///< Height, and width, of the input. With padding 0 and stride 1 where unused.
  std::size_t in_channels = 0;
  std::size_t size = 0;      ///< Height, and width, of the output.
  std::size_t channels = 0;  ///< Of the output.
  std::size_t kernel = 1;    ///< Height, and width, of the window.
  std::size_t stride = 1;
  std::size_t padding = 0;  ///< Zeros on each side.
  std::size_t groups = 1;   ///< 1, or in_channels for a depthwise convolution.
  bool relu = false;        ///< Negative outputs become 0, as the last thing that happens.
  bool batch_norm = false;  ///< Trained with a batch norm behind the products; otherwise they get a bias.

  std::size_t first_weight = 0;   ///< Where its weights start in a vector of all weights.
  std::size_t first_channel = 0;  ///< Where its channels start in a vector of all channels of nodes with weights.

  bool has_weights() const { return kind == node_kind::convolution || kind == node_kind::linear; }
  bool depthwise() const { return groups > 1; }
  std::size_t weights_per_channel() const { return has_weights() ? kernel * kernel * in_channels / groups : 0; }
  std::size_t weights() const { return channels * weights_per_channel(); }
  std::size_t inputs_per_image() const { return in_size * in_size * in_channels; }
  std::size_t outputs_per_image() const { return size * size * channels; }
  std::size_t multiply_accumulates() const { return size * size * weights(); }  ///< For one image.

  /// Its part of a vector of all weights, or of all channels.
  template <class T>
  std::span<T> weights_in(std::span<T> all) const {
    return all.subspan(first_weight, weights());
  }
  template <class T>
  std::span<T> channels_in(std::span<T> all) const {
    return all.subspan(first_channel, channels);
  }
};

/// Nodes in an order in which each comes after its inputs; the last one's output is the network's.
/// The functions that add a node return its index, and throw bitwright::invalid_argument where it cannot be.
class network {
 public:
  struct window {
    std::size_t kernel = 1, stride = 1;
  };

  network(std::size_t size, std::size_t channels);

  /// A convolution padded by (kernel - 1) / 2 and trained with a batch norm.
  std::size_t convolution(std::string name, std::size_t input, std::size_t channels, window filter, bool relu = true);
  /// A convolution of each channel with a filter of its own.
  std::size_t depthwise(std::string name, std::size_t input, window filter);
  /// The sum of two outputs of one shape, with ReLU.
  std::size_t residual_add(std::string name, std::size_t left, std::size_t right);
  /// The mean of each channel over all pixels.
  std::size_t global_average_pooling(std::string name, std::size_t input);
  std::size_t linear(std::string name, std::size_t input, std::size_t channels);

  std::span<const node> nodes() const { return nodes_; }
  const node& operator[](std::size_t index) const { return nodes_[index]; }
  const node& input() const { return nodes_.front(); }
  const node& output() const { return nodes_.back(); }

  std::size_t weights() const { return weights_; }             ///< Of all nodes.
  std::size_t weighted_channels() const { return channels_; }  ///< Output channels of all nodes with weights.
  std::size_t multiply_accumulates() const;                    ///< Of all nodes, for one image.
  std::vector<std::size_t> layer_sizes() const;                ///< Weights of each node that has any, in order.

 private:
  const node& at(std::size_t index) const;
  std::size_t add(node added);

  std::vector<node> nodes_;
  std::size_t weights_ = 0, channels_ = 0;
};

/// The network of the examples: a residual block of ordinary convolutions, then depthwise-separable ones, two of them
/// residual; 28 x 28 pixels in [0, 1] to 10 classes.
const network& residual_network();

}  // namespace fashion_mnist
