// SPDX-License-Identifier: MIT
#include "corrected_biases.hpp"

#include "dataset.hpp"
#include "integer_network.hpp"
#include <bitwright/core/executor.hpp>
#include <bitwright/post_training/bias_correction.hpp>
#include <bitwright/post_training/channel_means.hpp>

#include <cstddef>

namespace fashion_mnist {
namespace {

/// The means of a node's channels that codes of it stand for.
std::vector<double> means_of(const node& each, const activation_quantizer& output,
                             std::span<const std::int16_t> codes) {
  std::vector<float> values(codes.size());
  output.dequantize(codes, values);
  bitwright::channel_means means(each.channels);
  means.observe(values);
  return means.values();
}

}  // namespace

std::vector<std::vector<double>> mean_outputs(const folded_network& net, std::span<const std::uint8_t> pixels) {
  std::vector<bitwright::channel_means> observers;
  for (const node& each : net.graph->nodes()) observers.emplace_back(each.channels);
  bitwright::serial_executor one_thread;
  forward(net, to_values(pixels), one_thread,
          [&observers](std::size_t node, std::span<float> values) { observers[node].observe(values); });
  std::vector<std::vector<double>> means;
  for (const bitwright::channel_means& observer : observers) means.push_back(observer.values());
  return means;
}

std::vector<float> corrected_biases(const folded_network& net, std::span<const integer_weights> layers,
                                    std::span<const activation_quantizer> outputs,
                                    std::span<const std::vector<double>> means, std::span<const std::uint8_t> pixels) {
  std::vector<float> biases = net.biases;
  auto layer = layers.begin();
  for (const node& each : net.graph->nodes()) {
    if (!each.has_weights()) continue;
    const std::size_t input = each.inputs[0];
    const auto codes = integer_network(*net.graph, layers, biases, outputs).node_codes(pixels);
    const std::vector<double> now = means_of((*net.graph)[input], outputs[input], codes[input]);
    std::vector<double> shifts = now;
    for (std::size_t channel = 0; channel < shifts.size(); ++channel) shifts[channel] -= means[input][channel];

    const bitwright::shape shape = shape_of(each);
    const bitwright::tensor_view<const float> weights(each.weights_in(std::span(net.weights)), shape);
    const std::vector<float> stored = values_of(*layer++), zeros(stored.size());
    const std::span<float> bias = each.channels_in(std::span(biases));
    bitwright::correct_bias(weights, {stored, shape}, now, bias, each.groups);    // (W' - W) m'
    bitwright::correct_bias({zeros, shape}, weights, shifts, bias, each.groups);  // W (m' - m)
  }
  return biases;
}

}  // namespace fashion_mnist
