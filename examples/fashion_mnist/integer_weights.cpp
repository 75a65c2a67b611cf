// SPDX-License-Identifier: MIT
#include "integer_weights.hpp"

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

}  // namespace fashion_mnist
