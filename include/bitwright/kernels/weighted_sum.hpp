// SPDX-License-Identifier: MIT
/// \file
/// What gemm and convolution have in common: weighted sums of activations, requantized to codes.
///
///     sum[n] = bias[n] + sum_k (activation[k] - activation_zero_point) * (weight[n][k] - weight_zero_points[n])
///     output[n] = clamp(requantize(sum[n], factors[n]) + output_zero_point, output_codes)
///
/// Source: Jacob et al. (CVPR 2018), section 2.3; HAWQ-V3 (Yao et al., ICML 2021), section 3.1.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/code_range.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// All that stays the same while a layer runs. A path may rearrange any of it when it packs. Every array has one
/// element for each output channel: what is shared by the tensor is repeated, so that kernels know one case only.
///
/// Whoever fills it in guarantees that for all activations there may be, every sum of any of an output's terms, with the
/// bias or without, fits 32 bits: a path may add them in any order.
struct weighted_sum {
  std::size_t outputs;                     ///< Output channels: n < outputs.
  std::size_t inputs;                      ///< Weights of one output channel: k < inputs.
  const std::int8_t* weights;              ///< outputs x inputs, row-major. Read by `pack` only.
  const std::int32_t* weight_zero_points;  ///< Each in [-128, 127].
  const std::int32_t* bias;                ///< In units of the accumulator.
  const dyadic* factors;                   ///< scale of activation * weight / output.
  std::int32_t activation_zero_point;      ///< One of the activation type's values: the code of padding.
  std::int32_t output_zero_point;
  code_range output_codes;  ///< Within the output type. A ReLU is a range that begins at output_zero_point.
  code_range activation_codes = {-128, 255};  ///< Activations there may be, of those that their type holds.
  /// Paths may store a weight in so many bits, 8, 4, 2 or 1: there are at most 2^index_bits different weights.
  int index_bits = 8;
};

}  // namespace bitwright::kernels
