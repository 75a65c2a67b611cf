// SPDX-License-Identifier: MIT
/// \file
/// Lookup: any function of an 8-bit code, as a table of its 256 values.
///
///     out[i] = table[code[i]]
///
/// Rows with strides, so that the channels of one tensor can become some of the channels of another. Every path gives
/// the bits of kernels/scalar/lookup.hpp.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/lookup_arguments.hpp>
#include <bitwright/kernels/scalar/lookup.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__)
#include <bitwright/kernels/avx2/lookup.hpp>
#include <bitwright/kernels/avx512_vbmi/lookup.hpp>
#include <bitwright/kernels/avx512_vnni/lookup.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/lookup.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's lookup. `run` makes rows [first, last).
template <class Code, class Output>
struct lookup_path {
  std::string_view name;
  bool (*available)();
  void (*run)(const lookup_arguments<Code, Output>&, std::size_t first, std::size_t last) noexcept;
};

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t> Code, one_of<std::uint8_t, std::int8_t> Output>
inline constexpr auto lookup_paths = std::to_array<lookup_path<Code, Output>>({
#if defined(__x86_64__)
  {"avx512_vbmi", cpu::has_avx512_vbmi, avx512_vbmi::lookup<Code, Output>},
      {"avx512_vnni", cpu::has_avx512_vnni, avx512_vnni::lookup<Code, Output>},
      {"avx2", cpu::has_avx2, avx2::lookup<Code, Output>},
#elif defined(__aarch64__)
  {"neon", always_available, neon::lookup<Code, Output>},
#endif
      {"scalar", always_available, scalar::lookup<Code, Output>},
});

}  // namespace bitwright::kernels
