// SPDX-License-Identifier: MIT
/// \file
/// Small random allocation problems of every kind that has misled a solver: degenerate, tied, exactly tight, infeasible.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bitwright::reference {

/// Draws from [least, largest], the same on every platform (the standard's distributions are not).
inline std::int64_t draw(std::mt19937_64& generator, std::int64_t least, std::int64_t largest) {
  const auto span = static_cast<std::uint64_t>(largest - least) + 1;
  return least + static_cast<std::int64_t>(generator() % span);
}

/// How one problem's numbers are drawn.
struct random_family {
  std::int64_t largest_cost, largest_omega, cost_step;
  bool identical_layers, costs_grow_with_bits, omegas_follow_costs;
};

inline random_family draw_family(std::mt19937_64& generator) {
  const std::int64_t largest[] = {0, 1, 2, 5, 20, 1000, 1'000'000'000'000};
  return {.largest_cost = largest[draw(generator, 0, 6)],
          .largest_omega = largest[draw(generator, 0, 6)],
          .cost_step = draw(generator, 0, 3) == 0 ? draw(generator, 1, 7) : 1,
          .identical_layers = draw(generator, 0, 3) == 0,
          .costs_grow_with_bits = draw(generator, 0, 1) == 0,
          .omegas_follow_costs = draw(generator, 0, 4) == 0};
}

inline candidate draw_candidate(std::mt19937_64& generator, const random_family& family, std::size_t index,
                                std::size_t budgets) {
  candidate drawn{.weight_bits = static_cast<int>(2 * index), .omega = 0};
  for (std::size_t m = 0; m < budgets; ++m) {
    const std::int64_t growth = family.costs_grow_with_bits ? static_cast<std::int64_t>(index) : 1;
    drawn.costs.push_back(draw(generator, 0, family.largest_cost) * family.cost_step * growth);
  }
  std::int64_t omega = draw(generator, 0, family.largest_omega);
  if (family.omegas_follow_costs && budgets > 0)
    omega = std::max<std::int64_t>(0, family.largest_cost * 8 - drawn.costs[0]);
  drawn.omega = static_cast<double>(omega);
  return drawn;
}

/// Limits between a little less than the least use and a little more than the largest; often exactly what some
/// allocation uses.
inline void draw_limits(std::mt19937_64& generator, allocation_problem& problem) {
  std::vector<std::size_t> example;
  for (const allocation_layer& layer : problem.layers)
    example.push_back(
        static_cast<std::size_t>(draw(generator, 0, static_cast<std::int64_t>(layer.candidates.size()) - 1)));
  for (std::size_t m = 0; m < problem.budgets.size(); ++m) {
    std::int64_t least = 0, largest = 0, used = 0;
    for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
      const auto cost = [m](const candidate& choice) { return choice.costs[m]; };
      const std::vector<candidate>& candidates = problem.layers[layer].candidates;
      least += cost(std::ranges::min(candidates, {}, cost));
      largest += cost(std::ranges::max(candidates, {}, cost));
      used += cost(candidates[example[layer]]);
    }
    const std::int64_t kind = draw(generator, 0, 4);
    problem.budgets[m].limit = kind <= 1   ? used
                               : kind == 2 ? draw(generator, least, largest)
                               : kind == 3 ? least + draw(generator, -1, (largest - least) / 4 + 1)
                                           : used + draw(generator, -1, 1);
  }
}

/// At most 7 layers with at most 5 candidates each, and at most 4 budgets.
inline allocation_problem random_allocation_problem(std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  const random_family family = draw_family(generator);
  const std::int64_t layers = draw(generator, 1, 7), budgets = draw(generator, 0, 4);
  const std::int64_t most_candidates = layers > 5 ? 3 : 5;
  allocation_problem problem;
  for (std::int64_t m = 0; m < budgets; ++m) problem.budgets.push_back({.name = "budget" + std::to_string(m)});
  const bool alike = family.identical_layers || draw(generator, 0, 2) == 0;  // Only layers that are alike can be tied.
  const std::int64_t common_count = draw(generator, 1, most_candidates);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    if (family.identical_layers && layer > 0 && draw(generator, 0, 3) > 0) {
      problem.layers.push_back(problem.layers.front());
      continue;
    }
    allocation_layer drawn{.name = "layer" + std::to_string(layer)};
    const std::int64_t count = alike ? common_count : draw(generator, 1, most_candidates);
    for (std::int64_t index = 0; index < count; ++index)
      drawn.candidates.push_back(
          draw_candidate(generator, family, static_cast<std::size_t>(index), static_cast<std::size_t>(budgets)));
    problem.layers.push_back(drawn);
  }
  if (alike && layers > 1)
    for (std::int64_t tie = draw(generator, -1, 2); tie > 0; --tie)
      problem.ties.push_back({static_cast<std::size_t>(draw(generator, 0, layers - 1)),
                              static_cast<std::size_t>(draw(generator, 0, layers - 1))});
  // Layer 0 may be restricted: tied layers restricted apart might be left without a candidate.
  allocation_layer& first = problem.layers.front();
  const std::int64_t count = static_cast<std::int64_t>(first.candidates.size());
  if (draw(generator, 0, 4) == 0) first.fixed = static_cast<std::size_t>(draw(generator, 0, count - 1));
  if (!first.fixed && count > 1 && draw(generator, 0, 4) == 0)
    first.forbidden = {static_cast<std::size_t>(draw(generator, 0, count - 1))};
  draw_limits(generator, problem);
  return problem;
}

}  // namespace bitwright::reference
