// SPDX-License-Identifier: MIT
#include "schemes.hpp"

#include <bitwright/calibration/least_error.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace fashion_mnist {
namespace {

/// What values become when `q` has stored them.
std::vector<float> stored_by(const bitwright::quantizer auto& q, std::span<const float> values) {
  std::vector<typename std::remove_cvref_t<decltype(q)>::code_type> codes(values.size());
  std::vector<float> restored(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, restored);
  return restored;
}

/// `fit` makes a channel's quantizer.
template <class Fit>
weight_scheme::store_function each_channel(Fit fit) {
  return [fit](const node& layer, std::span<const float> weights) {
    const bitwright::tensor_view<const float> channels(weights, {layer.channels, layer.weights_per_channel()});
    return stored_by(bitwright::fit_slices(channels, bitwright::per_channel{}, fit), weights);
  };
}

double cubed_error(const bitwright::piecewise_linear<>& q, std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += std::pow(std::abs(q.dequantize(q.quantize(value)) - value), 3);
  return sum;
}

bitwright::piecewise_linear<> fit_pieces(std::span<const float> channel, int piece_bits) {
  bitwright::piecewise_linear<> best = bitwright::search_breakpoints(channel, piece_bits);
  const float largest = best.limit();
  for (int percent = 95; largest > 0 && percent >= 40; percent -= 5) {
    const float limit = largest * static_cast<float>(percent) / 100;
    const auto clipped = bitwright::search_breakpoints(channel, piece_bits, 1, limit);
    if (cubed_error(clipped, channel) < cubed_error(best, channel)) best = clipped;
  }
  return best;
}

std::string name_of(int bits, std::string_view codes) {
  return std::string("W").append(std::to_string(bits)).append(codes);
}

weight_scheme piecewise_linear_scheme(int bits) {
  return {name_of(bits, " piecewise linear"),
          "piecewise_linear",
          bits,
          bits,
          3,
          0,
          each_channel([bits](std::span<const float> channel) { return fit_pieces(channel, bits - 1); })};
}

template <int Bits>
weight_scheme additive_scheme() {
  return {name_of(Bits, " additive powers"),
          "additive_power_of_two",
          Bits,
          Bits,
          2,
          0,
          each_channel([](std::span<const float> channel) {
            return bitwright::fit_least_error(channel, 3, bitwright::additive_power_of_two<Bits>::symmetric);
          })};
}

weight_scheme term_scheme(int terms) {
  const bitwright::term_budget budget{8, 8 * static_cast<std::size_t>(terms)};
  const auto fit = [budget](std::span<const float> channel) {
    return bitwright::term<>::symmetric(bitwright::range_of(channel), 8, budget);
  };
  const int bits = bitwright::term<>::symmetric({-1, 1}, 8, budget).bits();
  return {name_of(bits, std::string(", ").append(std::to_string(terms)).append(" terms each")),
          "term",
          bits,
          terms,
          2,
          0,
          each_channel(fit)};
}

weight_scheme codebook_scheme(int bits) {
  const std::size_t levels = std::size_t{1} << bits;
  const auto store = [levels](const node& layer, std::span<const float> weights) {
    std::vector<float> scaled(weights.begin(), weights.end()), scales;
    const std::size_t size = layer.weights_per_channel();
    for (std::size_t first = 0; first < scaled.size(); first += size) {
      double squares = 0;
      for (std::size_t i = first; i < first + size; ++i) squares += double{scaled[i]} * scaled[i];
      scales.push_back(squares > 0 ? static_cast<float>(std::sqrt(squares / static_cast<double>(size))) : 1);
      for (std::size_t i = first; i < first + size; ++i) scaled[i] /= scales.back();
    }
    std::vector<float> restored = stored_by(bitwright::codebook<16>(bitwright::k_means(scaled, levels)), scaled);
    for (std::size_t i = 0; i < restored.size(); ++i) restored[i] *= scales[i / size];
    return restored;
  };
  return {name_of(bits, " codebook"), "codebook", bits, bits, 2, static_cast<int>(levels), store};
}

}  // namespace

std::vector<weight_scheme> weight_schemes() {
  return {piecewise_linear_scheme(4), additive_scheme<4>(), term_scheme(3), codebook_scheme(4),
          piecewise_linear_scheme(3), additive_scheme<3>(), term_scheme(2), codebook_scheme(3)};
}

layer_cost cost_of(const network& graph, const weight_scheme& scheme) {
  layer_cost sum{};
  for (const node& layer : graph.nodes()) {
    if (!layer.has_weights()) continue;
    const auto weights = static_cast<std::int64_t>(layer.weights()),
               channels = static_cast<std::int64_t>(layer.channels);
    sum.size_bytes +=
        (weights * scheme.bits + 7) / 8 + 4 * (channels * scheme.parameters_of_channel + scheme.parameters_of_layer);
    sum.bops += static_cast<std::int64_t>(layer.multiply_accumulates()) * scheme.multiplied_bits * activation_bits;
  }
  return sum;
}

std::vector<float> simulate(const folded_network& net, const weight_scheme& scheme,
                            std::span<const bitwright::range> seen, std::span<const float> pixels, thread_pool& pool) {
  folded_network rounded = net;
  std::vector<activation_quantizer> outputs;
  for (const node& each : net.graph->nodes()) {
    outputs.push_back(fit_outputs(each, seen[outputs.size()]));
    if (!each.has_weights()) continue;
    const std::span<float> weights = each.weights_in(std::span(rounded.weights));
    std::ranges::copy(scheme.store(each, weights), weights.begin());
  }
  return forward(rounded, pixels, pool, [&outputs](std::size_t node, std::span<float> values) {
    for (float& value : values) value = outputs[node].dequantize(outputs[node].quantize(value));
  });
}

}  // namespace fashion_mnist
