// SPDX-License-Identifier: MIT
/// \file
/// The specification of the residual add.
#pragma once

#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

/// Elements [first, last).
template <class Left, class Right, class Output, integer_rounding Rounding>
void residual_add(const residual_add_arguments<Left, Right, Output>& call, std::size_t first,
                  std::size_t last) noexcept {
  const auto& left = call.left;
  const auto& right = call.right;
  for (std::size_t i = first; i < last; ++i) {
    const std::int64_t a = requantize<Rounding>(left.codes[i] - left.zero_point, left.factor);
    const std::int64_t b = requantize<Rounding>(right.codes[i] - right.zero_point, right.factor);
    const std::int64_t code = Rounding::shift_right(a + b, residual_guard_bits) + call.output_zero_point;
    call.outputs[i] = static_cast<Output>(call.output_codes.clamp(code));
  }
}

}  // namespace bitwright::kernels::scalar
