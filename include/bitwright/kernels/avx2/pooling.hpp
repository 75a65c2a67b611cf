// SPDX-License-Identifier: MIT
/// \file
/// Pooling, up to 64 bytes of channels at a time, averages of 8-bit codes by lines where there are any. The last of a pixel overlap those before, so that nothing beside the
/// images is touched: images in and out must not overlap. Fewer channels than half a register are the specification's.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/pooling_arguments.hpp>
#include <bitwright/kernels/scalar/pooling.hpp>
#include <bitwright/kernels/taps_in_memory.hpp>

#include <immintrin.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// Sums of codes are kept in 16 bits for so many taps: 128 * 255 < 2^15.
inline constexpr std::size_t taps_in_16_bits = 128;

/// The greater of two registers' codes.
template <class Code>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i greater(__m256i a, __m256i b) {
  if constexpr (std::same_as<Code, std::uint8_t>)
    return _mm256_max_epu8(a, b);
  else if constexpr (std::same_as<Code, std::int8_t>)
    return _mm256_max_epi8(a, b);
  else
    return _mm256_max_epi16(a, b);
}

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i load_register(const void* codes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(codes));
}

/// 32 bytes of channels.
template <class Code>
[[gnu::target("avx2"), gnu::always_inline]] inline void store_greatest(const Code* codes, const taps_in_memory& taps,
                                                                       Code* output) {
  __m256i greatest = load_register(codes);
  for (std::size_t row = 0; row < taps.rows; ++row)
    for (std::size_t column = 0; column < taps.columns; ++column)
      greatest = greater<Code>(greatest, load_register(codes + row * taps.row_step + column * taps.column_step));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(output), greatest);
}

/// 64 bytes of channels.
template <class Code>
[[gnu::target("avx2"), gnu::always_inline]] inline void store_greatest_of_two(const Code* codes,
                                                                              const taps_in_memory& taps,
                                                                              Code* output) {
  constexpr std::size_t lanes = 32 / sizeof(Code);
  __m256i first = load_register(codes), second = load_register(codes + lanes);
  for (std::size_t row = 0; row < taps.rows; ++row)
    for (std::size_t column = 0; column < taps.columns; ++column) {
      const Code* const tap = codes + row * taps.row_step + column * taps.column_step;
      first = greater<Code>(first, load_register(tap));
      second = greater<Code>(second, load_register(tap + lanes));
    }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(output), first);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(output + lanes), second);
}

/// 16 bytes of channels.
template <class Code>
[[gnu::target("avx2"), gnu::always_inline]] inline void store_greatest_of_half(const Code* codes,
                                                                               const taps_in_memory& taps,
                                                                               Code* output) {
  __m128i greatest = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
  for (std::size_t row = 0; row < taps.rows; ++row)
    for (std::size_t column = 0; column < taps.columns; ++column) {
      const Code* const tap = codes + row * taps.row_step + column * taps.column_step;
      const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tap));
      greatest = _mm256_castsi256_si128(greater<Code>(_mm256_castsi128_si256(greatest), _mm256_castsi128_si256(next)));
    }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(output), greatest);
}

/// All channels of one output, at least 16 bytes of them.
template <class Code>
[[gnu::target("avx2")]] inline void greatest_of_pixel(const Code* codes, const taps_in_memory& taps,
                                                      std::size_t channels, Code* output) {
  constexpr std::size_t lanes = 32 / sizeof(Code);
  std::size_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) store_greatest_of_two(codes + c, taps, output + c);
  for (; c < channels && channels >= lanes; c += lanes) {
    const std::size_t start = std::min(c, channels - lanes);
    store_greatest(codes + start, taps, output + start);
  }
  for (; c < channels; c += lanes / 2) {
    const std::size_t start = std::min(c, channels - lanes / 2);
    store_greatest_of_half(codes + start, taps, output + start);
  }
}

/// Sums of 16 channels, in two registers.
struct channel_sums {
  __m256i low;
  __m256i high;
};

/// 16 codes in 16 bits.
template <class Activation>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i load_sixteen(const Activation* codes) {
  if constexpr (sizeof(Activation) == 2) return load_register(codes);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
  return std::same_as<Activation, std::uint8_t> ? _mm256_cvtepu8_epi16(bytes) : _mm256_cvtepi8_epi16(bytes);
}

/// 16-bit numbers added to 32-bit sums.
[[gnu::target("avx2"), gnu::always_inline]] inline channel_sums add_wide(channel_sums sums, __m256i values) {
  return {_mm256_add_epi32(sums.low, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(values))),
          _mm256_add_epi32(sums.high, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(values, 1)))};
}

/// The sums of codes of 16 channels, and of 16 that begin `second` channels further.
template <class Activation>
[[gnu::target("avx2"), gnu::always_inline]] inline void sum_taps(const Activation* codes, std::size_t second,
                                                                 const taps_in_memory& taps, channel_sums (&sums)[2]) {
  constexpr std::size_t most = sizeof(Activation) == 1 ? taps_in_16_bits : 1;
  const __m256i zero = _mm256_setzero_si256();
  channel_sums low{zero, zero}, high{zero, zero};
  __m256i low_part = zero, high_part = zero;
  std::size_t room = most;
  for (std::size_t row = 0; row < taps.rows; ++row)
    for (std::size_t column = 0; column < taps.columns; ++column) {
      const Activation* const tap = codes + row * taps.row_step + column * taps.column_step;
      low_part = _mm256_add_epi16(low_part, load_sixteen(tap));
      high_part = _mm256_add_epi16(high_part, load_sixteen(tap + second));
      if (--room > 0) continue;
      low = add_wide(low, low_part), high = add_wide(high, high_part), low_part = high_part = zero, room = most;
    }
  sums[0] = add_wide(low, low_part), sums[1] = add_wide(high, high_part);
}

/// All channels of one output, at least 16 of them; `offset` is what their zero points add up to.
template <integer_rounding Rounding, class Activation, class Output>
[[gnu::target("avx2")]] inline void average_of_pixel(const Activation* codes, const taps_in_memory& taps,
                                                     std::size_t channels, std::int32_t offset, dyadic factor,
                                                     code_window window, Output* output) {
  const __m256i offsets = _mm256_set1_epi32(offset);
  const __m256i multipliers = _mm256_set1_epi32(factor.multiplier), shifts = _mm256_set1_epi32(factor.shift);
  for (std::size_t c = 0; c < channels; c += 32) {
    const std::size_t starts[] = {std::min(c, channels - 16), std::min(c + 16, channels - 16)};
    channel_sums sums[2];
    sum_taps(codes + starts[0], starts[1] - starts[0], taps, sums);
    for (std::size_t i = 0; i < 2; ++i) {
      const __m256i low = requantize<Rounding>(_mm256_sub_epi32(sums[i].low, offsets), multipliers, shifts);
      const __m256i high = requantize<Rounding>(_mm256_sub_epi32(sums[i].high, offsets), multipliers, shifts);
      store_codes(codes_of(low, window), output + starts[i], 8);
      store_codes(codes_of(high, window), output + starts[i] + 8, 8);
    }
  }
}

/// The sums of 32 channels, in the order in which interleaving leaves them.
struct byte_sums {
  __m256i low;
  __m256i high;

  /// Adds two taps.
  template <class Activation>
  [[gnu::target("avx2"), gnu::always_inline]] void add(__m256i first, __m256i second) {
    low = _mm256_add_epi16(low, of_pairs<Activation>(_mm256_unpacklo_epi8(first, second)));
    high = _mm256_add_epi16(high, of_pairs<Activation>(_mm256_unpackhi_epi8(first, second)));
  }

 private:
  template <class Activation>
  [[gnu::target("avx2"), gnu::always_inline]] static __m256i of_pairs(__m256i pairs) {
    const __m256i ones = _mm256_set1_epi8(1);
    return std::same_as<Activation, std::uint8_t> ? _mm256_maddubs_epi16(pairs, ones)
                                                  : _mm256_maddubs_epi16(ones, pairs);
  }
};

/// A window's line, in all lanes.
struct average_lanes {
  __m256i starts;
  __m256i multipliers;
  __m128i shift;
  __m256i tie_masks;
  __m256i ties;
  __m256i offsets;
  __m256i least;
  __m256i most;
  bool has_ties;

  [[gnu::target("avx2"), gnu::always_inline]] static average_lanes of(const average_line& line, code_range codes) {
    return {all(line.start),
            all(line.multiplier),
            _mm_cvtsi32_si128(line.shift),
            all(line.tie_mask),
            all(line.tie),
            _mm256_set1_epi16(line.offset),
            _mm256_set1_epi8(static_cast<char>(codes.min)),
            _mm256_set1_epi8(static_cast<char>(codes.max)),
            line.ties};
  }

  /// The codes of 32 sums, with `starts` in them.
  template <class Output>
  [[gnu::target("avx2"), gnu::always_inline]] __m256i codes(byte_sums sums) const {
    // Packing puts back in order what interleaving took apart.
    const __m256i low = values(sums.low), high = values(sums.high);
    if constexpr (std::same_as<Output, std::uint8_t>)
      return _mm256_min_epu8(_mm256_max_epu8(_mm256_packus_epi16(low, high), least), most);
    else
      return _mm256_min_epi8(_mm256_max_epi8(_mm256_packs_epi16(low, high), least), most);
  }

 private:
  [[gnu::target("avx2"), gnu::always_inline]] static __m256i all(std::uint16_t value) {
    return _mm256_set1_epi16(static_cast<std::int16_t>(value));
  }

  [[gnu::target("avx2"), gnu::always_inline]] __m256i values(__m256i sums) const {
    __m256i rounded = _mm256_srl_epi16(_mm256_mulhi_epu16(sums, multipliers), shift);
    if (has_ties) {
      const __m256i found = _mm256_cmpeq_epi16(_mm256_and_si256(sums, tie_masks), ties);
      rounded = _mm256_sub_epi16(rounded, _mm256_and_si256(_mm256_and_si256(found, _mm256_set1_epi16(1)), rounded));
    }
    return _mm256_sub_epi16(rounded, offsets);
  }
};

/// 32 channels each in so many registers, by their line.
template <std::size_t Registers, class Activation, class Output>
[[gnu::target("avx2"), gnu::always_inline]] inline void store_averages(const Activation* codes,
                                                                       const taps_in_memory& taps,
                                                                       const average_lanes& lanes, Output* output) {
  byte_sums sums[Registers];
  for (byte_sums& each : sums) each = {lanes.starts, lanes.starts};
  for (std::size_t row = 0; row < taps.rows; ++row) {
    const Activation* tap = codes + row * taps.row_step;
    std::size_t column = 0;
    for (; column + 2 <= taps.columns; column += 2, tap += 2 * taps.column_step)
      for (std::size_t i = 0; i < Registers; ++i)
        sums[i].template add<Activation>(load_register(tap + 32 * i), load_register(tap + taps.column_step + 32 * i));
    if (column == taps.columns) continue;
    for (std::size_t i = 0; i < Registers; ++i)
      sums[i].template add<Activation>(load_register(tap + 32 * i), _mm256_setzero_si256());
  }
  for (std::size_t i = 0; i < Registers; ++i)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(output + 32 * i), lanes.codes<Output>(sums[i]));
}

/// All channels of one output, at least 32 of them, by their line.
template <class Activation, class Output>
[[gnu::target("avx2"), gnu::always_inline]] inline void average_by_line(const Activation* codes,
                                                                        const taps_in_memory& taps,
                                                                        std::size_t channels,
                                                                        const average_lanes& lanes, Output* output) {
  std::size_t c = 0;
  for (; c + 64 <= channels; c += 64) store_averages<2>(codes + c, taps, lanes, output + c);
  for (; c < channels; c += 32) {
    const std::size_t start = std::min(c, channels - 32);
    store_averages<1>(codes + start, taps, lanes, output + start);
  }
}

/// Rows [first, last) of the outputs, of at least 16 channels; by lines, of at least 32, where there are any.
template <integer_rounding Rounding, class Activation, class Output>
[[gnu::target("avx2")]] inline void average_rows(const average_pooling_arguments<Activation, Output>& call,
                                                 std::size_t first, std::size_t last) {
  const auto& [vertical, horizontal] = call.window;
  const std::size_t height = vertical.output(), width = horizontal.output();
  const code_window window = code_window::of(call.output_zero_point, call.output_codes);
  const average_line* const lines = call.channels < 32 ? nullptr : call.lines;
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
        if (lines != nullptr && lines[taps.count()].fits) {
          if (count != taps.count()) lanes = average_lanes::of(lines[taps.count()], call.output_codes);
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
  if (call.channels * sizeof(Code) < 16) return scalar::max_pooling(call, first, last);
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
  if (call.channels < 16) return scalar::average_pooling<Activation, Output, Rounding>(call, first, last);
  average_rows<Rounding>(call, first, last);
}

}  // namespace bitwright::kernels::avx2
