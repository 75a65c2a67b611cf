// SPDX-License-Identifier: MIT
/// \file
/// The bit allocation problem: give every layer one of its candidates, so that the loss grows least within all budgets.
///
///   minimise   sum_l Omega_l(x_l)                       x_l: the candidate of layer l
///   subject to sum_l cost_lm(x_l) <= limit_m            for every budget m (size, bit operations, latency, ...)
///              x_l = x_l'                               for layers that are tied
///
/// Source: the integer program of HAWQ-V3 (Yao et al., ICML 2021), section 3.4, for any number of budgets.
///
/// ```cpp
/// allocation_problem problem;
/// problem.budgets = {{.name = "size", .limit = 10}};
/// for (const char* name : {"conv1", "conv2"})
///   problem.layers.push_back({.name = name,
///                             .candidates = {{.weight_bits = 4, .omega = 0.9, .costs = {4}},
///                                            {.weight_bits = 8, .omega = 0.1, .costs = {8}}}});
/// problem.ties = {{0, 1}};
/// ```
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// One way to quantize a layer: what it does to the loss and what it costs. 0 weight bits prune the layer away.
struct candidate {
  int weight_bits = 8;                   ///< 0 to 64.
  int activation_bits = 8;               ///< 0 to 64.
  std::string quantizer = {};            ///< A label for the reader; no two candidates need differ in it.
  double omega = 0;                      ///< The sensitivity: finite, at least 0.
  double standard_error = 0;             ///< Of omega: finite, at least 0.
  std::vector<std::int64_t> costs = {};  ///< One per budget, in its units, at least 0.
};

/// A layer and the candidates it may choose from.
struct allocation_layer {
  std::string name = {};
  std::vector<candidate> candidates = {};
  std::optional<std::size_t> fixed = {};    ///< The only candidate allowed, where it is set.
  std::vector<std::size_t> forbidden = {};  ///< Candidates that are not allowed.
};

/// What the costs of the chosen candidates may add up to: limit included.
struct budget {
  std::string name = {};
  std::int64_t limit = 0;  ///< In the units of the candidates' costs. A negative one cannot be met.
};

/// Layers, budgets, and groups of layers that have to take the candidate of the same index.
struct allocation_problem {
  std::vector<budget> budgets = {};
  std::vector<allocation_layer> layers = {};
  /// Indices of layers. Groups that share a layer are one group. The candidates of tied layers agree in their bits.
  std::vector<std::vector<std::size_t>> ties = {};
};

/// The sums of costs and limits that exact arithmetic is built for.
inline constexpr std::int64_t largest_cost_sum = std::int64_t{1} << 62;

/// Whether the layer's own restrictions leave it this candidate.
inline bool allows(const allocation_layer& layer, std::size_t index) {
  return (!layer.fixed || *layer.fixed == index) && std::ranges::count(layer.forbidden, index) == 0;
}

/// "layer 3 (conv1)", as errors call it.
inline std::string describe_layer(const allocation_problem& problem, std::size_t layer) {
  const std::string& name = problem.layers[layer].name;
  return "layer " + std::to_string(layer) + (name.empty() ? "" : " (" + name + ")");
}

/// "layer 3 (conv1), candidate 1 (4-bit weights, 8-bit activations)", as errors call it.
inline std::string describe_candidate(const allocation_problem& problem, std::size_t layer, std::size_t index) {
  const candidate& choice = problem.layers[layer].candidates[index];
  return describe_layer(problem, layer) + ", candidate " + std::to_string(index) + " (" +
         std::to_string(choice.weight_bits) + "-bit weights, " + std::to_string(choice.activation_bits) +
         "-bit activations)";
}

/// "budget 1 (size)", as errors call it.
inline std::string describe_budget(const allocation_problem& problem, std::size_t index) {
  const std::string& name = problem.budgets[index].name;
  return "budget " + std::to_string(index) + (name.empty() ? "" : " (" + name + ")");
}

/// The group of every layer: layers are tied, through other layers too, exactly if their groups are equal. Groups are
/// numbered from 0 in the order of their first layers.
inline std::vector<std::size_t> tie_groups(const allocation_problem& problem) {
  std::vector<std::size_t> parent(problem.layers.size());
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  const auto root = [&parent](std::size_t layer) {
    while (parent[layer] != layer) layer = parent[layer] = parent[parent[layer]];
    return layer;
  };
  for (const std::vector<std::size_t>& tie : problem.ties)
    for (const std::size_t layer : tie) {
      const std::size_t a = root(tie.front()), b = root(layer);
      parent[std::max(a, b)] = std::min(a, b);  // The root of a group is its first layer.
    }
  std::vector<std::size_t> group(parent.size());
  std::size_t groups = 0;
  for (std::size_t layer = 0; layer < parent.size(); ++layer)
    group[layer] = parent[layer] == layer ? groups++ : group[root(layer)];
  return group;
}

/// The candidates that each layer and those it is tied to allow, ascending. For a checked problem none is empty.
inline std::vector<std::vector<std::size_t>> allowed_candidates(const allocation_problem& problem) {
  const std::vector<std::size_t> groups = tie_groups(problem);
  std::vector<std::vector<bool>> allowed;
  for (std::size_t layer = 0; layer < groups.size(); ++layer) {
    const allocation_layer& member = problem.layers[layer];
    if (groups[layer] == allowed.size()) allowed.emplace_back(member.candidates.size(), true);
    std::vector<bool>& ours = allowed[groups[layer]];
    for (std::size_t index = 0; index < ours.size(); ++index) ours[index] = ours[index] && allows(member, index);
  }
  std::vector<std::vector<std::size_t>> indices(groups.size());
  for (std::size_t layer = 0; layer < groups.size(); ++layer)
    for (std::size_t index = 0; index < allowed[groups[layer]].size(); ++index)
      if (allowed[groups[layer]][index]) indices[layer].push_back(index);
  return indices;
}

/// Throws invalid_argument, naming layer and candidate, unless bits, omega, standard error and costs are as
/// documented.
inline void check_candidate(const allocation_problem& problem, std::size_t layer, std::size_t index) {
  const candidate& choice = problem.layers[layer].candidates[index];
  // The message is put together only where it is needed: there may be 100,000 candidates.
  const auto refuse = [&](const std::string& member, const auto& value, const char* expected) {
    fail("allocation_problem: " + describe_candidate(problem, layer, index) + ": " + member, value, expected);
  };
  for (const auto& [name, bits] :
       {std::pair{"weight_bits", choice.weight_bits}, {"activation_bits", choice.activation_bits}})
    if (bits < 0 || bits > 64) refuse(name, bits, "0 to 64");
  for (const auto& [name, value] : {std::pair{"omega", choice.omega}, {"standard_error", choice.standard_error}})
    if (!(value >= 0 && std::isfinite(value))) refuse(name, value, "a finite number of at least 0");
  if (choice.costs.size() != problem.budgets.size())
    refuse("costs.size()", choice.costs.size(),
           ("one cost per budget: " + std::to_string(problem.budgets.size())).c_str());
  for (std::size_t m = 0; m < choice.costs.size(); ++m)
    if (choice.costs[m] < 0) refuse("cost in " + describe_budget(problem, m), choice.costs[m], "at least 0");
}

/// Throws invalid_argument unless `fixed` and `forbidden` name candidates and agree.
inline void check_restrictions(const allocation_problem& problem, std::size_t layer) {
  const allocation_layer& checked = problem.layers[layer];
  const std::size_t count = checked.candidates.size();
  for (const std::size_t index : checked.forbidden)
    if (index >= count)
      fail("allocation_problem: " + describe_layer(problem, layer) + ": forbidden candidate", index, "less than ",
           count);
  if (!checked.fixed) return;
  if (*checked.fixed >= count)
    fail("allocation_problem: " + describe_layer(problem, layer) + ": fixed", *checked.fixed, "less than ", count);
  if (std::ranges::count(checked.forbidden, *checked.fixed) > 0)
    fail("allocation_problem: " + describe_layer(problem, layer) + ": fixed", *checked.fixed,
         "a candidate that is not forbidden");
}

/// Throws invalid_argument where the largest costs of all layers add up to more than largest_cost_sum, or the largest
/// omegas to infinity: naming the layer at which it happens.
inline void check_sums(const allocation_problem& problem) {
  double omegas = 0;
  std::vector<std::int64_t> sums(problem.budgets.size());
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    const std::vector<candidate>& candidates = problem.layers[layer].candidates;
    omegas += std::ranges::max(candidates, {}, &candidate::omega).omega;
    if (!std::isfinite(omegas))
      fail("allocation_problem: " + describe_layer(problem, layer) + ": sum of the largest omegas so far", omegas,
           "a finite number");
    for (std::size_t m = 0; m < sums.size(); ++m) {
      std::int64_t largest = 0;
      for (const candidate& choice : candidates) largest = std::max(largest, choice.costs[m]);
      if (largest > largest_cost_sum - sums[m])
        fail("allocation_problem: " + describe_layer(problem, layer) + ": largest cost in " +
                 describe_budget(problem, m),
             largest, "at most ", largest_cost_sum - sums[m], ", so that sums of costs stay within 2^62");
      sums[m] += largest;
    }
  }
}

/// Throws invalid_argument unless `layer` has the bits to choose from that `first` has, the layer it is tied to.
inline void check_tied_layer(const allocation_problem& problem, std::size_t first, std::size_t layer) {
  const std::vector<candidate>&ours = problem.layers[layer].candidates, &theirs = problem.layers[first].candidates;
  if (ours.size() != theirs.size())
    fail("allocation_problem: " + describe_layer(problem, layer) + ": candidates.size()", ours.size(), theirs.size(),
         ", as for the layer it is tied to: ", describe_layer(problem, first));
  for (std::size_t index = 0; index < ours.size(); ++index)
    if (ours[index].weight_bits != theirs[index].weight_bits ||
        ours[index].activation_bits != theirs[index].activation_bits)
      fail("allocation_problem: " + describe_candidate(problem, layer, index) + " is tied to " +
           describe_candidate(problem, first, index) + ", expected the same bits");
}

/// Throws invalid_argument unless ties name layers, and tied layers have the same bits to choose from, no two different
/// candidates fixed, and a candidate (the fixed one, where there is one) that none of them forbids.
inline void check_ties(const allocation_problem& problem) {
  for (std::size_t tie = 0; tie < problem.ties.size(); ++tie)
    for (const std::size_t layer : problem.ties[tie])
      if (layer >= problem.layers.size())
        fail("allocation_problem: ties[" + std::to_string(tie) + "]: layer", layer, "less than ",
             problem.layers.size());

  const std::vector<std::size_t> groups = tie_groups(problem);
  std::vector<std::size_t> first_layer;
  std::vector<std::vector<bool>> allowed;
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    if (groups[layer] == first_layer.size()) {
      first_layer.push_back(layer);
      allowed.emplace_back(problem.layers[layer].candidates.size(), true);
    }
    check_tied_layer(problem, first_layer[groups[layer]], layer);
    std::vector<bool>& ours = allowed[groups[layer]];
    for (std::size_t index = 0; index < ours.size(); ++index)
      ours[index] = ours[index] && allows(problem.layers[layer], index);
    if (std::ranges::count(ours, true) == 0)
      fail("allocation_problem: " + describe_layer(problem, layer) +
               ": number of candidates that it and the layers it is tied to allow",
           0, "at least 1");
  }
}

/// Throws invalid_argument, naming layer, candidate and budget, unless the problem is as its members are documented.
inline void check_allocation_problem(const allocation_problem& problem) {
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    const std::size_t count = problem.layers[layer].candidates.size();
    if (count == 0)
      fail("allocation_problem: " + describe_layer(problem, layer) + ": candidates.size()", count, "at least 1");
    for (std::size_t index = 0; index < count; ++index) check_candidate(problem, layer, index);
    check_restrictions(problem, layer);
  }
  check_sums(problem);
  check_ties(problem);
}

}  // namespace bitwright
