// SPDX-License-Identifier: MIT
#include "integer_weights.hpp"

#include <bitwright/core/executor.hpp>
#include <bitwright/post_training/bias_correction.hpp>
#include <bitwright/post_training/channel_means.hpp>

#include <cstddef>
#include <cstdint>

namespace fashion_mnist {
namespace {

struct restore {
  std::vector<float> operator()(const bitwright::quantized_weights& weights) const {
    const std::span<const std::int8_t> codes = weights.codes.values();
    const std::size_t length = codes.size() / weights.maps.size();
    std::vector<float> values;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const bitwright::affine_scale map = weights.maps[i / length];
      values.push_back(map.scale * static_cast<float>(codes[i] - map.zero_point));
    }
    return values;
  }
  std::vector<float> operator()(const bitwright::summed_weights& weights) const {
    const std::size_t count = weights.summands[0].levels.shape().elements(),
                      length = count / weights.summands[0].scales.size();
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
      double sum = 0;
      for (const bitwright::weight_summand& summand : weights.summands)
        sum += static_cast<double>(summand.scales[i / length]) * summand.levels.values()[i];
      values.push_back(static_cast<float>(sum));
    }
    return values;
  }
};

}  // namespace

bitwright::shape shape_of(const node& layer) {
  if (layer.kind == node_kind::linear) return {layer.channels, layer.weights_per_channel()};
  return {layer.channels, layer.kernel, layer.kernel, layer.in_channels / layer.groups};
}

std::vector<float> values_of(const integer_weights& weights) { return std::visit(restore{}, weights); }

std::vector<std::vector<double>> mean_outputs(const folded_network& net, std::span<const float> pixels) {
  std::vector<bitwright::channel_means> observers;
  for (const node& each : net.graph->nodes()) observers.emplace_back(each.channels);
  bitwright::serial_executor one_thread;
  forward(net, pixels, one_thread,
          [&observers](std::size_t node, std::span<float> values) { observers[node].observe(values); });
  std::vector<std::vector<double>> means;
  for (const bitwright::channel_means& observer : observers) means.push_back(observer.values());
  return means;
}

std::vector<float> corrected_biases(const folded_network& net, std::span<const integer_weights> layers,
                                    std::span<const std::vector<double>> means) {
  std::vector<float> biases = net.biases;
  auto layer = layers.begin();
  for (const node& each : net.graph->nodes()) {
    if (!each.has_weights()) continue;
    const std::vector<float> stored = values_of(*layer++);
    const bitwright::shape shape = shape_of(each);
    bitwright::correct_bias({each.weights_in(std::span(net.weights)), shape}, {stored, shape}, means[each.inputs[0]],
                            each.channels_in(std::span(biases)), each.groups);
  }
  return biases;
}

}  // namespace fashion_mnist
