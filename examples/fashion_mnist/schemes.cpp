// SPDX-License-Identifier: MIT
#include "schemes.hpp"

#include <bitwright/calibration/least_error.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace fashion_mnist {
namespace {

using bitwright::range;

/// `fit` makes a channel's quantizer.
template <class Fit>
weight_scheme::store_function each_channel(Fit fit) {
  return [fit](const node& layer, std::span<const float> weights) -> integer_weights {
    const bitwright::tensor_view<const float> channels(weights, shape_of(layer));
    const auto fitted = bitwright::fit_slices(channels, bitwright::per_channel{}, fit);
    using quantizer = std::remove_cvref_t<decltype(fitted.quantizers()[0])>;
    if constexpr (bitwright::summable_quantizer<quantizer>)
      return bitwright::sum_weights(fitted, weights);
    else
      return bitwright::quantize_weights(fitted, weights);
  };
}

/// `make` makes a quantizer for a range.
template <class Make>
weight_scheme::store_function each_channel_of_least_error(Make make) {
  return each_channel([make](std::span<const float> channel) { return bitwright::fit_least_error(channel, 3, make); });
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

/// A scheme with a scale and a bias for each channel.
weight_scheme scaled_scheme(int bits, std::string_view codes, std::string name, weight_scheme::store_function store) {
  return {name_of(bits, codes), std::move(name), bits, bits, 2, 0, std::move(store)};
}

weight_scheme piecewise_linear_scheme(int bits) {
  // A product for each piece, of codes with a bit less.
  return {name_of(bits, " piecewise linear"),
          "piecewise_linear",
          bits,
          2 * (bits - 1),
          3,
          0,
          each_channel([bits](std::span<const float> channel) { return fit_pieces(channel, bits - 1); })};
}

template <int Bits>
weight_scheme additive_scheme() {
  return scaled_scheme(Bits, " additive powers", "additive_power_of_two",
                       each_channel_of_least_error(bitwright::additive_power_of_two<Bits>::symmetric));
}

weight_scheme power_scheme(int bits) {
  return scaled_scheme(bits, " powers of two", "power_of_two", each_channel_of_least_error([bits](range limits) {
                         return bitwright::power_of_two::symmetric(limits, bits);
                       }));
}

weight_scheme logarithmic_scheme(int bits) {
  return scaled_scheme(bits, " logarithmic", "logarithmic", each_channel_of_least_error([bits](range limits) {
                         return bitwright::logarithmic<>::symmetric(limits, bits);
                       }));
}

/// Terms of 8-bit codes over a channel's range. Rounded to its largest terms, a number from 86 on can become 128; a channel
/// that has -128, too, is stretched until a byte holds all of its codes, at 3/2 at the latest.
bitwright::term<> fit_terms(std::span<const float> channel, bitwright::term_budget budget) {
  const float limit = bitwright::range_of(channel).limit();
  std::vector<std::int16_t> codes(channel.size());
  for (int percent = 100;; ++percent) {
    const float stretched = limit * static_cast<float>(percent) / 100;
    const auto q = bitwright::term<>::symmetric({-stretched, stretched}, 8, budget);
    q.quantize(channel, codes);
    const auto [least, greatest] = std::ranges::minmax(codes);
    if (greatest - least <= 255) return q;
  }
}

weight_scheme term_scheme(int terms) {
  const bitwright::term_budget budget{8, 8 * static_cast<std::size_t>(terms)};
  const auto fit = [budget](std::span<const float> channel) { return fit_terms(channel, budget); };
  weight_scheme scheme = scaled_scheme(8, std::string(", ").append(std::to_string(terms)).append(" terms each"), "term",
                                       each_channel(fit));
  scheme.multiplied_bits = terms;
  return scheme;
}

weight_scheme normal_float_scheme() {
  return scaled_scheme(4, " NF4", "normal_float4", each_channel_of_least_error([](range limits) {
                         return bitwright::normal_float4(limits.limit());
                       }));
}

/// The root of the mean square of a channel, 1 for one of zeros.
float deviation(std::span<const float> channel) {
  double squares = 0;
  for (const float value : channel) squares += double{value} * value;
  return squares > 0 ? static_cast<float>(std::sqrt(squares / static_cast<double>(channel.size()))) : 1;
}

weight_scheme codebook_scheme(int bits) {
  const std::size_t count = std::size_t{1} << bits;
  const auto store = [count](const node& layer, std::span<const float> weights) -> integer_weights {
    std::vector<float> scaled(weights.begin(), weights.end());
    const std::size_t size = layer.weights_per_channel();
    for (std::size_t first = 0; first < scaled.size(); first += size) {
      const float scale = deviation(weights.subspan(first, size));
      for (std::size_t i = first; i < first + size; ++i) scaled[i] /= scale;
    }
    const std::vector<float> levels = bitwright::k_means(scaled, count);
    return each_channel([&levels](std::span<const float> channel) {
      std::vector<float> own = levels;
      for (float& level : own) level *= deviation(channel);
      return bitwright::codebook<16>(own);
    })(layer, weights);
  };
  return {name_of(bits, " codebook"), "codebook", bits, bits, 2, static_cast<int>(count), store};
}

}  // namespace

std::vector<std::string> scheme_names() {
  std::vector<std::string> names;
  for (const weight_scheme& each : weight_schemes())
    if (std::ranges::find(names, each.scheme) == names.end()) names.push_back(each.scheme);
  return names;
}

std::vector<weight_scheme> weight_schemes() {
  return {piecewise_linear_scheme(4),
          additive_scheme<4>(),
          codebook_scheme(4),
          normal_float_scheme(),
          logarithmic_scheme(4),
          power_scheme(4),
          piecewise_linear_scheme(3),
          additive_scheme<3>(),
          codebook_scheme(3),
          term_scheme(3),
          term_scheme(2),
          scaled_scheme(2, " ternary", "ternary", each_channel(bitwright::ternary::optimal)),
          scaled_scheme(1, " binary", "binary", each_channel(bitwright::binary::fit))};
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

std::vector<integer_weights> store_all(const folded_network& net, const weight_scheme& scheme) {
  std::vector<integer_weights> layers;
  for (const node& each : net.graph->nodes())
    if (each.has_weights()) layers.push_back(scheme.store(each, each.weights_in(std::span(net.weights))));
  return layers;
}

}  // namespace fashion_mnist
