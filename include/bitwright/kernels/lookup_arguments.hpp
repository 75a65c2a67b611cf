// SPDX-License-Identifier: MIT
/// \file
/// What one call of a lookup kernel reads and writes.
#pragma once

#include <cstddef>

namespace bitwright::kernels {

/// How many entries a table of an 8-bit code's function has.
inline constexpr std::size_t lookup_entries = 256;

/// Rows of codes in and out. Strides count codes. Outputs may be the codes themselves, row for row, and nothing between.
template <class Code, class Output>
struct lookup_arguments {
  const Output* table;  ///< lookup_entries of them. That of a code is at its 8 bits, read as an unsigned number.
  const Code* codes;
  std::size_t code_stride;  ///< From one row to the next.
  Output* outputs;
  std::size_t output_stride;  ///< From one row to the next.
  std::size_t length;         ///< Codes of a row.
};

}  // namespace bitwright::kernels
