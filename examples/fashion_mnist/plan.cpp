// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include "integer_network.hpp"
#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocation_baselines.hpp>
#include <bitwright/mixed_precision/allocator.hpp>
#include <bitwright/mixed_precision/sensitivity_table.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
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

bitwright::latency_table measure_layers(const folded_network& net, std::span<const bitwright::range> ranges,
                                        std::span<const std::uint8_t> image) {
  const std::vector<node> layers = layers_of(*net.graph);
  std::vector<std::unique_ptr<const integer_network>> networks;
  std::vector<bitwright::latency_task> tasks;
  for (const int bits : candidate_bits) {
    const quantization codes(*net.graph, net.weights, uniform_plan(*net.graph, bits).bits, ranges);
    networks.push_back(std::make_unique<const integer_network>(net, codes));
    for (std::size_t i = 0; std::function<void()> & run : networks.back()->layer_runs(image))
      tasks.push_back({layers[i++].name, bits, activation_bits, std::move(run)});
  }
  return bitwright::measure_latencies(tasks);
}

bitwright::allocation_problem make_problem(const folded_network& net, std::span<const bitwright::trace_estimate> traces,
                                           const bitwright::latency_table& latencies) {
  const std::vector<node> layers = layers_of(*net.graph);
  const bitwright::sensitivity_table table = bitwright::make_sensitivity_table(
      traces, candidate_bits, net.weights, [&](std::size_t layer, int bits, std::span<const float> weights) {
        return fit_weights(layers[layer], weights, bits);
      });
  bitwright::allocation_problem problem;
  for (const char* name : {"size", "bit operations", "nanoseconds"})
    problem.budgets.push_back({.name = name, .limit = std::numeric_limits<std::int64_t>::max()});
  problem.layers = bitwright::allocation_layers(table, activation_bits);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    problem.layers[i].name = layers[i].name;
    for (bitwright::candidate& choice : problem.layers[i].candidates) {
      const layer_cost cost = cost_of(layers[i], choice.weight_bits);
      choice.costs = {cost.size_bytes, cost.bops,
                      latencies.nanoseconds(layers[i].name, choice.weight_bits, activation_bits)};
    }
  }
  return problem;
}

bitwright::allocation account_of(const bitwright::allocation_problem& problem, const plan& chosen) {
  std::vector<std::size_t> choice;
  for (const int bits : chosen.bits)
    choice.push_back(static_cast<std::size_t>(std::ranges::find(candidate_bits, bits) - candidate_bits.begin()));
  return bitwright::allocation_of(problem, std::move(choice));
}

plan allocate_plan(bitwright::allocation_problem problem, std::string name, const std::vector<std::int64_t>& limits) {
  bitwright::require(limits.size() == problem.budgets.size(), "allocate_plan: limits.size() of " + name, limits.size(),
                     "one for each budget, ", problem.budgets.size());
  for (std::size_t m = 0; m < limits.size(); ++m) problem.budgets[m].limit = limits[m];
  const bitwright::allocation best = bitwright::allocate(problem);
  bitwright::require(best.status == bitwright::allocation_status::optimal, "allocate_plan: limits of " + name, limits,
                     "budgets that a plan can meet");
  plan chosen{std::move(name), "mixed", {}};
  for (std::size_t i = 0; i < problem.layers.size(); ++i)
    chosen.bits.push_back(problem.layers[i].candidates[best.choice[i]].weight_bits);
  return chosen;
}

}  // namespace fashion_mnist
