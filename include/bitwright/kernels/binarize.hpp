// SPDX-License-Identifier: MIT
/// \file
/// binarize: values or codes become bits, the activations of binary gemm and binary convolution.
///
///     bit = value >= threshold, or the value is NaN
///
/// A threshold of 0, or of a code's zero point, is the sign with sign(0) = +1, as in quantizers/binary.hpp. Every path
/// gives the bits of kernels/scalar/binarize.hpp.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/binarize_arguments.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/scalar/binarize.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <bitwright/kernels/avx2/binarize.hpp>
#elif defined(__aarch64__)
#include <bitwright/kernels/neon/binarize.hpp>
#endif

namespace bitwright::kernels {

/// One instruction set's binarize.
template <class Value>
struct binarize_path {
  std::string_view name;
  bool (*available)();
  void (*run)(const binarize_arguments<Value>&, std::size_t first, std::size_t last) noexcept;  ///< Rows.
};

/// Best first; scalar closes the list.
template <one_of<float, std::uint8_t, std::int8_t> Value>
inline constexpr std::array binarize_paths {
#if defined(__x86_64__) && defined(__GNUC__)
  binarize_path<Value>{"avx2", cpu::has_avx2, avx2::binarize<Value>},
#elif defined(__aarch64__)
  binarize_path<Value>{"neon", always_available, neon::binarize<Value>},
#endif
      binarize_path<Value> {
    "scalar", always_available, scalar::binarize<Value>
  }
};

}  // namespace bitwright::kernels
