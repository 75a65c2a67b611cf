// SPDX-License-Identifier: MIT
/// \file
/// Weights as a plan takes them: 8-bit codes, and their maps to values for the tensor or for each output channel.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {

/// A quantizer that integer kernels can follow: 8-bit codes, and value = scale * (code - zero_point).
template <class Q>
concept affine_weight_quantizer = quantizer<Q> && std::same_as<typename Q::code_type, std::int8_t> &&
    requires(const Q& q) {
  { q.map() } -> std::same_as<affine_scale>;
};

/// The granularities whose maps a kernel can follow: one for the tensor, or one for each output channel.
template <class Granularity>
concept per_tensor_or_channel = std::same_as<Granularity, per_tensor> || std::same_as<Granularity, per_channel>;

/// Codes with the output channels in dimension 0, and one map for all of them or one for each.
struct quantized_weights {
  tensor<std::int8_t> codes;
  std::vector<affine_scale> maps;
};

/// The codes and maps that a quantizer per tensor, or per channel of dimension 0, gives the weights `values`.
/// Throws invalid_argument unless the quantizer was made for as many values, and for channels along any other axis.
template <affine_weight_quantizer Q, per_tensor_or_channel Granularity>
quantized_weights quantize_weights(const sliced<Q, Granularity>& fitted, std::span<const float> values) {
  if constexpr (std::same_as<Granularity, per_channel>)
    require(fitted.division().axis == 0, "quantize_weights: fitted.division().axis", fitted.division().axis,
            "0, the output channels");
  quantized_weights weights{tensor<std::int8_t>(fitted.shape()), {}};
  fitted.quantize(values, weights.codes.values());
  for (const Q& channel : fitted.quantizers()) weights.maps.push_back(channel.map());
  return weights;
}

}  // namespace bitwright
