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
#include <bitwright/kernels/scalar/convolution.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/convolution.hpp>
#include <bitwright/kernels/avx512_vnni/convolution.hpp>
#include <bitwright/kernels/avx_vnni/convolution.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/convolution.hpp>
#include <bitwright/kernels/neon_dotprod/convolution.hpp>
#include <bitwright/kernels/neon_i8mm/convolution.hpp>
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

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t> Activation,
          one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output, integer_rounding Rounding>
inline constexpr std::array convolution_paths {
#if defined(__x86_64__) && defined(__GNUC__)
  convolution_path<Activation, Output>{"avx512_vnni",
                                       cpu::has_avx512_vnni,
                                       avx512_vnni::convolution_packed_bytes<Activation>,
                                       avx512_vnni::convolution_pack<Activation>,
                                       avx512_vnni::convolution_workspace_bytes<Activation>,
                                       avx512_vnni::convolution<Activation, Output, Rounding>},
      convolution_path<Activation, Output>{"avx_vnni",
                                           cpu::has_avx_vnni,
                                           avx_vnni::convolution_packed_bytes<Activation>,
                                           avx_vnni::convolution_pack<Activation>,
                                           avx_vnni::convolution_workspace_bytes<Activation>,
                                           avx_vnni::convolution<Activation, Output, Rounding>},
      convolution_path<Activation, Output>{"avx2",
                                           cpu::has_avx2,
                                           avx2::convolution_packed_bytes<Activation>,
                                           avx2::convolution_pack<Activation>,
                                           avx2::convolution_workspace_bytes<Activation>,
                                           avx2::convolution<Activation, Output, Rounding>},
#elif defined(__aarch64__)
  convolution_path<Activation, Output>{"neon_i8mm",
                                       cpu::has_neon_i8mm,
                                       neon_i8mm::convolution_packed_bytes<Activation>,
                                       neon_i8mm::convolution_pack<Activation>,
                                       neon_i8mm::convolution_workspace_bytes<Activation>,
                                       neon_i8mm::convolution<Activation, Output, Rounding>},
      convolution_path<Activation, Output>{"neon_dotprod",
                                           cpu::has_neon_dotprod,
                                           neon_dotprod::convolution_packed_bytes<Activation>,
                                           neon_dotprod::convolution_pack<Activation>,
                                           neon_dotprod::convolution_workspace_bytes<Activation>,
                                           neon_dotprod::convolution<Activation, Output, Rounding>},
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
