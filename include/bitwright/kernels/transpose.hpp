// SPDX-License-Identifier: MIT
/// \file
/// Transposition of matrices of codes: how images with their channels first become images with their channels last, and
/// back.
///
///     out[m][j][i] = in[m][i][j]
///
/// Every path gives the bits of kernels/scalar/transpose.hpp.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/scalar/transpose.hpp>
#include <bitwright/kernels/transpose_arguments.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__)
#include <bitwright/kernels/avx2/transpose.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/transpose.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's transpose. `run` makes rows [first, last) of the outputs, counted through all matrices.
template <class Code>
struct transpose_path {
  std::string_view name;
  bool (*available)();
  void (*run)(const transpose_arguments<Code>&, std::size_t first, std::size_t last) noexcept;
};

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t> Code>
inline constexpr auto transpose_paths = std::to_array<transpose_path<Code>>({
#if defined(__x86_64__)
  {"avx2", cpu::has_avx2, avx2::transpose<Code>},
#elif defined(__aarch64__)
  {"neon", always_available, neon::transpose<Code>},
#endif
      {"scalar", always_available, scalar::transpose<Code>},
});

}  // namespace bitwright::kernels
