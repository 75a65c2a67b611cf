// SPDX-License-Identifier: MIT
/// \file
/// shift_add: gemm without a multiplier. Weights are sums of signed powers of two, and products shifts and additions.
///
///     out[m][n] = clamp(requantize(bias[n] + sum over n's terms of +-(a[m][input] - za) * 2^exponent, factor[n]) + zero_point)
///
/// The one multiplication left is that of requantize, for each output: cores that have none, or a slow one, do it 1 time
/// where gemm does `inputs` more. Every path gives the bits of kernels/scalar/shift_add.hpp, for every size, code, zero
/// point and rounding policy; and these are the bits of gemm with the weights that the terms add up to, zero point 0,
/// wherever 8 bits hold them.
///
/// On cores whose multipliers are as fast as their adders, gemm is faster: it does a product at a time, this a term.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/scalar/shift_add.hpp>
#include <bitwright/kernels/shift_add_arguments.hpp>
#include <bitwright/kernels/tiled_shift_add.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx2/term_tile.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/neon/term_tile.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's shift_add.
template <class Activation, class Output>
struct shift_add_path {
  std::string_view name;
  bool (*available)();
  std::size_t (*packed_bytes)(const shift_add_constants&);      ///< Of the memory that `pack` writes.
  void (*pack)(const shift_add_constants&, std::byte* packed);  ///< Into 64-byte aligned memory.
  std::size_t (*workspace_bytes)(const shift_add_constants&);   ///< For one call of `run`.
  void (*run)(const gemm_arguments<Activation, Output>&, std::size_t first, std::size_t last) noexcept;  ///< Rows.
};

/// A path of these tiles, whose sums `Store` turns into codes.
template <class Tile, class Activation, class Output, store_function Store>
constexpr shift_add_path<Activation, Output> one_tile_shift_add_path(std::string_view name, bool (*available)()) {
  using shift_add = one_tile_shift_add<Tile, Activation>;
  return {name,
          available,
          shift_add::packed_bytes,
          shift_add::pack,
          shift_add::workspace_bytes,
          shift_add::template run<Output, Store>};
}

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t> Activation,
          one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output, integer_rounding Rounding>
inline constexpr auto shift_add_paths = std::to_array<shift_add_path<Activation, Output>>({
#if defined(__x86_64__) && defined(__GNUC__)
  one_tile_shift_add_path<avx2::term_tile, Activation, Output, avx2::store_tile<Output, Rounding>>("avx2",
                                                                                                   cpu::has_avx2),
#elif defined(__aarch64__)
  one_tile_shift_add_path<neon::term_tile, Activation, Output, neon::store_tile<Output, Rounding>>("neon",
                                                                                                   always_available),
#endif
      {"scalar",
       always_available,
       scalar::shift_add_packed_bytes,
       scalar::shift_add_pack,
       scalar::shift_add_workspace_bytes,
       scalar::shift_add<Activation, Output, Rounding>},
});

}  // namespace bitwright::kernels
