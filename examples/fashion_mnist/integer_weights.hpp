// SPDX-License-Identifier: MIT
/// \file
/// A layer's weights as integers, whatever scheme they come from: 8-bit codes with a map for each channel, or sums of
/// several integers.
#pragma once

#include "network.hpp"
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/layers/summed_weights.hpp>

#include <span>
#include <variant>
#include <vector>

namespace fashion_mnist {

using integer_weights = std::variant<bitwright::quantized_weights, bitwright::summed_weights>;

/// The shape of a layer's weights: channels x kernel x kernel x input channels of a group, or channels x inputs.
bitwright::shape shape_of(const node& layer);

/// What the integers stand for, in the order of the weights.
std::vector<float> values_of(const integer_weights& weights);

}  // namespace fashion_mnist
