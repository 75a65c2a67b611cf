// SPDX-License-Identifier: MIT
/// \file
/// What training leaves: weights, and batch norms that are not folded yet; and the file that keeps them.
///
/// The file, little-endian throughout:
///
///     8 bytes "bwfloats", u32 version (1), u32 number of tensors; for each tensor
///       u32 length of its name, its name, u32 number of dimensions, u32 each dimension, its values as IEEE float32
///     u32 CRC-32 of all bytes before
///
/// Tensors of a convolution: NAME.weights [channels][kernel][kernel][input channels / groups], NAME.gamma, NAME.beta,
/// NAME.mean, NAME.variance [channels]. Of a linear node: NAME.weights and NAME.bias. Nodes come in the network's order.
#pragma once

#include "network.hpp"

#include <filesystem>
#include <vector>

namespace fashion_mnist {

/// Added to a batch norm's variance.
inline constexpr float batch_norm_epsilon = 1e-5f;

/// Values of all nodes with weights, one node after the other: see node::weights_in and node::channels_in.
/// A node without batch norm has its bias in `beta`, and gamma 1, mean 0, variance 1 that nobody reads.
struct trained_network {
  explicit trained_network(const network& graph);

  std::vector<float> weights;
  std::vector<float> gamma, beta, mean, variance;
};

/// Writes the file whole or not at all. Throws bitwright::invalid_argument where it cannot be written.
void save(const trained_network& trained, const network& graph, const std::filesystem::path& path);

/// Throws bitwright::invalid_argument, naming what is wrong, where the file is missing, broken, of another kind or of
/// another network, or holds a value that is not finite or a negative variance.
trained_network load(const network& graph, const std::filesystem::path& path);

}  // namespace fashion_mnist
