// SPDX-License-Identifier: MIT
/// \file
/// The specification of joint requantization.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/joint_requantize_arguments.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

/// Outputs [first, last) of row m.
template <class Output, integer_rounding Rounding>
void joint_requantize_row(const joint_requantize_arguments<Output>& call, std::size_t m, std::size_t first,
                          std::size_t last) {
  const joint_factors& factors = call.factors;
  for (std::size_t n = first; n < last; ++n) {
    std::int64_t sum = factors.addends[n];
    for (std::size_t r = 0; r < factors.summands; ++r)
      sum += std::int64_t{call.accumulators[r * call.summand_stride + m * factors.outputs + n]} *
             factors.multipliers[r * factors.outputs + n];
    const std::int64_t rounded =
        code_range::all_of<std::int32_t>().clamp(Rounding::shift_right(sum, factors.shifts[n]));
    call.outputs[m * factors.outputs + n] =
        static_cast<Output>(factors.output_codes.clamp(rounded + factors.output_zero_point));
  }
}

/// Rows [first, last).
template <class Output, integer_rounding Rounding>
void joint_requantize(const joint_requantize_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  for (std::size_t m = first; m < last; ++m) joint_requantize_row<Output, Rounding>(call, m, 0, call.factors.outputs);
}

}  // namespace bitwright::kernels::scalar
