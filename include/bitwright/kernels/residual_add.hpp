// SPDX-License-Identifier: MIT
/// \file
/// The residual add: two branches, each with its own scale, zero point and code type, into the codes of their sum.
///
///     sum = requantize(left - left_zero_point, left_factor) + requantize(right - right_zero_point, right_factor)
///     out = clamp(round(sum / 2^residual_guard_bits) + zero_point)
///
/// The order is normative: each branch is rounded on its own, to a grid 2^residual_guard_bits finer than the output's
/// codes, then whole numbers are added (in 64 bits, as a rounded branch may have all 32), and the sum is rounded to a
/// code. With steps of whole codes between, 2.4 + 1.3 would be 2 + 1 = 3; so it is 614/256 + 333/256 -> 4, and every
/// tenth code of a network is spared an error of one. Every path gives the bits of kernels/scalar/residual_add.hpp.
/// Source: HAWQ-V3 (Yao et al., ICML 2021), section 3.2, whose sums have 16 bits.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/residual_lines.hpp>
#include <bitwright/kernels/scalar/residual_add.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__aarch64__)
#include <bitwright/kernels/neon/residual_add.hpp>
#elif defined(__x86_64__)
#include <bitwright/kernels/avx2/residual_add.hpp>
#include <bitwright/kernels/avx512_vnni/residual_add.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's residual add. `pack` looks at a call's constants, not at its codes, and writes `packed_bytes`
/// to memory aligned to 64: with them `run` is faster, mostly. `run` makes elements [first, last).
template <class Left, class Right, class Output>
struct residual_add_path {
  std::string_view name;
  bool (*available)();
  std::size_t packed_bytes;
  void (*pack)(const residual_add_arguments<Left, Right, Output>&, std::byte* packed);
  void (*run)(const residual_add_arguments<Left, Right, Output>&, std::size_t first, std::size_t last) noexcept;
};

/// The `pack` of paths that have no use for it.
template <class Left, class Right, class Output>
void pack_nothing(const residual_add_arguments<Left, Right, Output>&, std::byte*) {}

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t, std::int16_t> Left, one_of<std::uint8_t, std::int8_t, std::int16_t> Right,
          one_of<std::uint8_t, std::int8_t, std::int16_t> Output, integer_rounding Rounding>
inline constexpr auto residual_add_paths = std::to_array<residual_add_path<Left, Right, Output>>({
#if defined(__aarch64__)
  {"neon", always_available, 0, pack_nothing<Left, Right, Output>, neon::residual_add<Left, Right, Output, Rounding>},
#elif defined(__x86_64__)
  {"avx512_vnni", cpu::has_avx512_vnni, sizeof(residual_lines), pack_residual_lines<Left, Right, Output, Rounding>,
   avx512_vnni::residual_add<Left, Right, Output, Rounding>},
      {"avx2", cpu::has_avx2, sizeof(residual_lines), pack_residual_lines<Left, Right, Output, Rounding>,
       avx2::residual_add<Left, Right, Output, Rounding>},
#endif
      {"scalar", always_available, 0, pack_nothing<Left, Right, Output>,
       scalar::residual_add<Left, Right, Output, Rounding>},
});

}  // namespace bitwright::kernels
