// SPDX-License-Identifier: MIT
/// \file
/// Families of large allocation problems: networks as they are, and problems made to be hard.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace bitwright::reference {

/// Doubles in [0, 1), the same on every platform.
class uniform_numbers {
 public:
  explicit uniform_numbers(std::uint64_t seed) : generator_(seed) {}
  double operator()() { return static_cast<double>(generator_() >> 11) * 0x1p-53; }
  /// Log-uniform between the two.
  double between(double least, double largest) { return least * std::pow(largest / least, (*this)()); }
  std::int64_t integer(std::int64_t least, std::int64_t largest) {
    return least + static_cast<std::int64_t>((*this)() * static_cast<double>(largest - least + 1));
  }

 private:
  std::mt19937_64 generator_;
};

/// Bit widths of K candidates, fewest first.
inline std::vector<int> bit_widths(std::size_t count) {
  const std::array<int, 8> all = {2, 3, 4, 5, 6, 7, 8, 16};
  if (count == 4) return {2, 4, 8, 16};
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()))};
}

/// What a layer is made of, as far as its costs and its omegas go.
struct layer_shape {
  double weights, operations, curvature;
};

/// Size in bytes, bit operations in thousands and a latency: the first `budgets` of them.
inline allocation_layer layer_of(const layer_shape& shape, std::size_t candidates, std::size_t budgets) {
  allocation_layer layer;
  for (const int bits : bit_widths(candidates)) {
    const std::array<double, 3> costs = {shape.weights * bits / 8, shape.operations * bits * bits / 1000,
                                         shape.operations *
                                                 (bits <= 4   ? 0.6
                                                  : bits <= 8 ? 1.0
                                                              : 2.1) /
                                                 1e4 +
                                             shape.weights * bits / 1e4};
    candidate choice{.weight_bits = bits, .activation_bits = bits};
    choice.omega = std::round(shape.curvature * shape.weights * std::pow(4.0, 8 - bits));
    for (std::size_t m = 0; m < budgets; ++m) choice.costs.push_back(std::llround(costs[m]));
    layer.candidates.push_back(choice);
  }
  return layer;
}

/// Gives every budget a limit at `tightness` of the way from its least to its largest sum.
inline void set_limits(allocation_problem& problem, std::size_t budgets, double tightness) {
  for (std::size_t m = 0; m < budgets; ++m) {
    std::int64_t least = 0, largest = 0;
    for (const allocation_layer& layer : problem.layers) {
      const auto cost = [m](const candidate& choice) { return choice.costs[m]; };
      least += cost(std::ranges::min(layer.candidates, {}, cost));
      largest += cost(std::ranges::max(layer.candidates, {}, cost));
    }
    const double limit = static_cast<double>(least) + tightness * static_cast<double>(largest - least);
    problem.budgets.push_back({.name = "budget" + std::to_string(m), .limit = static_cast<std::int64_t>(limit)});
  }
}

/// A network of layers of many sizes.
inline allocation_problem network(std::size_t layers, std::size_t candidates, std::size_t budgets, std::uint64_t seed) {
  uniform_numbers draw(seed);
  allocation_problem problem;
  for (std::size_t l = 0; l < layers; ++l) {
    const double weights = std::round(draw.between(1e3, 4e6));
    problem.layers.push_back(layer_of({.weights = weights,
                                       .operations = std::round(weights * draw.between(1, 3000)),
                                       .curvature = draw.between(1e-4, 1e1) * std::pow(weights, -0.5) * 100},
                                      candidates, budgets));
  }
  set_limits(problem, budgets, 0.3);
  return problem;
}

/// Transformer blocks of seven projections each: blocks are alike in every cost, and where `same_omegas` in omegas too.
inline allocation_problem transformer(std::size_t blocks, std::size_t candidates, std::size_t budgets, bool same_omegas,
                                      std::uint64_t seed) {
  uniform_numbers draw(seed);
  allocation_problem problem;
  const std::array<double, 7> weights = {4096. * 4096,  4096. * 1024,  4096. * 1024, 4096. * 4096,
                                         4096. * 14336, 4096. * 14336, 14336. * 4096};
  std::array<double, 7> curvatures = {};
  for (std::size_t block = 0; block < blocks; ++block)
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (block == 0 || !same_omegas) curvatures[i] = draw.between(1e-6, 1e-3);
      problem.layers.push_back(layer_of(
          {.weights = weights[i], .operations = 128 * weights[i], .curvature = curvatures[i]}, candidates, budgets));
    }
  set_limits(problem, budgets, 0.3);
  return problem;
}

/// Layers that are all the same.
inline allocation_problem equal_layers(std::size_t layers, std::size_t candidates, std::size_t budgets,
                                       std::uint64_t seed) {
  uniform_numbers draw(seed);
  allocation_problem problem;
  const double weights = std::round(draw.between(1e3, 4e6));
  problem.layers.assign(layers, layer_of({weights, weights * 100, 1e-3}, candidates, budgets));
  set_limits(problem, budgets, 0.3);
  return problem;
}

/// Layers of one size whose omegas differ.
inline allocation_problem equal_sizes(std::size_t layers, std::size_t candidates, std::size_t budgets,
                                      std::uint64_t seed) {
  uniform_numbers draw(seed);
  allocation_problem problem;
  for (std::size_t l = 0; l < layers; ++l)
    problem.layers.push_back(layer_of({589824, 589824. * 196, draw.between(1e-6, 1e-2)}, candidates, budgets));
  set_limits(problem, budgets, 0.3);
  return problem;
}

/// Numbers without structure: omegas and costs uniform in [1, 1000].
inline allocation_problem uncorrelated(std::size_t layers, std::size_t candidates, std::size_t budgets,
                                       std::uint64_t seed) {
  uniform_numbers draw(seed);
  allocation_problem problem;
  for (std::size_t l = 0; l < layers; ++l) {
    problem.layers.emplace_back();
    for (std::size_t k = 0; k < candidates; ++k) {
      candidate choice{.omega = static_cast<double>(draw.integer(1, 1000))};
      for (std::size_t m = 0; m < budgets; ++m) choice.costs.push_back(draw.integer(1, 1000));
      problem.layers.back().candidates.push_back(choice);
    }
  }
  set_limits(problem, budgets, 0.3);
  return problem;
}

/// What a candidate saves is its mean cost plus up to `spread` either way (weakly correlated), or plus a constant where
/// `spread` is 0 (strongly correlated). Source: the families of Pisinger 1995.
inline allocation_problem correlated(std::size_t layers, std::size_t candidates, std::size_t budgets,
                                     std::int64_t spread, std::uint64_t seed) {
  uniform_numbers draw(seed);
  allocation_problem problem;
  for (std::size_t l = 0; l < layers; ++l) {
    problem.layers.emplace_back();
    for (std::size_t k = 0; k < candidates; ++k) {
      candidate choice;
      std::int64_t sum = 0;
      for (std::size_t m = 0; m < budgets; ++m) choice.costs.push_back(draw.integer(1, 1000));
      for (const std::int64_t cost : choice.costs) sum += cost;
      const std::int64_t saved = sum / static_cast<std::int64_t>(std::max<std::size_t>(budgets, 1)) +
                                 (spread > 0 ? draw.integer(-spread, spread) : 10);
      choice.omega = static_cast<double>(1200 - saved);
      problem.layers.back().candidates.push_back(choice);
    }
  }
  set_limits(problem, budgets, 0.5);
  return problem;
}

}  // namespace bitwright::reference
