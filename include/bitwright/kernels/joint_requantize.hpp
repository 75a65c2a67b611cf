// SPDX-License-Identifier: MIT
/// \file
/// Joint requantization: the accumulators of one output, each with a multiplier of its own, become one code.
///
///     out[m][n] = clamp(round((addend[n] + sum_r accumulator_r[m][n] * multiplier_r[n]) / 2^shift[n]) + zero_point)
///
/// It ends layers whose weights are sums of integers with scales of their own, weight = sum_r scale_r * level_r, such as
/// piecewise linear ones: gemm makes an accumulator for each summand, and nothing is rounded before they meet. The sum has
/// 64 bits, is rounded once, and saturates to 32 bits before the zero point is added, as requantize does.
/// Every path gives the bits of kernels/scalar/joint_requantize.hpp.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/joint_requantize_arguments.hpp>
#include <bitwright/kernels/scalar/joint_requantize.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/joint_requantize.hpp>
#include <bitwright/kernels/avx512_vnni/joint_requantize.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/joint_requantize.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's joint requantization. `run` makes rows [first, last).
template <class Output>
struct joint_requantize_path {
  std::string_view name;
  bool (*available)();
  void (*run)(const joint_requantize_arguments<Output>&, std::size_t first, std::size_t last) noexcept;
};

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output, integer_rounding Rounding>
inline constexpr auto joint_requantize_paths = std::to_array<joint_requantize_path<Output>>({
#if defined(__x86_64__) && defined(__GNUC__)
  {"avx512_vnni", cpu::has_avx512_vnni, avx512_vnni::joint_requantize<Output, Rounding>},
      {"avx2", cpu::has_avx2, avx2::joint_requantize<Output, Rounding>},
#elif defined(__aarch64__)
  {"neon", always_available, neon::joint_requantize<Output, Rounding>},
#endif
      {"scalar", always_available, scalar::joint_requantize<Output, Rounding>},
});

}  // namespace bitwright::kernels
