// SPDX-License-Identifier: MIT
/// \file
/// binary convolution: windows on images of bits (height x width x channels) meet weights of bits as products of -1 and +1,
/// and their sums become codes, bits or values of images. Taps outside of an image add nothing.
/// See kernels/binary_gemm_arguments.hpp for the arithmetic.
///
/// Every path gives the bits of kernels/scalar/binary_convolution.hpp, for every size and rounding policy, whatever lies in bits
/// beyond the last of a row or a pixel.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/binary_convolution_arguments.hpp>
#include <bitwright/kernels/binary_tiles.hpp>
#include <bitwright/kernels/scalar/binary_convolution.hpp>
#include <bitwright/kernels/tiled_binary_convolution.hpp>

#include <array>
#include <cstddef>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/binary_tile.hpp>
#include <bitwright/kernels/avx512_vpopcntdq/binary_tile.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/binary_tile.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's binary convolution.
template <binary_output Output>
struct binary_convolution_path {
  std::string_view name;
  bool (*available)();
  std::size_t (*packed_bytes)(const binary_sum&);                       ///< Of the memory that `pack` writes.
  void (*pack)(const binary_sum&, std::byte* packed);                   ///< Into 64-byte aligned memory.
  std::size_t (*workspace_bytes)(const binary_convolution_constants&);  ///< For one call of `run`.
  void (*run)(const binary_convolution_arguments<Output>&, std::size_t first,
              std::size_t last) noexcept;  ///< Rows of all images.
};

/// A path by tiles, whose sums `Store` turns into outputs.
template <class Tile, binary_output Output, integer_rounding Rounding, binary_store_function Store>
constexpr binary_convolution_path<Output> tiled_binary_convolution_path(std::string_view name, bool (*available)()) {
  return {name,
          available,
          tiled_binary_packed_bytes<Tile>,
          tiled_binary_pack<Tile, may_shift_sums<Output, Rounding>>,
          tiled_binary_convolution_workspace_bytes<Tile>,
          run_tiled_binary_convolution<Tile, Output, Store>};
}

/// Best first; scalar closes the list. Rounding is that of codes.
template <binary_output Output, integer_rounding Rounding = half_to_even>
inline constexpr std::array binary_convolution_paths {
#if defined(__x86_64__) && defined(__GNUC__)
  tiled_binary_convolution_path<avx512_vpopcntdq::binary_tile, Output, Rounding,
                                avx512_vpopcntdq::store_binary<Output, Rounding>>("avx512_vpopcntdq",
                                                                                  cpu::has_avx512_vpopcntdq),
      tiled_binary_convolution_path<avx2::binary_tile, Output, Rounding, avx2::store_binary<Output, Rounding>>(
          "avx2", cpu::has_avx2),
#elif defined(__aarch64__)
  tiled_binary_convolution_path<neon::binary_tile, Output, Rounding, neon::store_binary<Output, Rounding>>(
      "neon", always_available),
#endif
      binary_convolution_path<Output> {
    "scalar", always_available, scalar::binary_packed_bytes, scalar::binary_pack,
        scalar::binary_convolution_workspace_bytes, scalar::binary_convolution<Output, Rounding>
  }
};

}  // namespace bitwright::kernels
