// SPDX-License-Identifier: MIT
/// \file
/// What one call of a binarize kernel reads and writes.
#pragma once

#include <cstddef>

namespace bitwright::kernels {

/// Rows of `length` values, or codes, become rows of bits, each from a byte on: 1 unless the value is below the
/// threshold, as it is for NaN. What a row's last byte has beyond them is 0.
template <class Value>
struct binarize_arguments {
  const Value* values;
  std::size_t length;
  std::size_t value_stride;  ///< From one row to the next, at least length.
  Value threshold;           ///< No NaN.
  std::byte* bits;
  std::size_t byte_stride;  ///< From one row to the next, at least the bytes of `length` bits.
};

}  // namespace bitwright::kernels
