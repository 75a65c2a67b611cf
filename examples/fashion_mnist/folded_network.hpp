// SPDX-License-Identifier: MIT
/// \file
/// The float network with its batch norms folded: a convolution is products, a bias and perhaps a ReLU. This is the
/// network that is calibrated, measured and quantized.
#pragma once

#include "dataset.hpp"
#include "network.hpp"
#include "trained_network.hpp"
#include <bitwright/core/executor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace fashion_mnist {

/// Values of all nodes with weights, one node after the other: see node::weights_in and node::channels_in.
struct folded_network {
  const network* graph;
  std::vector<float> weights;
  std::vector<float> biases;
};

folded_network fold(const trained_network& trained, const network& graph);

/// Sees a node's output, [images][size][size][channels], and may change it: to calibrate, or to round values as
/// quantization would. Node 0 is the image.
using node_hook = std::function<void(std::size_t node, std::span<float> values)>;

/// How many images go through the network together, whatever the executor: so no result depends on it.
inline constexpr std::size_t images_per_chunk = 32;

/// The outputs, [images][channels], for `pixels` [images][size][size][channels] in [0, 1].
std::vector<float> forward(const folded_network& net, std::span<const float> pixels, const node_hook& hook = {});

/// Where training puts the loss's gradient by the outputs: `source(outputs, cotangent)`, [images][channels] both.
template <class Scalar>
using cotangent_source = std::function<void(std::span<const Scalar>, std::span<Scalar>)>;

/// Takes a few images forward, asks for the cotangent of their outputs, takes it back, and writes what arrives at all
/// weights into `gradient`: the derivative of sum(cotangent * outputs), the biases fixed. For float and double.
template <class Scalar>
void backward(const network& graph, std::span<const Scalar> weights, std::span<const Scalar> biases,
              std::span<const Scalar> pixels, const cotangent_source<Scalar>& source, std::span<Scalar> gradient);

/// sum over images of -log softmax(outputs)[label]; its derivative by the outputs goes to `cotangent`.
template <class Scalar>
double cross_entropy(std::span<const Scalar> outputs, std::span<const std::uint8_t> labels,
                     std::span<Scalar> cotangent);

/// The class of the largest output of each image.
std::vector<std::uint8_t> predict(std::span<const float> outputs, std::size_t channels);

/// The share of `labels` that are predicted.
double top1(std::span<const float> outputs, std::span<const std::uint8_t> labels);

/// forward() for many images, in chunks. `hook` sees one chunk at a time, from several threads at once.
template <bitwright::executor Executor>
std::vector<float> forward(const folded_network& net, std::span<const float> pixels, Executor& pool,
                           const node_hook& hook = {}) {
  const std::size_t image = net.graph->input().outputs_per_image(), out = net.graph->output().channels;
  const std::size_t chunk = images_per_chunk * image;
  std::vector<float> outputs(pixels.size() / image * out);
  pool.parallel_for((pixels.size() + chunk - 1) / chunk, [&](std::size_t i) {
    const std::span<const float> part = pixels.subspan(i * chunk, std::min(chunk, pixels.size() - i * chunk));
    std::ranges::copy(forward(net, part, hook), outputs.data() + i * images_per_chunk * out);
  });
  return outputs;
}

/// The gradient of the mean cross-entropy by all weights, the biases fixed; returns that mean. Chunks are summed in
/// double and in order, so it has the same bits with every executor. For float and double.
template <class Scalar, bitwright::executor Executor>
double loss_gradient(const network& graph, std::span<const Scalar> weights, std::span<const Scalar> biases,
                     std::span<const Scalar> pixels, std::span<const std::uint8_t> labels, Executor& pool,
                     std::span<Scalar> gradient) {
  const std::size_t image = graph.input().outputs_per_image();
  const std::size_t chunks = (labels.size() + images_per_chunk - 1) / images_per_chunk;
  std::vector<std::vector<Scalar>> parts(chunks, std::vector<Scalar>(weights.size()));
  std::vector<double> losses(chunks);
  pool.parallel_for(chunks, [&](std::size_t i) {
    const std::size_t first = i * images_per_chunk, count = std::min(images_per_chunk, labels.size() - first);
    const cotangent_source<Scalar> source = [&](std::span<const Scalar> outputs, std::span<Scalar> cotangent) {
      losses[i] = cross_entropy(outputs, labels.subspan(first, count), cotangent);
    };
    backward(graph, weights, biases, pixels.subspan(first * image, count * image), source, std::span(parts[i]));
  });
  double loss = 0;
  for (const double part : losses) loss += part;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    double sum = 0;
    for (const auto& part : parts) sum += static_cast<double>(part[w]);
    gradient[w] = static_cast<Scalar>(sum / static_cast<double>(labels.size()));
  }
  return loss / static_cast<double>(labels.size());
}

}  // namespace fashion_mnist
