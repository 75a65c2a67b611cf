// SPDX-License-Identifier: MIT
/// \file
/// Paths for spans: a quantizer that codes one value at a time, run on many at once by every instruction set.
///
/// A scheme states how one value becomes a code and back, as plain C++ without a branch that matters. A path compiles
/// that same source for its instruction set, in blocks of a fixed size that a compiler turns into vectors at -O2, so that
/// every path gives the bits of `scalar`. For that a scheme
/// - marks both functions [[gnu::always_inline]]: code that is called stays what it was compiled as;
/// - never adds to a product of floats: compilers fuse the two where the processor can, which rounds once instead of
///   twice. A whole number is added as an integer;
/// - needs memory only for reading, and no more of it than a small table.
///
/// Where a compiler cannot find what an instruction set offers, a scheme brings a function of its own for that path:
/// `quantize_span(paths::avx2::path(), q, values, codes, count)`, or dequantize_span, found by its arguments, with the target
/// attribute of the path. It gives the same bits as well.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace bitwright {

/// `q.quantize(value)` is the code of one value; or `q.quantize(value, index)`, which may depend on the value's place in
/// its span too, counted modulo 2^32. `q.dequantize(code)` is the value of one code.
template <class Q>
concept elementwise_quantizer = requires(const Q& q, float value, typename Q::code_type code, std::uint32_t index) {
  { q.dequantize(code) } -> std::same_as<float>;
  requires requires {
    { q.quantize(value) } -> std::same_as<typename Q::code_type>;
  } || requires {
    { q.quantize(value, index) } -> std::same_as<typename Q::code_type>;
  };
};

/// One instruction set's way through spans of `count` elements.
template <elementwise_quantizer Q>
struct span_path {
  using code_type = typename Q::code_type;
  std::string_view name;
  bool (*available)();
  void (*quantize)(const Q&, const float* values, code_type* codes, std::size_t count) noexcept;
  void (*dequantize)(const Q&, const code_type* codes, float* values, std::size_t count) noexcept;
};

namespace paths {

/// Elements in a block: the codes of one fill the widest register when they are bytes. What remains is done in blocks
/// of the smaller size, whose floats fill it: slices are often short.
inline constexpr std::size_t block_size = 64, small_block_size = 16;

/// The code of the value at `index`, for schemes that ask for it and for those that do not.
template <class Q>
[[gnu::always_inline]] inline typename Q::code_type code_at(const Q& q, float value, std::uint32_t index) {
  if constexpr (requires {
                  { q.quantize(value) } -> std::same_as<typename Q::code_type>;
                })
    return q.quantize(value);
  else
    return q.quantize(value, index);
}

/// The codes of a block whose first value has the index `first`. (Told not to be unrolled: g++ at -O3 would take a block of 16
/// apart before it looks for vectors.)
template <std::size_t Size, class Q>
[[gnu::always_inline]] inline void quantize_block(const Q& q, const float* __restrict values,
                                                  typename Q::code_type* __restrict codes, std::uint32_t first) {
#pragma GCC unroll 1
  for (std::uint32_t i = 0; i < Size; ++i) codes[i] = code_at(q, values[i], first + i);
}

template <std::size_t Size, class Q>
[[gnu::always_inline]] inline void dequantize_block(const Q& q, const typename Q::code_type* __restrict codes,
                                                    float* __restrict values) {
#pragma GCC unroll 1
  for (std::size_t i = 0; i < Size; ++i) values[i] = q.dequantize(codes[i]);
}

/// How the loops hold a quantizer: as a copy where that is cheap, because what is written through a pointer to bytes
/// might otherwise be a part of it, to be read again each time.
template <class Q>
using held = std::conditional_t<std::is_trivially_copyable_v<Q> && sizeof(Q) <= 128, const Q, const Q&>;

/// Whole blocks, small ones, then the rest in a small block of its own.
template <class Q>
[[gnu::always_inline]] inline void quantize_blocks(held<Q> q, const float* values, typename Q::code_type* codes,
                                                   std::size_t count) {
  std::size_t i = 0;
  for (; i + block_size <= count; i += block_size)
    quantize_block<block_size>(q, values + i, codes + i, static_cast<std::uint32_t>(i));
  for (; i + small_block_size <= count; i += small_block_size)
    quantize_block<small_block_size>(q, values + i, codes + i, static_cast<std::uint32_t>(i));
  if (i == count) return;
  float rest[small_block_size] = {};
  typename Q::code_type rest_codes[small_block_size];
  std::copy_n(values + i, count - i, rest);
  quantize_block<small_block_size>(q, rest, rest_codes, static_cast<std::uint32_t>(i));
  std::copy_n(rest_codes, count - i, codes + i);
}

template <class Q>
[[gnu::always_inline]] inline void dequantize_blocks(held<Q> q, const typename Q::code_type* codes, float* values,
                                                     std::size_t count) {
  std::size_t i = 0;
  for (; i + block_size <= count; i += block_size) dequantize_block<block_size>(q, codes + i, values + i);
  for (; i + small_block_size <= count; i += small_block_size)
    dequantize_block<small_block_size>(q, codes + i, values + i);
  if (i == count) return;
  typename Q::code_type rest[small_block_size] = {};
  float rest_values[small_block_size];
  std::copy_n(codes + i, count - i, rest);
  dequantize_block<small_block_size>(q, rest, rest_values);
  std::copy_n(rest_values, count - i, values + i);
}

namespace scalar {  // The definition of correct.

template <class Q>
void quantize(const Q& q, const float* values, typename Q::code_type* codes, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) codes[i] = code_at(q, values[i], static_cast<std::uint32_t>(i));
}

template <class Q>
void dequantize(const Q& q, const typename Q::code_type* codes, float* values, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) values[i] = q.dequantize(codes[i]);
}

}  // namespace scalar

#if defined(__x86_64__) && defined(__GNUC__)

namespace avx2 {

/// Asks for functions of this path.
struct path {};

template <class Q>
[[gnu::target("avx2,f16c")]] void quantize(const Q& q, const float* values, typename Q::code_type* codes,
                                           std::size_t count) noexcept {
  if constexpr (requires { quantize_span(path(), q, values, codes, count); })
    quantize_span(path(), q, values, codes, count);
  else
    quantize_blocks<Q>(q, values, codes, count);
}

template <class Q>
[[gnu::target("avx2,f16c")]] void dequantize(const Q& q, const typename Q::code_type* codes, float* values,
                                             std::size_t count) noexcept {
  if constexpr (requires { dequantize_span(path(), q, codes, values, count); })
    dequantize_span(path(), q, codes, values, count);
  else
    dequantize_blocks<Q>(q, codes, values, count);
}

}  // namespace avx2

namespace avx512 {

/// Asks for functions of this path.
struct path {};

template <class Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void quantize(const Q& q, const float* values,
                                                                         typename Q::code_type* codes,
                                                                         std::size_t count) noexcept {
  if constexpr (requires { quantize_span(path(), q, values, codes, count); })
    quantize_span(path(), q, values, codes, count);
  else
    quantize_blocks<Q>(q, values, codes, count);
}

template <class Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void dequantize(const Q& q,
                                                                           const typename Q::code_type* codes,
                                                                           float* values, std::size_t count) noexcept {
  if constexpr (requires { dequantize_span(path(), q, codes, values, count); })
    dequantize_span(path(), q, codes, values, count);
  else
    dequantize_blocks<Q>(q, codes, values, count);
}

}  // namespace avx512

#elif defined(__aarch64__)

namespace neon {  // Every 64-bit Arm has it: no attribute is needed, only the blocks.

template <class Q>
void quantize(const Q& q, const float* values, typename Q::code_type* codes, std::size_t count) noexcept {
  quantize_blocks<Q>(q, values, codes, count);
}

template <class Q>
void dequantize(const Q& q, const typename Q::code_type* codes, float* values, std::size_t count) noexcept {
  dequantize_blocks<Q>(q, codes, values, count);
}

}  // namespace neon

#endif

}  // namespace paths

/// Best first; scalar closes the list.
template <elementwise_quantizer Q>
inline constexpr std::array span_paths {
#if defined(__x86_64__) && defined(__GNUC__)
  span_path<Q>{"avx512", cpu::has_avx512, paths::avx512::quantize<Q>, paths::avx512::dequantize<Q>},
      span_path<Q>{"avx2", cpu::has_avx2_f16c, paths::avx2::quantize<Q>, paths::avx2::dequantize<Q>},
#elif defined(__aarch64__)
  span_path<Q>{"neon", always_available, paths::neon::quantize<Q>, paths::neon::dequantize<Q>},
#endif
      span_path<Q> {
    "scalar", always_available, paths::scalar::quantize<Q>, paths::scalar::dequantize<Q>
  }
};

/// The code of each value, by the best available path. `scheme` names the quantizer in messages.
/// Throws invalid_argument unless both spans have the same size.
template <elementwise_quantizer Q>
void quantize_each(const Q& q, std::span<const float> values, std::span<typename Q::code_type> codes,
                   std::string_view scheme) {
  if (codes.size() != values.size())
    fail(std::string(scheme) + "::quantize: codes.size()", codes.size(), "that of the values, ", values.size());
  static const span_path<Q>& path = best_path(span_paths<Q>);
  path.quantize(q, values.data(), codes.data(), values.size());
}

/// The value of each code, likewise.
template <elementwise_quantizer Q>
void dequantize_each(const Q& q, std::span<const typename Q::code_type> codes, std::span<float> values,
                     std::string_view scheme) {
  if (values.size() != codes.size())
    fail(std::string(scheme) + "::dequantize: values.size()", values.size(), "that of the codes, ", codes.size());
  static const span_path<Q>& path = best_path(span_paths<Q>);
  path.dequantize(q, codes.data(), values.data(), codes.size());
}

}  // namespace bitwright
