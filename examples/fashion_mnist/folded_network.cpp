// SPDX-License-Identifier: MIT
#include "folded_network.hpp"

#include "float_pass.hpp"
#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/post_training/batch_norm_folding.hpp>

#include <cmath>

namespace fashion_mnist {
namespace {

template <class Scalar>
struct bias_between {
  std::span<const Scalar> biases;

  void forward(const node& layer, std::span<Scalar> values) const {
    const std::span<const Scalar> bias = layer.channels_in(biases);
    for (std::size_t first = 0; first < values.size(); first += bias.size())
      for (std::size_t c = 0; c < bias.size(); ++c) values[first + c] += bias[c];
  }

  void backward(const node&, std::span<Scalar>) const {}
};

template <class Scalar>
std::size_t count_images(const network& graph, std::span<const Scalar> pixels, const char* argument) {
  const std::size_t image = graph.input().outputs_per_image();
  bitwright::require(!pixels.empty() && pixels.size() % image == 0, argument, pixels.size(), "one or more images of ",
                     image, " values");
  return pixels.size() / image;
}

}  // namespace

folded_network fold(const trained_network& trained, const network& graph) {
  folded_network folded{&graph, trained.weights, std::vector<float>(graph.weighted_channels())};
  for (const node& layer : graph.nodes()) {
    if (!layer.has_weights()) continue;
    const std::span<float> bias = layer.channels_in(std::span(folded.biases));
    const auto channels = [&layer](const std::vector<float>& all) { return layer.channels_in(std::span(all)); };
    if (layer.batch_norm)
      bitwright::fold_batch_norm(
          {layer.weights_in(std::span(folded.weights)), {layer.channels, layer.weights_per_channel()}}, bias,
          {.gamma = channels(trained.gamma),
           .beta = channels(trained.beta),
           .mean = channels(trained.mean),
           .variance = channels(trained.variance),
           .epsilon = batch_norm_epsilon});
    else
      std::ranges::copy(channels(trained.beta), bias.begin());
  }
  return folded;
}

std::vector<float> forward(const folded_network& net, std::span<const float> pixels, const node_hook& hook) {
  float_pass<float> run(*net.graph, count_images(*net.graph, pixels, "forward: pixels.size()"));
  const bias_between<float> between{net.biases};
  const auto outputs = run.forward(pixels, std::span<const float>(net.weights), between,
                                   [&hook](std::size_t i, std::span<float> values) {
                                     if (hook) hook(i, values);
                                   });
  return {outputs.begin(), outputs.end()};
}

template <class Scalar>
void backward(const network& graph, std::span<const Scalar> weights, std::span<const Scalar> biases,
              std::span<const Scalar> pixels, const cotangent_source<Scalar>& source, std::span<Scalar> gradient) {
  bitwright::require(weights.size() == graph.weights(), "backward: weights.size()", weights.size(), graph.weights());
  bitwright::require(biases.size() == graph.weighted_channels(), "backward: biases.size()", biases.size(),
                     graph.weighted_channels());
  bitwright::require(gradient.size() == graph.weights(), "backward: gradient.size()", gradient.size(), graph.weights());
  float_pass<Scalar> run(graph, count_images(graph, pixels, "backward: pixels.size()"));
  const bias_between<Scalar> between{biases};
  const auto outputs = run.forward(pixels, weights, between, [](std::size_t, std::span<Scalar>) {});
  std::vector<Scalar> cotangent(outputs.size());
  source(outputs, cotangent);
  std::ranges::fill(gradient, Scalar{0});
  run.backward(cotangent, weights, between, gradient);
}

template <class Scalar>
double cross_entropy(std::span<const Scalar> outputs, std::span<const std::uint8_t> labels,
                     std::span<Scalar> cotangent) {
  const std::size_t channels = outputs.size() / labels.size();
  double loss = 0;
  for (std::size_t image = 0; image < labels.size(); ++image) {
    const std::span<const Scalar> row = outputs.subspan(image * channels, channels);
    const double largest = std::ranges::max(row);  // exp of what is left of it does not overflow.
    double sum = 0;
    for (const double output : row) sum += std::exp(output - largest);
    for (std::size_t c = 0; c < channels; ++c) {
      const double truth = c == labels[image] ? 1 : 0;
      cotangent[image * channels + c] = static_cast<Scalar>(std::exp(row[c] - largest) / sum - truth);
    }
    loss += std::log(sum) - (static_cast<double>(row[labels[image]]) - largest);
  }
  return loss;
}

std::vector<std::uint8_t> predict(std::span<const float> outputs, std::size_t channels) {
  std::vector<std::uint8_t> predicted;
  for (std::size_t first = 0; first < outputs.size(); first += channels) {
    const auto row = outputs.subspan(first, channels);
    predicted.push_back(static_cast<std::uint8_t>(std::ranges::max_element(row) - row.begin()));
  }
  return predicted;
}

double top1(std::span<const float> outputs, std::span<const std::uint8_t> labels) {
  bitwright::require(!labels.empty() && outputs.size() == labels.size() * classes, "top1: outputs.size()",
                     outputs.size(), classes, " for each of ", labels.size(), " labels, of which there is at least 1");
  const std::vector<std::uint8_t> predicted = predict(outputs, classes);
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1u : 0u;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

template void backward(const network&, std::span<const float>, std::span<const float>, std::span<const float>,
                       const cotangent_source<float>&, std::span<float>);
template void backward(const network&, std::span<const double>, std::span<const double>, std::span<const double>,
                       const cotangent_source<double>&, std::span<double>);
template double cross_entropy(std::span<const float>, std::span<const std::uint8_t>, std::span<float>);
template double cross_entropy(std::span<const double>, std::span<const std::uint8_t>, std::span<double>);

}  // namespace fashion_mnist
