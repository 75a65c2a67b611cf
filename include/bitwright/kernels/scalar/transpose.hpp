// SPDX-License-Identifier: MIT
/// \file
/// The specification of transpose.
#pragma once

#include <bitwright/kernels/transpose_arguments.hpp>

#include <cstddef>

namespace bitwright::kernels::scalar {

/// Rows [first, last) of the outputs, counted through all matrices.
template <class Code>
void transpose(const transpose_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  for (std::size_t row = first; row < last; ++row) {
    const Code* const matrix = call.codes + row / call.columns * call.rows * call.columns;
    for (std::size_t i = 0; i < call.rows; ++i)
      call.outputs[row * call.rows + i] = matrix[i * call.columns + row % call.columns];
  }
}

}  // namespace bitwright::kernels::scalar
