// SPDX-License-Identifier: MIT
/// \file
/// 2-D convolution of images (height x width x channels) with weights (outputs x kernel height x kernel width x input
/// channels of a group, packed once), with stride, padding, dilation and groups; depthwise is one group a channel.
///
///     out[y][x][n] = clamp(requantize(bias[n] + sum_{i,j,c} (a[y'][x'][c] - za) * (w[n][i][j][c] - zw[n]), factor[n])
///                          + zero_point),    y' = y * stride + i * dilation - padding, x' likewise,
///
/// where taps outside the image stand for the value 0, whose code is za. Every path gives the bits of
/// kernels/scalar/convolution.hpp, for every shape, code, zero point and rounding policy.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/one_tile_convolution.hpp>
#include <bitwright/kernels/scalar/convolution.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/convolution.hpp>
#include <bitwright/kernels/avx2/depthwise.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx512_vnni/depthwise.hpp>
#include <bitwright/kernels/avx512_vnni/store_tile.hpp>
#include <bitwright/kernels/avx512_vnni/tile.hpp>
#include <bitwright/kernels/avx_vnni/tile.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/convolution.hpp>
#include <bitwright/kernels/neon/depthwise.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/neon_dotprod/tile.hpp>
#include <bitwright/kernels/neon_i8mm/tile.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's convolution. `run` makes rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output>
struct convolution_path {
  std::string_view name;
  bool (*available)();
  std::size_t (*packed_bytes)(const convolution_constants&);      ///< Of the memory that `pack` writes.
  void (*pack)(const convolution_constants&, std::byte* packed);  ///< Into 64-byte aligned memory.
  std::size_t (*workspace_bytes)(const convolution_constants&);   ///< For one call of `run`.
  void (*run)(const convolution_arguments<Activation, Output>&, std::size_t first, std::size_t last) noexcept;
};

/// A path with one tile for all weights, whose sums `Store` turns into codes, and with depthwise functions.
template <class Tile, class Depthwise, class Activation, class Output, integer_rounding Rounding, store_function Store>
constexpr convolution_path<Activation, Output> one_tile_convolution_path(std::string_view name, bool (*available)()) {
  using convolution = one_tile_convolution<Tile, Depthwise>;
  return {name,
          available,
          convolution::packed_bytes,
          convolution::pack,
          convolution::workspace_bytes,
          convolution::template run<Activation, Output, Rounding, Store>};
}

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t> Activation,
          one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output, integer_rounding Rounding>
inline constexpr std::array convolution_paths {
#if defined(__x86_64__) && defined(__GNUC__)
  one_tile_convolution_path<avx512_vnni::tile<Activation>, avx512_vnni::depthwise_functions, Activation, Output,
                            Rounding, avx512_vnni::store_tile<Output, Rounding>>("avx512_vnni", cpu::has_avx512_vnni),
      one_tile_convolution_path<avx_vnni::tile<Activation>, avx2::depthwise_functions, Activation, Output, Rounding,
                                avx2::store_tile<Output, Rounding>>("avx_vnni", cpu::has_avx_vnni),
      convolution_path<Activation, Output>{"avx2",
                                           cpu::has_avx2,
                                           avx2::convolution_packed_bytes<Activation>,
                                           avx2::convolution_pack<Activation>,
                                           avx2::convolution_workspace_bytes<Activation>,
                                           avx2::convolution<Activation, Output, Rounding>},
#elif defined(__aarch64__)
  one_tile_convolution_path<neon_i8mm::tile<Activation>, neon::depthwise_functions, Activation, Output, Rounding,
                            neon::store_tile<Output, Rounding>>("neon_i8mm", cpu::has_neon_i8mm),
      one_tile_convolution_path<neon_dotprod::tile<Activation>, neon::depthwise_functions, Activation, Output, Rounding,
                                neon::store_tile<Output, Rounding>>("neon_dotprod", cpu::has_neon_dotprod),
      convolution_path<Activation, Output>{"neon",
                                           always_available,
                                           neon::convolution_packed_bytes<Activation>,
                                           neon::convolution_pack<Activation>,
                                           neon::convolution_workspace_bytes<Activation>,
                                           neon::convolution<Activation, Output, Rounding>},
#endif
      convolution_path<Activation, Output> {
    "scalar", always_available, scalar::convolution_packed_bytes, scalar::convolution_pack,
        scalar::convolution_workspace_bytes, scalar::convolution<Activation, Output, Rounding>
  }
};

}  // namespace bitwright::kernels
