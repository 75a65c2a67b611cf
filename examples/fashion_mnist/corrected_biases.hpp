// SPDX-License-Identifier: MIT
/// \file
/// Biases for a quantized network that take back what quantization shifts the mean outputs of its layers by.
#pragma once

#include "folded_network.hpp"
#include "integer_weights.hpp"
#include "quantization.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace fashion_mnist {

/// The mean of each channel of each node's outputs over some images, [images][28][28]: by node.
std::vector<std::vector<double>> mean_outputs(const folded_network& net, std::span<const std::uint8_t> pixels);

/// The biases of all layers, corrected from the first layer to the last: with weights W' for W and mean inputs m' of the
/// integer network, whose layers so far are corrected, for m,
///
///     b' = b - (W' m' - W m)
///
/// `means` are mean_outputs of the float network over the same images. With m for m', what earlier layers shift is not
/// seen, and some weights of 3 bits lose by the correction.
std::vector<float> corrected_biases(const folded_network& net, std::span<const integer_weights> layers,
                                    std::span<const activation_quantizer> outputs,
                                    std::span<const std::vector<double>> means, std::span<const std::uint8_t> pixels);

}  // namespace fashion_mnist
