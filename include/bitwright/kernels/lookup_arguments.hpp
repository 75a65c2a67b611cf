// SPDX-License-Identifier: MIT
/// \file
/// What one call of a lookup kernel reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>

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

/// The same call on bytes: of 8-bit codes, signed or not, the bits are all that counts.
template <class Code, class Output>
lookup_arguments<std::uint8_t, std::uint8_t> as_bytes(const lookup_arguments<Code, Output>& call) {
  static_assert(sizeof(Code) == 1 && sizeof(Output) == 1);
  return {reinterpret_cast<const std::uint8_t*>(call.table),
          reinterpret_cast<const std::uint8_t*>(call.codes),
          call.code_stride,
          reinterpret_cast<std::uint8_t*>(call.outputs),
          call.output_stride,
          call.length};
}

}  // namespace bitwright::kernels
