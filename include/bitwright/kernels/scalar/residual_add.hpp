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
  const auto& [left, right, outputs, zero_point, codes] = call;
  for (std::size_t i = first; i < last; ++i) {
    const std::int64_t a = requantize<Rounding>(left.codes[i] - left.zero_point, left.factor);
    const std::int64_t b = requantize<Rounding>(right.codes[i] - right.zero_point, right.factor);
    outputs[i] = static_cast<Output>(codes.clamp(Rounding::shift_right(a + b, residual_guard_bits) + zero_point));
  }
}

}  // namespace bitwright::kernels::scalar
