// SPDX-License-Identifier: MIT
/// \file
/// How far an allocation can be trusted when its omegas have error bars, and allocations that are careful from the start.
///
/// A layer's omegas share the layer's trace, so their errors go together: in a draw, all of a layer's omegas move by the same
/// number of their standard errors, independently of other layers.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocation.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/allocator.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// The problem with omega + standard_errors * standard error for every omega: allocate() then minimises an upper confidence
/// value, and gives bits to layers of which little is known. Throws invalid_argument unless 0 <= standard_errors <= 100.
inline allocation_problem with_upper_confidence(allocation_problem problem, double standard_errors) {
  require(standard_errors >= 0 && standard_errors <= 100, "with_upper_confidence: standard_errors", standard_errors,
          "0 to 100");
  for (allocation_layer& layer : problem.layers)
    for (candidate& choice : layer.candidates) choice.omega += standard_errors * choice.standard_error;
  return problem;
}

/// A candidate that a layer might take instead.
struct close_choice {
  std::size_t layer = 0, candidate = 0;
  double probability = 0;  ///< Share of the draws in which the best allocation takes it.
};

/// What became of an allocation when its omegas were drawn anew.
struct allocation_robustness {
  /// Of each layer, for each candidate: the share of the draws in which the best allocation takes it.
  std::vector<std::vector<double>> shares = {};
  /// Candidates other than the allocation's that some draw takes, the likeliest first.
  std::vector<close_choice> close_choices = {};
  /// How much more the allocation loses than each draw's best one, relative to that: the mean, and the largest of the draws.
  double mean_regret = 0, largest_regret = 0;
  std::size_t draws = 0;
};

/// How many draws, from which seed, and how each is solved.
struct robustness_options {
  std::size_t draws = 200;
  std::uint64_t seed = 0;
  allocator_options allocator = {.maximum_nodes = 100'000, .relative_gap = 1e-6};
};

/// The problem with its omegas drawn from normal distributions; negative ones are 0.
inline allocation_problem draw_omegas(const allocation_problem& problem, std::mt19937_64& generator) {
  // The standard's distributions differ between platforms, so this one is spelled out (Box and Muller 1958).
  const auto normal = [&generator] {
    const double u = (static_cast<double>(generator() >> 11) + 1) * 0x1p-53,
                 v = static_cast<double>(generator() >> 11) * 0x1p-53;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  };
  allocation_problem drawn = problem;
  for (allocation_layer& layer : drawn.layers) {
    const double deviation = normal();
    for (candidate& choice : layer.candidates)
      choice.omega = std::max(0.0, choice.omega + deviation * choice.standard_error);
  }
  return drawn;
}

/// Draws the omegas again and again, allocates anew each time, and reports how often which choice is the best. Throws
/// invalid_argument unless `result` has a choice for every layer of `problem`, and for 0 draws.
inline allocation_robustness measure_robustness(const allocation_problem& problem, const allocation& result,
                                                const robustness_options& options = {}) {
  check_allocation_problem(problem);
  require(result.choice.size() == problem.layers.size(), "measure_robustness: result.choice.size()",
          result.choice.size(), "one candidate per layer: ", problem.layers.size());
  require(options.draws >= 1, "measure_robustness: draws", options.draws, "at least 1");
  for (std::size_t layer = 0; layer < result.choice.size(); ++layer)
    require(result.choice[layer] < problem.layers[layer].candidates.size(),
            "measure_robustness: result.choice[" + std::to_string(layer) + "]", result.choice[layer], "less than ",
            problem.layers[layer].candidates.size());

  allocation_robustness robustness{.draws = options.draws};
  for (const allocation_layer& layer : problem.layers) robustness.shares.emplace_back(layer.candidates.size());
  const double share = 1 / static_cast<double>(options.draws);
  std::mt19937_64 generator(options.seed);
  for (std::size_t draw = 0; draw < options.draws; ++draw) {
    const allocation_problem drawn = draw_omegas(problem, generator);
    const allocation best = allocate(drawn, options.allocator);
    if (best.choice.size() != problem.layers.size()) continue;  // The node limit: counts for none of the candidates.
    double ours = 0, theirs = 0;
    for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
      robustness.shares[layer][best.choice[layer]] += share;
      ours += drawn.layers[layer].candidates[result.choice[layer]].omega;
      theirs += drawn.layers[layer].candidates[best.choice[layer]].omega;
    }
    const double regret = theirs > 0 ? std::max(0.0, ours / theirs - 1) : 0;
    robustness.mean_regret += regret * share;
    robustness.largest_regret = std::max(robustness.largest_regret, regret);
  }
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer)
    for (std::size_t k = 0; k < problem.layers[layer].candidates.size(); ++k)
      if (k != result.choice[layer] && robustness.shares[layer][k] > 0)
        robustness.close_choices.push_back({layer, k, robustness.shares[layer][k]});
  std::ranges::stable_sort(robustness.close_choices, std::ranges::greater{}, &close_choice::probability);
  return robustness;
}

}  // namespace bitwright
