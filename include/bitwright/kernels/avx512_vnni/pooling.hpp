// SPDX-License-Identifier: MIT
/// \file
/// Pooling, 64 bytes of channels at a time, the last of a pixel masked; averages of 8-bit codes by lines where there are
/// any.
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

/// The sums of 64 channels, in the order in which interleaving leaves them.
struct byte_sums {
  __m512i low;
  __m512i high;

  /// Adds two taps.
  template <class Activation>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] void add(__m512i first,
                                                                                            __m512i second) {
    low = _mm512_add_epi16(low, of_pairs<Activation>(_mm512_unpacklo_epi8(first, second)));
    high = _mm512_add_epi16(high, of_pairs<Activation>(_mm512_unpackhi_epi8(first, second)));
  }

 private:
  template <class Activation>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static __m512i of_pairs(
      __m512i pairs) {
    const __m512i ones = _mm512_set1_epi8(1);
    return std::same_as<Activation, std::uint8_t> ? _mm512_maddubs_epi16(pairs, ones)
                                                  : _mm512_maddubs_epi16(ones, pairs);
  }
};

/// A window's line, in all lanes.
struct average_lanes {
  __m512i starts;
  __m512i multipliers;
  __m128i shift;
  __m512i tie_masks;
  __m512i ties;
  __m512i offsets;
  __m512i least;
  __m512i most;
  bool has_ties;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static average_lanes of(
      const average_line& line, code_range codes) {
    return {all(line.start),
            all(line.multiplier),
            _mm_cvtsi32_si128(line.shift),
            all(line.tie_mask),
            all(line.tie),
            _mm512_set1_epi16(line.offset),
            _mm512_set1_epi8(static_cast<char>(codes.min)),
            _mm512_set1_epi8(static_cast<char>(codes.max)),
            line.ties};
  }

  /// The codes of 64 sums, with `starts` in them.
  template <class Output>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i codes(byte_sums sums) const {
    // Packing puts back in order what interleaving took apart.
    const __m512i low = values(sums.low), high = values(sums.high);
    if constexpr (std::same_as<Output, std::uint8_t>)
      return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(low, high), least), most);
    else
      return _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(low, high), least), most);
  }

 private:
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static __m512i all(
      std::uint16_t value) {
    return _mm512_set1_epi16(static_cast<std::int16_t>(value));
  }

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i values(__m512i sums) const {
    __m512i rounded = _mm512_srl_epi16(_mm512_mulhi_epu16(sums, multipliers), shift);
    if (has_ties) {
      const __m512i one = _mm512_set1_epi16(1);
      const __mmask32 found = _mm512_cmpeq_epi16_mask(_mm512_and_si512(sums, tie_masks), ties);
      rounded = _mm512_mask_sub_epi16(rounded, _mm512_mask_test_epi16_mask(found, rounded, one), rounded, one);
    }
    return _mm512_sub_epi16(rounded, offsets);
  }
};

/// 64 bytes, or the chosen ones.
template <bool All>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i load_bytes(
    const void* codes, __mmask64 chosen) {
  if constexpr (All) return _mm512_loadu_si512(codes);
  return _mm512_maskz_loadu_epi8(chosen, codes);
}

/// 64 channels each in so many registers, by their line; of these all or the chosen.
template <std::size_t Registers, bool All, class Activation, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_averages(
    const Activation* codes, const taps_in_memory& taps, const average_lanes& lanes, __mmask64 chosen, Output* output) {
  byte_sums sums[Registers];
  for (byte_sums& each : sums) each = {lanes.starts, lanes.starts};
  for (std::size_t row = 0; row < taps.rows; ++row) {
    const Activation* tap = codes + row * taps.row_step;
    std::size_t column = 0;
    for (; column + 2 <= taps.columns; column += 2, tap += 2 * taps.column_step)
      for (std::size_t i = 0; i < Registers; ++i)
        sums[i].template add<Activation>(load_bytes<All>(tap + 64 * i, chosen),
                                         load_bytes<All>(tap + taps.column_step + 64 * i, chosen));
    if (column == taps.columns) continue;
    for (std::size_t i = 0; i < Registers; ++i)
      sums[i].template add<Activation>(load_bytes<All>(tap + 64 * i, chosen), _mm512_setzero_si512());
  }
  for (std::size_t i = 0; i < Registers; ++i)
    if constexpr (All)
      _mm512_storeu_si512(output + 64 * i, lanes.codes<Output>(sums[i]));
    else
      _mm512_mask_storeu_epi8(output + 64 * i, chosen, lanes.codes<Output>(sums[i]));
}

/// All channels of one output, by their line.
template <class Activation, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void average_by_line(
    const Activation* codes, const taps_in_memory& taps, std::size_t channels, const average_lanes& lanes,
    Output* output) {
  constexpr auto all = ~__mmask64{0};
  std::size_t c = 0;
  for (; c + 128 <= channels; c += 128) store_averages<2, true>(codes + c, taps, lanes, all, output + c);
  for (; c + 64 <= channels; c += 64) store_averages<1, true>(codes + c, taps, lanes, all, output + c);
  if (c < channels) store_averages<1, false>(codes + c, taps, lanes, first_of_64(channels - c), output + c);
}

/// Rows [first, last) of the outputs, by lines where there are any.
template <integer_rounding Rounding, class Activation, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void average_rows(
    const average_pooling_arguments<Activation, Output>& call, std::size_t first, std::size_t last) {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  const code_window window = code_window::of(call.output_zero_point, call.output_codes);
  taps_in_order order(call.window, call.channels);
  average_lanes lanes{};
  std::size_t count = 0;  // Of taps, that the lanes are for.
  for (std::size_t row = first; row < last; ++row) {
    const Activation* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    order.start_row(row % height);
    for (std::size_t x = 0; x < width; ++x) {
      const taps_in_memory& taps = order.at(x);
      Output* const output = call.outputs + (row * width + x) * call.channels;
      if constexpr (sizeof(Activation) == 1 && sizeof(Output) == 1)
        if (call.lines != nullptr && call.lines[taps.count()].fits) {
          if (count != taps.count()) lanes = average_lanes::of(call.lines[taps.count()], call.output_codes);
          count = taps.count();
          average_by_line(image + taps.first, taps, call.channels, lanes, output);
          continue;
        }
      const auto offset = static_cast<std::int32_t>(taps.count()) * call.activation_zero_point;
      average_of_pixel<Rounding>(image + taps.first, taps, call.channels, offset, call.factors[taps.count()], window,
                                 output);
    }
  }
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Code>
void max_pooling(const max_pooling_arguments<Code>& call, std::size_t first, std::size_t last) noexcept {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  taps_in_order order(call.window, call.channels);
  for (std::size_t row = first; row < last; ++row) {
    const Code* image = call.activations + row / height * vertical.input * horizontal.input * call.channels;
    order.start_row(row % height);
    for (std::size_t x = 0; x < width; ++x) {
      const taps_in_memory& taps = order.at(x);
      greatest_of_pixel(image + taps.first, taps, call.channels, call.outputs + (row * width + x) * call.channels);
    }
  }
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void average_pooling(const average_pooling_arguments<Activation, Output>& call, std::size_t first,
                     std::size_t last) noexcept {
  average_rows<Rounding>(call, first, last);
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
