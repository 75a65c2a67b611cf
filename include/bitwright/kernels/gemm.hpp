// SPDX-License-Identifier: MIT
/// \file
/// gemm: activations (rows x inputs) times weights (outputs x inputs, packed once) into codes (rows x outputs).
///
///     out[m][n] = clamp(requantize(bias[n] + sum_k (a[m][k] - za) * (w[n][k] - zw[n]), factor[n]) + zero_point)
///
/// Every path gives the bits of kernels/scalar/gemm.hpp, for every size, code, zero point and rounding policy.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/one_tile_gemm.hpp>
#include <bitwright/kernels/scalar/gemm.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/gemm.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx512_vnni/store_tile.hpp>
#include <bitwright/kernels/avx512_vnni/tile.hpp>
#include <bitwright/kernels/avx_vnni/tile.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/gemm.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/neon_dotprod/tile.hpp>
#include <bitwright/kernels/neon_i8mm/tile.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's gemm.
template <class Activation, class Output>
struct gemm_path {
  std::string_view name;
  bool (*available)();
  std::size_t (*packed_bytes)(const weighted_sum&);      ///< Of the memory that `pack` writes.
  void (*pack)(const weighted_sum&, std::byte* packed);  ///< Into 64-byte aligned memory.
  std::size_t (*workspace_bytes)(const weighted_sum&);   ///< For one call of `run`.
  void (*run)(const gemm_arguments<Activation, Output>&, std::size_t first, std::size_t last) noexcept;  ///< Rows.
};

/// A path with one tile for all weights, whose sums `Store` turns into codes.
template <class Tile, class Activation, class Output, store_function Store>
constexpr gemm_path<Activation, Output> one_tile_gemm_path(std::string_view name, bool (*available)()) {
  using gemm = one_tile_gemm<Tile>;
  return {name,
          available,
          gemm::packed_bytes,
          gemm::pack,
          gemm::workspace_bytes,
          gemm::template run<Activation, Output, Store>};
}

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t> Activation,
          one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output, integer_rounding Rounding>
inline constexpr std::array gemm_paths {
#if defined(__x86_64__) && defined(__GNUC__)
  one_tile_gemm_path<avx512_vnni::tile<Activation>, Activation, Output, avx512_vnni::store_tile<Output, Rounding>>(
      "avx512_vnni", cpu::has_avx512_vnni),
      one_tile_gemm_path<avx_vnni::tile<Activation>, Activation, Output, avx2::store_tile<Output, Rounding>>(
          "avx_vnni", cpu::has_avx_vnni),
      gemm_path<Activation, Output>{"avx2",
                                    cpu::has_avx2,
                                    avx2::gemm_packed_bytes<Activation>,
                                    avx2::gemm_pack<Activation>,
                                    avx2::gemm_workspace_bytes<Activation>,
                                    avx2::gemm<Activation, Output, Rounding>},
#elif defined(__aarch64__)
  one_tile_gemm_path<neon_i8mm::tile<Activation>, Activation, Output, neon::store_tile<Output, Rounding>>(
      "neon_i8mm", cpu::has_neon_i8mm),
      one_tile_gemm_path<neon_dotprod::tile<Activation>, Activation, Output, neon::store_tile<Output, Rounding>>(
          "neon_dotprod", cpu::has_neon_dotprod),
      gemm_path<Activation, Output>{"neon",
                                    always_available,
                                    neon::gemm_packed_bytes<Activation>,
                                    neon::gemm_pack<Activation>,
                                    neon::gemm_workspace_bytes<Activation>,
                                    neon::gemm<Activation, Output, Rounding>},
#endif
      gemm_path<Activation, Output> {
    "scalar", always_available, scalar::packed_bytes, scalar::pack, scalar::gemm_workspace_bytes,
        scalar::gemm<Activation, Output, Rounding>
  }
};

}  // namespace bitwright::kernels
