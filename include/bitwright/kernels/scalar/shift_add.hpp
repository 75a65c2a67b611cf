// SPDX-License-Identifier: MIT
/// \file
/// The specification of shift_add: no multiplication but the one that requantizes an output. It runs the bytes of a term
/// list as they are stored, and takes no time for weights that have no terms.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/core/term_byte.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/scalar/weighted_sum.hpp>
#include <bitwright/kernels/shift_add_arguments.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::scalar {

/// Where rows end, then their bytes.
inline std::size_t shift_add_packed_bytes(const shift_add_constants& constants) {
  return constants.sums.outputs * sizeof(std::uint32_t) + constants.byte_count();
}

inline void shift_add_pack(const shift_add_constants& constants, std::byte* packed) {
  const std::size_t outputs = constants.sums.outputs;
  std::copy_n(constants.row_ends, outputs, reinterpret_cast<std::uint32_t*>(packed));
  std::copy_n(constants.bytes, constants.byte_count(),
              reinterpret_cast<term_byte*>(packed + outputs * sizeof(std::uint32_t)));
}

inline std::size_t shift_add_workspace_bytes(const shift_add_constants&) { return 0; }

/// sum of +-(activations[input] - zero_point) * 2^exponent over a row's terms.
template <class Activation>
std::int32_t add_terms(const Activation* activations, std::int32_t zero_point, const term_byte* first,
                       const term_byte* last) {
  std::uint32_t sum = 0;
  for_each_term(first, last, [&](std::size_t input, int exponent, bool negative) {
    const std::uint32_t shifted = static_cast<std::uint32_t>(activations[input] - zero_point) << exponent;
    sum = negative ? sum - shifted : sum + shifted;
  });
  return static_cast<std::int32_t>(sum);
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void shift_add(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const weighted_sum& sums = call.sums;
  const auto* ends = reinterpret_cast<const std::uint32_t*>(call.packed);
  const auto* terms = reinterpret_cast<const term_byte*>(ends + sums.outputs);
  for (std::size_t m = first; m < last; ++m)
    for (std::size_t n = 0; n < sums.outputs; ++n) {
      const std::int32_t sum = add_terms(call.activations + m * call.activation_stride, sums.activation_zero_point,
                                         terms + (n == 0 ? 0 : ends[n - 1]), terms + ends[n]);
      call.outputs[m * call.output_stride + n] = output_code<Rounding, Output>(sums, n, sums.bias[n] + sum);
    }
}

}  // namespace bitwright::kernels::scalar
