// SPDX-License-Identifier: MIT
/// \file
/// Plans: how many bits the weights of each layer get, uniform or by an allocator.
#pragma once

#include "folded_network.hpp"
#include "quantization.hpp"
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <array>
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

/// Every layer may take every candidate; its Omega says what that costs the loss, and its costs what it takes of the
/// two budgets, size in bytes and bit operations an image. The limits are still open.
bitwright::allocation_problem make_problem(const folded_network& net,
                                           std::span<const bitwright::trace_estimate> traces);

/// The plan of least total Omega that costs no more than `limits`.
/// Throws bitwright::invalid_argument, naming the budgets, where no plan is as cheap.
plan allocate_plan(bitwright::allocation_problem problem, std::string name, layer_cost limits);

}  // namespace fashion_mnist
