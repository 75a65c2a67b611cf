// SPDX-License-Identifier: MIT
#include "simulated_network.hpp"

namespace fashion_mnist {

simulated_network::simulated_network(const folded_network& net, const quantization& codes)
    : rounded_(net), codes_(&codes) {
  const std::span<float> all(rounded_.weights);
  for (std::size_t i = 0; i < net.graph->nodes().size(); ++i) {
    const node& each = (*net.graph)[i];
    if (!each.has_weights()) continue;
    std::vector<std::int8_t> stored(each.weights());
    codes.weights[i]->quantize(each.weights_in(all), stored);
    codes.weights[i]->dequantize(stored, each.weights_in(all));
  }
}

void simulated_network::round(std::size_t node, std::span<float> values) const {
  const activation_quantizer& output = codes_->outputs[node];
  for (float& value : values) value = output.dequantize(output.quantize(value));
}

std::vector<std::vector<std::int16_t>> simulated_network::node_codes(std::span<const float> pixels) const {
  std::vector<std::vector<std::int16_t>> codes(codes_->outputs.size());
  forward(rounded_, pixels, [&](std::size_t node, std::span<float> values) {
    codes[node].resize(values.size());
    codes_->outputs[node].quantize(values, codes[node]);
    codes_->outputs[node].dequantize(codes[node], values);
  });
  return codes;
}

}  // namespace fashion_mnist
