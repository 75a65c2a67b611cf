// SPDX-License-Identifier: MIT
/// \file
/// Plans: how many bits the weights of each layer get, uniform or by an allocator.
#pragma once

#include "folded_network.hpp"
#include "quantization.hpp"
#include <bitwright/core/range.hpp>
#include <bitwright/mixed_precision/allocation.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/latency.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fashion_mnist {

/// Bit widths that a layer's weights may have.
inline constexpr std::array candidate_bits = {2, 3, 4, 6, 8};

/// Bits for the weights of each layer, in the network's order.
struct plan {
  std::string name;
  std::string scheme;  ///< "uniform" or "mixed".
  std::vector<int> bits;
};

/// The nodes with weights, in order.
std::vector<node> layers_of(const network& graph);

/// What all layers together cost.
layer_cost cost_of(const network& graph, std::span<const int> bits);

/// The same bits for every layer.
plan uniform_plan(const network& graph, int bits);

/// How long the kernels of this library take here for each layer at each candidate's bits, for one image on one thread.
bitwright::latency_table measure_layers(const folded_network& net, std::span<const bitwright::range> ranges,
                                        std::span<const std::uint8_t> image);

/// Every layer may take every candidate; its Omega says what that costs the loss, and its costs what it takes of the
/// three budgets: size in bytes, bit operations an image, and nanoseconds an image. There are no limits yet.
bitwright::allocation_problem make_problem(const folded_network& net, std::span<const bitwright::trace_estimate> traces,
                                           const bitwright::latency_table& latencies);

/// A plan as an allocation of the problem: what it takes of each budget, and its total Omega.
bitwright::allocation account_of(const bitwright::allocation_problem& problem, const plan& chosen);

/// The plan of least total Omega that takes no more than `limits` of the problem's budgets, proven to be.
/// Throws bitwright::invalid_argument, naming the limits, where no plan takes as little.
plan allocate_plan(bitwright::allocation_problem problem, std::string name, const std::vector<std::int64_t>& limits);

}  // namespace fashion_mnist
