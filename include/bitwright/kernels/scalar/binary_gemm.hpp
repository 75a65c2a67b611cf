// SPDX-License-Identifier: MIT
/// \file
/// The specification of binary gemm: sums of signs, and what becomes of them.
#pragma once

#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/binary_gemm_arguments.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright::kernels::scalar {

inline std::size_t binary_packed_bytes(const binary_sum& sums) { return sums.outputs * sums.row_bytes(); }

inline void binary_pack(const binary_sum& sums, std::byte* packed) {
  if (sums.outputs * sums.row_bytes() > 0) std::memcpy(packed, sums.weights, sums.outputs * sums.row_bytes());
}

inline std::size_t binary_gemm_workspace_bytes(const binary_sum&) { return 0; }

/// sum_k a[k] * w[k] for k < count, with signs as bits: each place that differs takes 2 from the sum.
inline std::int32_t sum_of_signs(const std::byte* a, const std::byte* w, std::size_t count) {
  std::int32_t differences = 0;
  for (std::size_t k = 0; k < count; k += 64) {
    const std::size_t bits = count - k < 64 ? count - k : 64;
    std::uint64_t left = 0, right = 0;
    std::memcpy(&left, a + k / 8, bytes_of_bits(bits));
    std::memcpy(&right, w + k / 8, bytes_of_bits(bits));
    differences += std::popcount((left ^ right) << (64 - bits));  // What is beyond the last bit falls out.
  }
  return static_cast<std::int32_t>(count) - 2 * differences;
}

/// Makes output n of a row.
template <binary_output Output, integer_rounding Rounding>
void store_binary(const binary_sum& sums, std::size_t n, std::int32_t sum, const float* row_scale,
                  stored_output<Output>* row) {
  if constexpr (std::same_as<Output, bool>) {
    const auto bit = static_cast<std::byte>((sum >= 0 ? 1 : 0) << n % 8);
    row[n / 8] = n % 8 == 0 ? bit : row[n / 8] | bit;
  } else if constexpr (std::same_as<Output, float>) {
    const float value = static_cast<float>(sum) * sums.scales[n];
    row[n] = row_scale == nullptr ? value : value * *row_scale;
  } else {
    row[n] = static_cast<Output>(requantize<Rounding>(sum, sums.factors[n], sums.output_zero_point, sums.output_codes));
  }
}

/// Rows [first, last) of the outputs.
template <binary_output Output, integer_rounding Rounding>
void binary_gemm(const binary_gemm_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  const binary_sum& sums = call.sums;
  for (std::size_t m = first; m < last; ++m)
    for (std::size_t n = 0; n < sums.outputs; ++n) {
      const std::int32_t sum = sum_of_signs(call.activations + m * call.activation_stride,
                                            call.packed + n * sums.row_bytes(), sums.channels);
      store_binary<Output, Rounding>(sums, n, sums.bias[n] + sum,
                                     call.row_scales == nullptr ? nullptr : call.row_scales + m,
                                     call.outputs + m * call.output_stride);
    }
}

}  // namespace bitwright::kernels::scalar
