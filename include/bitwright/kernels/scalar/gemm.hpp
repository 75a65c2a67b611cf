// SPDX-License-Identifier: MIT
/// \file
/// The specification of gemm.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/scalar/weighted_sum.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

inline std::size_t gemm_workspace_bytes(const weighted_sum&) { return 0; }

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const weighted_sum& sums = call.sums;
  for (std::size_t m = first; m < last; ++m)
    for (std::size_t n = 0; n < sums.outputs; ++n) {
      const std::int32_t sum = dot(call.activations + m * call.activation_stride, sums.activation_zero_point,
                                   packed_row(sums, call.packed, n), sums.inputs);
      call.outputs[m * call.output_stride + n] = output_code<Rounding, Output>(sums, n, sums.bias[n] + sum);
    }
}

}  // namespace bitwright::kernels::scalar
