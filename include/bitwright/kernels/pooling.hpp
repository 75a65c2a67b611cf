// SPDX-License-Identifier: MIT
/// \file
/// Pooling of images (height x width x channels), channel by channel: the greatest code, or the average value, of the
/// taps inside the image.
///
///     max:      out = max code
///     average:  out = clamp(requantize(sum (code - activation_zero_point), factors[count]) + zero_point)
///
/// where count is the number of taps inside the image. Global pooling is the case where the window is the image.
/// Every path gives the bits of kernels/scalar/pooling.hpp.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/pooling_arguments.hpp>
#include <bitwright/kernels/scalar/pooling.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__aarch64__)
#include <bitwright/kernels/neon/pooling.hpp>
#elif defined(__x86_64__)
#include <bitwright/kernels/avx2/pooling.hpp>
#include <bitwright/kernels/avx512_vnni/pooling.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's max pooling. `run` makes rows [first, last) of the outputs, counted through all images.
template <class Code>
struct max_pooling_path {
  std::string_view name;
  bool (*available)();
  void (*run)(const max_pooling_arguments<Code>&, std::size_t first, std::size_t last) noexcept;
};

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t, std::int16_t> Code>
inline constexpr auto max_pooling_paths = std::to_array<max_pooling_path<Code>>({
#if defined(__aarch64__)
  {"neon", always_available, neon::max_pooling<Code>},
#elif defined(__x86_64__)
  {"avx512_vnni", cpu::has_avx512_vnni, avx512_vnni::max_pooling<Code>},
      {"avx2", cpu::has_avx2, avx2::max_pooling<Code>},
#endif
      {"scalar", always_available, scalar::max_pooling<Code>},
});

/// One instruction set's average pooling. `run` makes rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output>
struct average_pooling_path {
  std::string_view name;
  bool (*available)();
  void (*run)(const average_pooling_arguments<Activation, Output>&, std::size_t first, std::size_t last) noexcept;
};

/// Best first; scalar closes the list.
template <one_of<std::uint8_t, std::int8_t, std::int16_t> Activation,
          one_of<std::uint8_t, std::int8_t, std::int16_t> Output, integer_rounding Rounding>
inline constexpr auto average_pooling_paths = std::to_array<average_pooling_path<Activation, Output>>({
#if defined(__aarch64__)
  {"neon", always_available, neon::average_pooling<Activation, Output, Rounding>},
#elif defined(__x86_64__)
  {"avx512_vnni", cpu::has_avx512_vnni, avx512_vnni::average_pooling<Activation, Output, Rounding>},
      {"avx2", cpu::has_avx2, avx2::average_pooling<Activation, Output, Rounding>},
#endif
      {"scalar", always_available, scalar::average_pooling<Activation, Output, Rounding>},
});

}  // namespace bitwright::kernels
