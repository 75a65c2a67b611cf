// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocator.hpp>
#include <bitwright/mixed_precision/sensitivity_table.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace fashion_mnist {

std::vector<node> layers_of(const network& graph) {
  std::vector<node> layers;
  std::ranges::copy_if(graph.nodes(), std::back_inserter(layers), &node::has_weights);
  return layers;
}

layer_cost cost_of(const network& graph, std::span<const int> bits) {
  layer_cost sum{};
  const std::vector<node> layers = layers_of(graph);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const layer_cost cost = cost_of(layers[i], bits[i]);
    sum.size_bytes += cost.size_bytes;
    sum.bops += cost.bops;
  }
  return sum;
}

plan uniform_plan(const network& graph, int bits) {
  const std::string width = std::to_string(bits);
  return {"W" + width + "A" + std::to_string(activation_bits), "uniform",
          std::vector(graph.layer_sizes().size(), bits)};
}

bitwright::allocation_problem make_problem(const folded_network& net,
                                           std::span<const bitwright::trace_estimate> traces) {
  const std::vector<node> layers = layers_of(*net.graph);
  const bitwright::sensitivity_table table = bitwright::make_sensitivity_table(
      traces, candidate_bits, net.weights, [&](std::size_t layer, int bits, std::span<const float> weights) {
        return fit_weights(layers[layer], weights, bits);
      });
  bitwright::allocation_problem problem;
  problem.budgets = {{.name = "size"}, {.name = "bit operations"}};
  problem.layers = bitwright::allocation_layers(table, activation_bits);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    problem.layers[i].name = layers[i].name;
    for (bitwright::candidate& choice : problem.layers[i].candidates) {
      const layer_cost cost = cost_of(layers[i], choice.weight_bits);
      choice.costs = {cost.size_bytes, cost.bops};
    }
  }
  return problem;
}

plan allocate_plan(bitwright::allocation_problem problem, std::string name, layer_cost limits) {
  problem.budgets[0].limit = limits.size_bytes;
  problem.budgets[1].limit = limits.bops;
  const bitwright::allocation best = bitwright::allocate(problem);
  bitwright::require(best.status == bitwright::allocation_status::optimal, "allocate_plan: limits of " + name,
                     std::array{limits.size_bytes, limits.bops}, "budgets that a plan can meet");
  plan chosen{std::move(name), "mixed", {}};
  for (std::size_t i = 0; i < problem.layers.size(); ++i)
    chosen.bits.push_back(problem.layers[i].candidates[best.choice[i]].weight_bits);
  return chosen;
}

}  // namespace fashion_mnist
