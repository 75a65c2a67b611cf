// SPDX-License-Identifier: MIT
/// \file
/// Pooling, 64 bytes of channels at a time, the last of a pixel masked.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/pooling_arguments.hpp>
#include <bitwright/kernels/taps_in_memory.hpp>

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// Sums of codes are kept in 16 bits for so many taps: 128 * 255 < 2^15.
inline constexpr std::size_t taps_in_16_bits = 128;

/// The greater of two registers' codes.
template <class Code>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i greater(__m512i a,
                                                                                                        __m512i b) {
  if constexpr (std::same_as<Code, std::uint8_t>)
    return _mm512_max_epu8(a, b);
  else if constexpr (std::same_as<Code, std::int8_t>)
    return _mm512_max_epi8(a, b);
  else
    return _mm512_max_epi16(a, b);
}

/// The first `count` of 64.
constexpr std::uint64_t first_of_64(std::size_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// The chosen of 64 bytes of channels.
template <class Code>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_greatest(
    const Code* codes, const taps_in_memory& taps, __mmask64 chosen, Code* output) {
  __m512i greatest = _mm512_maskz_loadu_epi8(chosen, codes);
  for (std::size_t row = 0; row < taps.rows; ++row)
    for (std::size_t column = 0; column < taps.columns; ++column) {
      const Code* const tap = codes + row * taps.row_step + column * taps.column_step;
      greatest = greater<Code>(greatest, _mm512_maskz_loadu_epi8(chosen, tap));
    }
  if (chosen == ~__mmask64{0})
    _mm512_storeu_si512(output, greatest);
  else
    _mm512_mask_storeu_epi8(output, chosen, greatest);
}

/// All channels of one output.
template <class Code>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void greatest_of_pixel(const Code* codes,
                                                                                           const taps_in_memory& taps,
                                                                                           std::size_t channels,
                                                                                           Code* output) {
  constexpr std::size_t lanes = 64 / sizeof(Code);
  std::size_t c = 0;
  for (; c + lanes <= channels; c += lanes) store_greatest(codes + c, taps, ~__mmask64{0}, output + c);
  if (c < channels) store_greatest(codes + c, taps, first_of_64((channels - c) * sizeof(Code)), output + c);
}

/// Sums of 32 channels, in two registers.
struct channel_sums {
  __m512i low;
  __m512i high;
};

/// The chosen of 32 codes in 16 bits, 0 for the others.
template <class Activation>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i load_chosen(
    const Activation* codes, __mmask32 chosen) {
  if constexpr (sizeof(Activation) == 2) return _mm512_maskz_loadu_epi16(chosen, codes);
  const __m256i bytes = _mm256_maskz_loadu_epi8(chosen, codes);
  return std::same_as<Activation, std::uint8_t> ? _mm512_cvtepu8_epi16(bytes) : _mm512_cvtepi8_epi16(bytes);
}

/// 16-bit numbers added to 32-bit sums.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline channel_sums add_wide(
    channel_sums sums, __m512i values) {
  return {_mm512_add_epi32(sums.low, _mm512_cvtepi16_epi32(_mm512_castsi512_si256(values))),
          _mm512_add_epi32(sums.high, _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(values, 1)))};
}

/// The sums of codes of 64 channels, the chosen ones.
template <class Activation>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void sum_taps(
    const Activation* codes, const taps_in_memory& taps, std::uint64_t chosen, channel_sums (&sums)[2]) {
  constexpr std::size_t most = sizeof(Activation) == 1 ? taps_in_16_bits : 1;
  const __m512i zero = _mm512_setzero_si512();
  const auto of_first = static_cast<__mmask32>(chosen), of_second = static_cast<__mmask32>(chosen >> 32);
  channel_sums low{zero, zero}, high{zero, zero};
  __m512i first = zero, second = zero;
  std::size_t room = most;
  for (std::size_t row = 0; row < taps.rows; ++row)
    for (std::size_t column = 0; column < taps.columns; ++column) {
      const Activation* const tap = codes + row * taps.row_step + column * taps.column_step;
      first = _mm512_add_epi16(first, load_chosen(tap, of_first));
      second = _mm512_add_epi16(second, load_chosen(tap + 32, of_second));
      if (--room > 0) continue;
      low = add_wide(low, first), high = add_wide(high, second), first = second = zero, room = most;
    }
  sums[0] = add_wide(low, first), sums[1] = add_wide(high, second);
}

/// All channels of one output; `offset` is what their zero points add up to.
template <integer_rounding Rounding, class Activation, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void average_of_pixel(
    const Activation* codes, const taps_in_memory& taps, std::size_t channels, std::int32_t offset, dyadic factor,
    code_window window, Output* output) {
  const __m512i offsets = _mm512_set1_epi32(offset);
  const __m512i multipliers = _mm512_set1_epi32(factor.multiplier), shifts = _mm512_set1_epi32(factor.shift);
  for (std::size_t c = 0; c < channels; c += 64) {
    channel_sums sums[2];
    if (c + 64 <= channels)
      sum_taps(codes + c, taps, ~std::uint64_t{0}, sums);
    else
      sum_taps(codes + c, taps, first_of_64(channels - c), sums);
    for (std::size_t i = 0; i < 2 && c + 32 * i < channels; ++i) {
      Output* const half = output + c + 32 * i;
      const std::size_t left = channels - c - 32 * i;
      const __m512i low = requantize<Rounding>(_mm512_sub_epi32(sums[i].low, offsets), multipliers, shifts);
      const __m512i high = requantize<Rounding>(_mm512_sub_epi32(sums[i].high, offsets), multipliers, shifts);
      store_codes(codes_of(low, window), half, left);
      if (left > 16) store_codes(codes_of(high, window), half + 16, left - 16);
    }
  }
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Code>
void max_pooling(const max_pooling_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  for (std::size_t row = first; row < last; ++row) {
    const Code* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    const tap_range down = vertical.taps_inside(row % height);
    const std::size_t pixel_row = vertical.pixel(row % height, down.first);
    for (std::size_t x = 0; x < width; ++x) {
      const auto taps = taps_in_memory::of(call.window, call.channels, down, pixel_row, x);
      greatest_of_pixel(image + taps.first, taps, call.channels, call.outputs + (row * width + x) * call.channels);
    }
  }
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void average_pooling(const average_pooling_arguments<Activation, Output>& call, std::size_t first,
                     std::size_t last) noexcept {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  const code_window window = code_window::of(call.output_zero_point, call.output_codes);
  for (std::size_t row = first; row < last; ++row) {
    const Activation* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    const tap_range down = vertical.taps_inside(row % height);
    const std::size_t pixel_row = vertical.pixel(row % height, down.first);
    for (std::size_t x = 0; x < width; ++x) {
      const auto taps = taps_in_memory::of(call.window, call.channels, down, pixel_row, x);
      const auto offset = static_cast<std::int32_t>(taps.count()) * call.activation_zero_point;
      average_of_pixel<Rounding>(image + taps.first, taps, call.channels, offset, call.factors[taps.count()], window,
                                 call.outputs + (row * width + x) * call.channels);
    }
  }
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
