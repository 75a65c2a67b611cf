// SPDX-License-Identifier: MIT
/// \file
/// The specification of binarize: one bit a value, the first one the byte's least.
#pragma once

#include <bitwright/kernels/binarize_arguments.hpp>

#include <cstddef>

namespace bitwright::kernels::scalar {

/// The bits of a row's values from `first` on, a multiple of 8.
template <class Value>
void binarize_row(const Value* values, std::size_t first, std::size_t length, Value threshold, std::byte* bits) {
  for (std::size_t i = first; i < length; ++i) {
    const auto bit = static_cast<std::byte>((values[i] < threshold ? 0 : 1) << i % 8);
    bits[i / 8] = i % 8 == 0 ? bit : bits[i / 8] | bit;
  }
}

/// Rows [first, last).
template <class Value>
void binarize(const binarize_arguments<Value>& call, std::size_t first, std::size_t last) noexcept {
  for (std::size_t row = first; row < last; ++row)
    binarize_row(call.values + row * call.value_stride, 0, call.length, call.threshold,
                 call.bits + row * call.byte_stride);
}

}  // namespace bitwright::kernels::scalar
