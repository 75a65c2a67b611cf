// SPDX-License-Identifier: MIT
/// \file
/// A sensitivity table: what each layer would cost the loss at each bit width, row by row what an allocator chooses
/// from.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/sensitivity.hpp>
#include <bitwright/mixed_precision/sensitivity_metric.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <concepts>
#include <cstddef>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

namespace bitwright {

/// A cell of the table: one layer quantized to `bits` bits.
struct sensitivity_cell {
  int bits = 0;
  sensitivity estimate;
};

/// A row for each layer, a cell for each candidate bit width, in the order given.
using sensitivity_table = std::vector<std::vector<sensitivity_cell>>;

/// `squared_error(layer, bits)` is |Q(W) - W|^2 of that layer, in weight^2.
template <class SquaredError>
concept layer_squared_error = requires(SquaredError& squared_error, std::size_t layer, int bits) {
  { squared_error(layer, bits) } -> std::convertible_to<double>;
};

/// `make_quantizer(layer, bits, weights)` returns the quantizer of that layer's weights.
template <class MakeQuantizer>
concept layer_quantizer_maker = requires(MakeQuantizer& make_quantizer, std::size_t layer, int bits,
                                         std::span<const float> weights) {
  { make_quantizer(layer, bits, weights) } -> quantizer;
};

/// The table from traces and squared errors: `squared_error(layer, bits)` is |Q(W) - W|^2 of that layer, in weight^2.
/// Throws invalid_argument for a bit width below 0 (0 bits prune: the squared error is |W|^2) and as trace_sensitivity
/// does.
template <layer_squared_error SquaredError>
sensitivity_table make_sensitivity_table(std::span<const trace_estimate> layers, std::span<const int> bits,
                                         SquaredError&& squared_error) {
  for (const int width : bits) require(width >= 0, "make_sensitivity_table: bits", width, "at least 0");
  sensitivity_table table(layers.size());
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    for (const int width : bits)
      table[layer].push_back({width, trace_sensitivity(layers[layer], squared_error(layer, width))});
  return table;
}

/// The table by any metric, from weights and quantizers: `make_quantizer(layer, bits, weights)` returns the quantizer
/// of that layer, whose weights are its block of layer_sizes[layer] in `weights`, the weights of all layers one after
/// the other.
/// Throws invalid_argument where the sizes do not add up to the number of weights, and as the metric does.
template <sensitivity_metric Metric, layer_quantizer_maker MakeQuantizer>
sensitivity_table make_sensitivity_table(Metric&& metric, std::span<const std::size_t> layer_sizes,
                                         std::span<const int> bits, std::span<const float> weights,
                                         MakeQuantizer&& make_quantizer) {
  const std::size_t count = std::reduce(layer_sizes.begin(), layer_sizes.end());
  require(count == weights.size(), "make_sensitivity_table: weights.size()", weights.size(),
          "the sum of the layers' sizes, ", count);
  sensitivity_table table(layer_sizes.size());
  for (std::size_t layer = 0, first = 0; layer < table.size(); first += layer_sizes[layer++])
    for (const int width : bits) {
      const std::span<const float> block = weights.subspan(first, layer_sizes[layer]);
      const std::vector<float> quantized = quantized_values(make_quantizer(layer, width, block), block);
      table[layer].push_back({width, metric(layer, block, std::span<const float>(quantized))});
    }
  return table;
}

/// The table from traces, weights and quantizers, by the mean trace times the squared error.
template <layer_quantizer_maker MakeQuantizer>
sensitivity_table make_sensitivity_table(std::span<const trace_estimate> layers, std::span<const int> bits,
                                         std::span<const float> weights, MakeQuantizer&& make_quantizer) {
  std::vector<std::size_t> sizes;
  for (const trace_estimate& layer : layers) sizes.push_back(layer.weights);
  return make_sensitivity_table(mean_trace_metric{layers}, sizes, bits, weights, make_quantizer);
}

/// The table as an allocator takes it: a layer for each row, a candidate for each cell, with activations of
/// `activation_bits`. Names and costs are the caller's to fill in.
inline std::vector<allocation_layer> allocation_layers(const sensitivity_table& table, int activation_bits = 8) {
  std::vector<allocation_layer> layers(table.size());
  for (std::size_t layer = 0; layer < table.size(); ++layer)
    for (const sensitivity_cell& cell : table[layer])
      layers[layer].candidates.push_back({.weight_bits = cell.bits,
                                          .activation_bits = activation_bits,
                                          .omega = cell.estimate.omega,
                                          .standard_error = cell.estimate.standard_error});
  return layers;
}

}  // namespace bitwright
