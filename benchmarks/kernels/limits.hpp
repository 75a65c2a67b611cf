// SPDX-License-Identifier: MIT
/// \file
/// What this core can do at best, measured: an instruction sequence on registers, reading memory, and moving it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bitwright::benchmarks::limits {

/// A loop of multiply-and-add on registers. `run` does `operations` of them, counted as a gemm's.
struct arithmetic {
  std::string_view path;  ///< Of the kernels that this bounds.
  int weight_bits;        ///< The widest weights the sequence is exact for.
  std::string_view sequence;
  void (*run)();
  double operations;
};

inline constexpr std::size_t repetitions = 2000;
inline constexpr std::size_t accumulators = 8;  ///< Unrolled into registers; enough to hide every latency.

#if defined(__x86_64__)

/// Whatever the compiler knows of a register, it knows no longer.
template <class Vector>
[[gnu::target("avx2"), gnu::always_inline]] inline void forget(Vector& vector) {
  asm volatile("" : "+x"(vector));
}

struct avx2_maddubs {
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i step(__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)));
  }
};
struct avx2_sign_maddubs {
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i step(__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi32(sum,
                            _mm256_madd_epi16(_mm256_maddubs_epi16(a, _mm256_sign_epi8(b, a)), _mm256_set1_epi16(1)));
  }
};
struct avx2_short_sums {
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i step(__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b));
  }
};
struct avx2_madd {
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i step(__m256i sum, __m256i a, __m256i b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
};

template <class Sequence>
[[gnu::target("avx2"), gnu::noinline]] void on_avx2() {
  __m256i sums[accumulators] = {}, a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(3);
  for (__m256i& sum : sums) forget(sum);  // Or the compiler knows them to be one.
  for (std::size_t i = 0; i < repetitions; ++i) {
    forget(a), forget(b);
#pragma GCC unroll 8
    for (__m256i& sum : sums) {
      sum = Sequence::step(sum, a, b);
      forget(a);
    }
  }
  for (__m256i& sum : sums) forget(sum);
}

[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::noinline]] inline void on_avx512_vnni_256() {
  __m256i sums[accumulators] = {}, a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(3);
  for (__m256i& sum : sums) forget(sum);  // Or the compiler knows them to be one.
  for (std::size_t i = 0; i < repetitions; ++i) {
    forget(a), forget(b);
#pragma GCC unroll 8
    for (__m256i& sum : sums) sum = _mm256_dpbusd_epi32(sum, a, b);
  }
  for (__m256i& sum : sums) forget(sum);
}

[[gnu::target("avx2,avxvnni"), gnu::noinline]] inline void on_avx_vnni() {
  __m256i sums[accumulators] = {}, a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(3);
  for (__m256i& sum : sums) forget(sum);  // Or the compiler knows them to be one.
  for (std::size_t i = 0; i < repetitions; ++i) {
    forget(a), forget(b);
#pragma GCC unroll 8
    for (__m256i& sum : sums) sum = _mm256_dpbusd_avx_epi32(sum, a, b);
  }
  for (__m256i& sum : sums) forget(sum);
}

[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::noinline]] inline void on_avx512_vnni() {
  __m512i sums[accumulators] = {}, a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(3);
  for (__m512i& sum : sums) asm volatile("" : "+v"(sum));
  for (std::size_t i = 0; i < repetitions; ++i) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 8
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, b);
  }
  for (__m512i& sum : sums) asm volatile("" : "+v"(sum));
}

inline constexpr double steps = double{repetitions} * accumulators;
inline constexpr auto all = std::to_array<arithmetic>({
    {"avx512_vnni", 8, "vpdpbusd 512", on_avx512_vnni, steps * 64 * 2},
    {"avx_vnni", 8, "vpdpbusd 256", on_avx_vnni, steps * 32 * 2},
    {"avx2", 4, "maddubs+add", on_avx2<avx2_short_sums>, steps * 32 * 2},
    {"avx2", 7, "maddubs+madd+add", on_avx2<avx2_maddubs>, steps * 32 * 2},
    {"avx2", 8, "sign+maddubs+madd+add", on_avx2<avx2_sign_maddubs>, steps * 32 * 2},
    {"avx2", 8, "madd+add", on_avx2<avx2_madd>, steps * 16 * 2},
});

/// Reads all bytes once.
[[gnu::target("avx2"), gnu::noinline]] inline void read(const std::byte* bytes, std::size_t count) {
  __m256i seen[4] = {};
  for (; count >= 128; bytes += 128, count -= 128)
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i)
      seen[i] = _mm256_or_si256(seen[i], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes) + i));
  for (__m256i& each : seen) forget(each);
}

/// Reads all of the input and writes all of the output, side by side.
[[gnu::target("avx2"), gnu::noinline]] inline void move(const std::byte* input, std::size_t input_bytes,
                                                        std::byte* output, std::size_t output_bytes) {
  const std::size_t reads = (input_bytes + output_bytes - 1) / output_bytes;  // For each write.
  std::size_t from = 0;
  for (std::size_t to = 0; to + 32 <= output_bytes; to += 32) {
    __m256i seen = _mm256_setzero_si256();
    for (std::size_t i = 0; i < reads && from + 32 <= input_bytes; ++i, from += 32)
      seen = _mm256_or_si256(seen, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(input + from)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(output + to), seen);
  }
}

#else

inline constexpr std::array<arithmetic, 0> all{};

inline void read(const std::byte* bytes, std::size_t count) {
  std::byte seen{};
  for (std::size_t i = 0; i < count; ++i) seen |= bytes[i];
  volatile std::byte kept = seen;
  static_cast<void>(kept);
}

inline void move(const std::byte* input, std::size_t input_bytes, std::byte* output, std::size_t output_bytes) {
  for (std::size_t from = 0; from < input_bytes; from += output_bytes)
    std::memcpy(output, input + from, std::min(output_bytes, input_bytes - from));
}

#endif

}  // namespace bitwright::benchmarks::limits
