// SPDX-License-Identifier: MIT
/// \file
/// The specification of lookup.
#pragma once

#include <bitwright/kernels/lookup_arguments.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

/// Rows [first, last).
template <class Code, class Output>
void lookup(const lookup_arguments<Code, Output>& call, std::size_t first, std::size_t last) noexcept {
  for (std::size_t row = first; row < last; ++row)
    for (std::size_t i = 0; i < call.length; ++i)
      call.outputs[row * call.output_stride + i] =
          call.table[static_cast<std::uint8_t>(call.codes[row * call.code_stride + i])];
}

}  // namespace bitwright::kernels::scalar
