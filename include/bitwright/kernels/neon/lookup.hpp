// SPDX-License-Identifier: MIT
/// \file
/// Lookup on 64-bit Arm, 16 codes at once: the table is in 16 registers, of which tbl and tbx search four at a time.
#pragma once

#include <bitwright/kernels/lookup_arguments.hpp>
#include <bitwright/kernels/scalar/lookup.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// A table's 256 entries, 64 in each part.
struct lookup_table {
  uint8x16x4_t parts[4];

  [[gnu::always_inline]] explicit lookup_table(const std::uint8_t* entries)
      : parts{vld1q_u8_x4(entries), vld1q_u8_x4(entries + 64), vld1q_u8_x4(entries + 128), vld1q_u8_x4(entries + 192)} {
  }

  /// The entries of 16 codes. Codes beyond a part leave what the other parts found.
  [[gnu::always_inline]] uint8x16_t find(uint8x16_t codes) const {
    uint8x16_t found = vqtbl4q_u8(parts[0], codes);
    found = vqtbx4q_u8(found, parts[1], vsubq_u8(codes, vdupq_n_u8(64)));
    found = vqtbx4q_u8(found, parts[2], vsubq_u8(codes, vdupq_n_u8(128)));
    return vqtbx4q_u8(found, parts[3], vsubq_u8(codes, vdupq_n_u8(192)));
  }
};

/// Rows [first, last).
template <class Code, class Output>
void lookup(const lookup_arguments<Code, Output>& call, std::size_t first, std::size_t last) noexcept {
  const lookup_table table(reinterpret_cast<const std::uint8_t*>(call.table));
  const std::size_t whole = call.length / 16 * 16;
  for (std::size_t row = first; row < last; ++row) {
    const auto* codes = reinterpret_cast<const std::uint8_t*>(call.codes + row * call.code_stride);
    auto* outputs = reinterpret_cast<std::uint8_t*>(call.outputs + row * call.output_stride);
    for (std::size_t i = 0; i < whole; i += 16) vst1q_u8(outputs + i, table.find(vld1q_u8(codes + i)));
  }
  lookup_arguments<Code, Output> rest = call;
  rest.codes += whole, rest.outputs += whole, rest.length -= whole;
  scalar::lookup(rest, first, last);
}

}  // namespace bitwright::kernels::neon
