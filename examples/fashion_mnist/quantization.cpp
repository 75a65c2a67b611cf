// SPDX-License-Identifier: MIT
#include "quantization.hpp"

#include <bitwright/calibration/least_error.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>

namespace fashion_mnist {

namespace {

using channel_quantizer = bitwright::uniform<bitwright::dynamic_bits, std::int8_t>;

// With few bits it pays to clip the largest weights: the finer steps that the others get lose less in all. But the
// largest matter most, so that an error counts for more than its square: "Loss aware post-training quantization"
// (Nahshan et al., Machine Learning 2021), section 4.
channel_quantizer fit_channel(std::span<const float> weights, int bits) {
  return bitwright::fit_least_error(
      weights, 3, [bits](bitwright::range limits) { return channel_quantizer::symmetric(limits, bits); });
}

}  // namespace

weight_quantizer fit_weights(const node& layer, std::span<const float> weights, int bits) {
  const bitwright::tensor_view<const float> channels(weights, {layer.channels, layer.weights_per_channel()});
  return bitwright::fit_slices(channels, bitwright::per_channel{},
                               [bits](std::span<const float> channel) { return fit_channel(channel, bits); });
}

activation_quantizer fit_outputs(const node& each, bitwright::range seen) {
  if (has_wide_outputs(each)) return activation_quantizer::symmetric(seen, 16);
  // Whatever was seen, a pixel is a code already: its value is pixel / 255.
  if (each.kind == node_kind::image) seen = {0, 1};
  const auto codes = bitwright::uniform<activation_bits, std::uint8_t>::symmetric(seen);
  return {codes.map(), codes.codes()};
}

quantization::quantization(const network& graph, std::span<const float> all_weights, std::span<const int> weight_bits,
                           std::span<const bitwright::range> seen) {
  bitwright::require(weight_bits.size() == graph.layer_sizes().size(), "quantization: weight_bits.size()",
                     weight_bits.size(), "one for each layer, ", graph.layer_sizes().size());
  bitwright::require(seen.size() == graph.nodes().size(), "quantization: seen.size()", seen.size(),
                     "one range for each node, ", graph.nodes().size());
  auto bits = weight_bits.begin();
  for (const node& each : graph.nodes()) {
    outputs.push_back(fit_outputs(each, seen[outputs.size()]));
    if (each.has_weights())
      weights.emplace_back(fit_weights(each, each.weights_in(all_weights), *bits++));
    else
      weights.emplace_back();
  }
}

layer_cost cost_of(const node& layer, int bits) {
  const auto weights = static_cast<std::int64_t>(layer.weights());
  const auto channels = static_cast<std::int64_t>(layer.channels);
  const auto products = static_cast<std::int64_t>(layer.multiply_accumulates());
  return {.size_bytes = (weights * bits + 7) / 8 + 8 * channels, .bops = products * bits * activation_bits};
}

}  // namespace fashion_mnist
