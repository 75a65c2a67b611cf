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

template <class Output>
auto make_convolution(const node& each, const folded_network& net, const quantization& codes, std::size_t index,
                      std::string_view path) {
  const activation_quantizer &input = codes.outputs[each.inputs[0]], &output = codes.outputs[index];
  const auto weights = quantize_weights(*codes.weights[index], each.weights_in(std::span(net.weights)));
  return bitwright::convolution<std::uint8_t, Output>(
      {.input = input.map(),
       .image = {each.in_size, each.in_size},
       .weights = {weights.codes.values(), {each.channels, each.kernel, each.kernel, each.in_channels / each.groups}},
       .weight_maps = weights.maps,
       .bias = each.channels_in(std::span(net.biases)),
       .stride = {each.stride, each.stride},
       .padding = bitwright::image_padding::on_all_sides(each.padding),
       .groups = each.groups,
       .output = output.map(),
       .output_codes = output.codes()},
      path_or_best(bitwright::kernels::convolution_paths<std::uint8_t, Output, bitwright::half_to_even>, path));
}

auto make_linear(const node& each, const folded_network& net, const quantization& codes, std::size_t index,
                 std::string_view path) {
  const auto weights = quantize_weights(*codes.weights[index], each.weights_in(std::span(net.weights)));
  return bitwright::linear<std::uint8_t, std::int16_t>(
      {.input = codes.outputs[each.inputs[0]].map(),
       .weights = weights.codes,
       .weight_maps = weights.maps,
       .bias = each.channels_in(std::span(net.biases)),
       .output = codes.outputs[index].map(),
       .output_codes = codes.outputs[index].codes()},
      path_or_best(bitwright::kernels::gemm_paths<std::uint8_t, std::int16_t, bitwright::half_to_even>, path));
}

auto make_residual_add(const node& each, const quantization& codes, std::size_t index, std::string_view path) {
  return bitwright::residual_add<std::uint8_t, std::int16_t, std::uint8_t>(
      {.left = codes.outputs[each.inputs[0]].map(),
       .right = codes.outputs[each.inputs[1]].map(),
       .output = codes.outputs[index].map()},
      path_or_best(
          bitwright::kernels::residual_add_paths<std::uint8_t, std::int16_t, std::uint8_t, bitwright::half_to_even>,
          path));
}

auto make_global_average_pooling(const node& each, const quantization& codes, std::size_t index,
                                 std::string_view path) {
  const bitwright::height_width image{each.in_size, each.in_size};
  return bitwright::average_pooling<std::uint8_t, std::uint8_t>(
      {.input = codes.outputs[each.inputs[0]].map(),
       .window = {.image = image, .channels = each.channels, .kernel = image},
       .output = codes.outputs[index].map()},
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
  node_output operator()(const bitwright::linear<std::uint8_t, std::int16_t>& layer) const {
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
    std::vector<std::byte> workspace(layer.workspace_bytes());
    layer.run(input<narrow_codes>(0), codes, workspace);
    return codes;
  }
};

}  // namespace

integer_network::integer_network(const folded_network& net, const quantization& codes, std::string_view path)
    : graph_(net.graph) {
  for (std::size_t i = 1; i < graph_->nodes().size(); ++i) {
    const node& each = (*graph_)[i];
    switch (each.kind) {
      case node_kind::convolution:
        if (has_wide_outputs(each))
          layers_.emplace_back(make_convolution<std::int16_t>(each, net, codes, i, path));
        else
          layers_.emplace_back(make_convolution<std::uint8_t>(each, net, codes, i, path));
        break;
      case node_kind::linear:
        layers_.emplace_back(make_linear(each, net, codes, i, path));
        break;
      case node_kind::residual_add:
        layers_.emplace_back(make_residual_add(each, codes, i, path));
        break;
      case node_kind::global_average_pooling:
        layers_.emplace_back(make_global_average_pooling(each, codes, i, path));
        break;
      case node_kind::image:
        bitwright::fail("integer_network: node", each.name, "no image but the first node");
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
