// SPDX-License-Identifier: MIT
/// \file
/// Group-wise gemm: weights of 4 or 8 bits in groups of 32 along the inputs, each group with a scale of its own, and
/// possibly a zero point; activations in floats, quantized to 8 bits on the way; outputs in floats.
///
///     dot[m][n][g] = sum_k (w[n][k] - weight_zero_point[n][g]) * code[m][k]      over the 32 k of group g
///     sum[m][n]    = fma(dot[m][n][g], weight_scale[n][g], sum[m][n])            for g = 0, 1, ..., from 0
///     out[m][n]    = fma(sum[m][n], activation_scale[m], bias[n])                where no bias is 0
///
/// Activations' codes and scales are those of kernels/group_rows.hpp. A dot product is below 2^19 and exact as a float;
/// weights' scales are fp16, so that sums are whole multiples of 2^-24 until they are rounded. The order of groups and the
/// one rounding of each fma are part of the specification: every path gives the bits of kernels/scalar/group_gemm.hpp, in
/// the default floating-point environment. A row is computed from that row alone, whatever other rows and pieces there are.
/// Sources: ggml (Gerganov et al.) for groups of 32 and activations quantized on the way; LLM.int8() (Dettmers et al.,
/// NeurIPS 2022) for one scale a token.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_rows.hpp>
#include <bitwright/kernels/scalar/group_gemm.hpp>
#include <bitwright/kernels/tiled_group_gemm.hpp>

#include <array>
#include <cstddef>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/group_tile.hpp>
#include <bitwright/kernels/avx2/quantize_row.hpp>
#include <bitwright/kernels/avx512_vnni/group_tile.hpp>
#include <bitwright/kernels/avx_vnni/group_tile.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/group_tile.hpp>
#include <bitwright/kernels/neon/quantize_row.hpp>
#include <bitwright/kernels/neon_dotprod/group_tile.hpp>
#endif

namespace bitwright::kernels {

/// Of the memory that one call of a group-wise gemm works in, on any path.
constexpr std::size_t group_gemm_workspace_bytes(const group_weights& weights, std::size_t rows) {
  return group_rows{rows, weights.groups()}.bytes();
}

/// One instruction set's group-wise gemm.
struct group_gemm_path {
  std::string_view name;
  bool (*available)();
  std::size_t (*packed_bytes)(const group_weights&);      ///< Of the memory that `pack` writes.
  void (*pack)(const group_weights&, std::byte* packed);  ///< Into 64-byte aligned memory.
  /// Makes the codes of rows [first, last), in the call's workspace. All rows' are there before any `run`.
  void (*quantize)(const group_gemm_arguments&, std::size_t first, std::size_t last) noexcept;
  /// Makes columns [first, last) of all rows; first is a multiple of group_gemm_columns.
  void (*run)(const group_gemm_arguments&, std::size_t first, std::size_t last) noexcept;
};

/// A path of these tiles.
template <class Tile, const row_quantizer& Quantizer>
constexpr group_gemm_path one_tile_group_gemm_path(std::string_view name, bool (*available)()) {
  using group_gemm = one_tile_group_gemm<Tile, Quantizer>;
  return {name, available, group_gemm::packed_bytes, group_gemm::pack, group_gemm::quantize, group_gemm::run};
}

/// Best first; scalar closes the list.
template <group_format Format>
inline constexpr auto group_gemm_paths = std::to_array<group_gemm_path>({
#if defined(__x86_64__) && defined(__GNUC__)
  one_tile_group_gemm_path<avx512_vnni::group_tile<Format>, avx2::rows_quantizer>("avx512_vnni", cpu::has_avx512_vnni),
      one_tile_group_gemm_path<avx_vnni::group_tile<Format>, avx2::rows_quantizer>("avx_vnni",
                                                                                   cpu::has_avx_vnni_fma_f16c),
      one_tile_group_gemm_path<avx2::group_tile<Format>, avx2::rows_quantizer>("avx2", cpu::has_avx2_fma_f16c),
#elif defined(__aarch64__)
  one_tile_group_gemm_path<neon_dotprod::group_tile<Format>, neon::rows_quantizer>("neon_dotprod",
                                                                                   cpu::has_neon_dotprod),
      one_tile_group_gemm_path<neon::group_tile<Format>, neon::rows_quantizer>("neon", always_available),
#endif
      {"scalar",
       always_available,
       scalar::group_gemm_packed_bytes<Format>,
       scalar::group_gemm_pack<Format>,
       scalar::group_gemm_quantize<Format>,
       scalar::group_gemm<Format>},
});

}  // namespace bitwright::kernels
