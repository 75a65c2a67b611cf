// SPDX-License-Identifier: MIT
#include "integer_network.hpp"

#include <bitwright/layers/quantized_weights.hpp>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace fashion_mnist {
namespace {

// The path called `name` where `paths` has it for this processor; else none, which is the best.
template <class Paths>
std::string_view path_or_best(const Paths& paths, std::string_view name) {
  const bool found =
      std::ranges::any_of(paths, [name](const auto& path) { return path.name == name && path.available(); });
  return found ? name : std::string_view();
}

// What a layer with weights is made of, but for these.
struct layer_parts {
  const node& each;
  std::span<const float> bias;
  const activation_quantizer& input;
  const activation_quantizer& output;
  std::string_view path;
};

template <class Output>
auto make_convolution(const layer_parts& parts, const bitwright::quantized_weights& weights) {
  const node& each = parts.each;
  return bitwright::convolution<std::uint8_t, Output>(
      {.input = parts.input.map(),
       .image = {each.in_size, each.in_size},
       .weights = {weights.codes.values(), shape_of(each)},
       .weight_maps = weights.maps,
       .bias = parts.bias,
       .stride = {each.stride, each.stride},
       .padding = bitwright::image_padding::on_all_sides(each.padding),
       .groups = each.groups,
       .output = parts.output.map(),
       .output_codes = parts.output.codes()},
      path_or_best(bitwright::kernels::convolution_paths<std::uint8_t, Output, bitwright::half_to_even>, parts.path));
}

template <class Output>
auto make_convolution(const layer_parts& parts, const bitwright::summed_weights& weights) {
  const node& each = parts.each;
  return bitwright::summed_convolution<std::uint8_t, Output>(
      {.input = parts.input.map(),
       .image = {each.in_size, each.in_size},
       .weights = weights,
       .bias = parts.bias,
       .stride = {each.stride, each.stride},
       .padding = bitwright::image_padding::on_all_sides(each.padding),
       .groups = each.groups,
       .output = parts.output.map(),
       .output_codes = parts.output.codes()},
      path_or_best(bitwright::kernels::convolution_paths<std::uint8_t, std::int32_t, bitwright::half_to_even>,
                   parts.path));
}

auto make_linear(const layer_parts& parts, const bitwright::quantized_weights& weights) {
  return bitwright::linear<std::uint8_t, std::int16_t>(
      {.input = parts.input.map(),
       .weights = {weights.codes.values(), shape_of(parts.each)},
       .weight_maps = weights.maps,
       .bias = parts.bias,
       .output = parts.output.map(),
       .output_codes = parts.output.codes()},
      path_or_best(bitwright::kernels::gemm_paths<std::uint8_t, std::int16_t, bitwright::half_to_even>, parts.path));
}

auto make_linear(const layer_parts& parts, const bitwright::summed_weights& weights) {
  return bitwright::summed_linear<std::uint8_t, std::int16_t>(
      {.input = parts.input.map(),
       .weights = weights,
       .bias = parts.bias,
       .output = parts.output.map(),
       .output_codes = parts.output.codes()},
      path_or_best(bitwright::kernels::gemm_paths<std::uint8_t, std::int32_t, bitwright::half_to_even>, parts.path));
}

auto make_residual_add(const node& each, std::span<const activation_quantizer> outputs, std::size_t index,
                       std::string_view path) {
  return bitwright::residual_add<std::uint8_t, std::int16_t, std::uint8_t>(
      {.left = outputs[each.inputs[0]].map(), .right = outputs[each.inputs[1]].map(), .output = outputs[index].map()},
      path_or_best(
          bitwright::kernels::residual_add_paths<std::uint8_t, std::int16_t, std::uint8_t, bitwright::half_to_even>,
          path));
}

auto make_global_average_pooling(const node& each, std::span<const activation_quantizer> outputs, std::size_t index,
                                 std::string_view path) {
  const bitwright::height_width image{each.in_size, each.in_size};
  return bitwright::average_pooling<std::uint8_t, std::uint8_t>(
      {.input = outputs[each.inputs[0]].map(),
       .window = {.image = image, .channels = each.channels, .kernel = image},
       .output = outputs[index].map()},
      path_or_best(bitwright::kernels::average_pooling_paths<std::uint8_t, std::uint8_t, bitwright::half_to_even>,
                   path));
}

// One layer's turn: it finds its inputs among the outputs so far, and returns its own.
struct layer_call {
  const node& each;
  const std::vector<node_output>& outputs;
  std::size_t images;

  template <class Output>
  node_output operator()(const bitwright::convolution<std::uint8_t, Output>& layer) const {
    return run_with_workspace<Output>(layer);
  }
  template <class Output>
  node_output operator()(const bitwright::summed_convolution<std::uint8_t, Output>& layer) const {
    return run_with_workspace<Output>(layer);
  }
  node_output operator()(const bitwright::linear<std::uint8_t, std::int16_t>& layer) const {
    return run_with_workspace<std::int16_t>(layer);
  }
  node_output operator()(const bitwright::summed_linear<std::uint8_t, std::int16_t>& layer) const {
    return run_with_workspace<std::int16_t>(layer);
  }
  node_output operator()(const bitwright::residual_add<std::uint8_t, std::int16_t, std::uint8_t>& layer) const {
    narrow_codes sum(input<narrow_codes>(0).size());
    layer.run(input<narrow_codes>(0), input<wide_codes>(1), sum);
    return sum;
  }
  node_output operator()(const bitwright::average_pooling<std::uint8_t, std::uint8_t>& layer) const {
    narrow_codes averages(images * layer.output_size());
    layer.run(input<narrow_codes>(0), averages);
    return averages;
  }

 private:
  template <class Codes>
  const Codes& input(std::size_t which) const {
    return std::get<Codes>(outputs[each.inputs[which]]);
  }
  template <class Output>
  node_output run_with_workspace(const auto& layer) const {
    std::vector<Output> codes(images * layer.output_size());
    const std::size_t bytes = layer.workspace_bytes();
    const auto workspace = std::make_unique_for_overwrite<std::byte[]>(bytes);
    layer.run(input<narrow_codes>(0), codes, {workspace.get(), bytes});
    return codes;
  }
};

// The plan of a layer with weights.
template <class Weights, class Layers>
void add_layer(const layer_parts& parts, const Weights& weights, Layers& layers) {
  if (parts.each.kind == node_kind::linear)
    layers.emplace_back(make_linear(parts, weights));
  else if (has_wide_outputs(parts.each))
    layers.emplace_back(make_convolution<std::int16_t>(parts, weights));
  else
    layers.emplace_back(make_convolution<std::uint8_t>(parts, weights));
}

// The uniform codes of each layer.
std::vector<integer_weights> quantize_layers(const folded_network& net, const quantization& codes) {
  std::vector<integer_weights> layers;
  for (std::size_t i = 0; i < net.graph->nodes().size(); ++i)
    if ((*net.graph)[i].has_weights())
      layers.emplace_back(quantize_weights(*codes.weights[i], (*net.graph)[i].weights_in(std::span(net.weights))));
  return layers;
}

}  // namespace

integer_network::integer_network(const folded_network& net, const quantization& codes, std::string_view path)
    : integer_network(*net.graph, quantize_layers(net, codes), net.biases, codes.outputs, path) {}

integer_network::integer_network(const network& graph, std::span<const integer_weights> weights,
                                 std::span<const float> biases, std::span<const activation_quantizer> outputs,
                                 std::string_view path)
    : graph_(&graph) {
  bitwright::require(weights.size() == graph.layer_sizes().size(), "integer_network: weights.size()", weights.size(),
                     "one for each layer, ", graph.layer_sizes().size());
  bitwright::require(outputs.size() == graph.nodes().size(), "integer_network: outputs.size()", outputs.size(),
                     "one for each node, ", graph.nodes().size());
  bitwright::require(biases.size() == graph.weighted_channels(), "integer_network: biases.size()", biases.size(),
                     "one for each channel, ", graph.weighted_channels());
  auto layer_weights = weights.begin();
  for (std::size_t i = 1; i < graph.nodes().size(); ++i) {
    const node& each = graph[i];
    if (each.has_weights()) {
      const layer_parts parts{each, each.channels_in(biases), outputs[each.inputs[0]], outputs[i], path};
      std::visit([&](const auto& stored) { add_layer(parts, stored, layers_); }, *layer_weights++);
    } else if (each.kind == node_kind::residual_add) {
      layers_.emplace_back(make_residual_add(each, outputs, i, path));
    } else {
      bitwright::require(each.kind == node_kind::global_average_pooling, "integer_network: node", each.name,
                         "no image but the first node");
      layers_.emplace_back(make_global_average_pooling(each, outputs, i, path));
    }
  }
}

std::vector<node_output> integer_network::run_nodes(std::span<const std::uint8_t> pixels) const {
  const std::size_t images = pixels.size() / graph_->input().outputs_per_image();
  std::vector<node_output> outputs{narrow_codes(pixels.begin(), pixels.end())};
  for (std::size_t i = 1; i < graph_->nodes().size(); ++i)
    outputs.push_back(std::visit(layer_call{(*graph_)[i], outputs, images}, layers_[i - 1]));
  return outputs;
}

std::vector<wide_codes> integer_network::node_codes(std::span<const std::uint8_t> pixels) const {
  std::vector<wide_codes> codes;
  for (const node_output& output : run_nodes(pixels))
    codes.push_back(std::visit([](const auto& stored) { return wide_codes(stored.begin(), stored.end()); }, output));
  return codes;
}

std::vector<std::function<void()>> integer_network::layer_runs(std::span<const std::uint8_t> pixels) const {
  const std::size_t images = pixels.size() / graph_->input().outputs_per_image();
  const auto outputs = std::make_shared<const std::vector<node_output>>(run_nodes(pixels));
  std::vector<std::function<void()>> runs;
  for (std::size_t i = 1; i < graph_->nodes().size(); ++i)
    if ((*graph_)[i].has_weights())
      runs.emplace_back([this, outputs, images, i] {
        std::visit(layer_call{(*graph_)[i], *outputs, images}, layers_[i - 1]);
      });
  return runs;
}

}  // namespace fashion_mnist
