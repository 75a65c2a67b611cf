// SPDX-License-Identifier: MIT
/// \file
/// The specification of weighted sums: packed weights, one sum, one output code.
#pragma once

#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

/// A packed weight: code - zero_point, which needs 9 bits. Packed rows follow each other as the weights' own.
using packed_weight = std::int16_t;

inline std::size_t packed_bytes(const weighted_sum& sums) { return sums.outputs * sums.inputs * sizeof(packed_weight); }

inline void pack(const weighted_sum& sums, std::byte* packed) {
  auto* target = reinterpret_cast<packed_weight*>(packed);
  for (std::size_t n = 0; n < sums.outputs; ++n)
    for (std::size_t k = 0; k < sums.inputs; ++k) {
      const std::size_t i = n * sums.inputs + k;
      target[i] = static_cast<packed_weight>(sums.weights[i] - sums.weight_zero_points[n]);
    }
}

inline const packed_weight* packed_row(const weighted_sum& sums, const std::byte* packed, std::size_t n) {
  return reinterpret_cast<const packed_weight*>(packed) + n * sums.inputs;
}

/// sum_k (activations[k] - zero_point) * weights[k], for k < count.
template <class Activation>
std::int32_t dot(const Activation* activations, std::int32_t zero_point, const packed_weight* weights,
                 std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t k = 0; k < count; ++k)
    // The difference needs 9 bits too. Said so, the compiler multiplies pairs of 16-bit numbers.
    sum += static_cast<std::int16_t>(activations[k] - zero_point) * weights[k];
  return sum;
}

/// The code of output channel n.
template <integer_rounding Rounding, class Output>
Output output_code(const weighted_sum& sums, std::size_t n, std::int32_t accumulator) {
  return static_cast<Output>(
      requantize<Rounding>(accumulator, sums.factors[n], sums.output_zero_point, sums.output_codes));
}

}  // namespace bitwright::kernels::scalar
