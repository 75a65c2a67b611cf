// SPDX-License-Identifier: MIT
/// \file
/// Binary gemm: bits times bits, beside other libraries' gemm of floats on the same shape, and what bounds it.
#pragma once

#include "contest.hpp"
#include "limits.hpp"
#include "ours.hpp"
#include "problem.hpp"
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/binary_gemm.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bitwright::benchmarks {

/// A gemm of bits, with 8-bit codes as outputs, and a gemm of the same shape for those that have no bits.
struct binary_problem {
  weighted_problem wide;
  std::vector<std::byte> activations, weights;

  binary_problem(std::size_t rows, std::size_t inputs, std::size_t outputs)
      : wide(make_gemm(rows, inputs, outputs, 8)) {
    for (const std::uint8_t byte : random_bytes(rows * kernels::bytes_of_bits(inputs), 8))
      activations.push_back(std::byte{byte});
    for (const std::uint8_t byte : random_bytes(outputs * kernels::bytes_of_bits(inputs), 9))
      weights.push_back(std::byte{byte});
    // The standard deviation of a sum of signs is the root of their number; outputs have scales of their own.
    for (std::size_t n = 0; n < outputs; ++n)
      wide.factors[n] = 50 / std::sqrt(static_cast<double>(inputs)) / (1 + 0.0013 * static_cast<double>(n % 100 + 1));
  }
};

struct our_binary_gemm {
  const binary_problem& problem;
  kernels::binary_gemm_path<u8> path;
  std::vector<dyadic> factors;
  std::vector<std::byte, aligned_allocator<std::byte>> packed, workspace, activations;
  std::vector<u8, aligned_allocator<u8>> outputs;

  our_binary_gemm(const binary_problem& given, const kernels::binary_gemm_path<u8>& chosen)
      : problem(given),
        path(chosen),
        activations(given.activations.begin(), given.activations.end()),
        outputs(given.wide.output_codes()) {
    for (const double factor : given.wide.factors) factors.push_back(dyadic::nearest(factor));
    packed.resize(path.packed_bytes(sums())), workspace.resize(path.workspace_bytes(sums()));
    path.pack(sums(), packed.data());
  }
  kernels::binary_sum sums() const {
    return {.outputs = problem.wide.outputs,
            .taps = 1,
            .channels = problem.wide.inputs(),
            .weights = problem.weights.data(),
            .bias = problem.wide.bias.data(),
            .factors = factors.data(),
            .output_zero_point = 128,
            .output_codes = {0, 255},
            .scales = nullptr};
  }
  void run() {
    path.run({.sums = sums(),
              .packed = packed.data(),
              .activations = activations.data(),
              .activation_stride = sums().row_bytes(),
              .outputs = outputs.data(),
              .output_stride = problem.wide.outputs,
              .row_scales = nullptr,
              .workspace = workspace.data()},
             0, problem.wide.rows);
  }
};

inline std::optional<contestant> ours(const binary_problem& problem, std::string_view name) {
  const auto path = find_path(kernels::binary_gemm_paths<u8, half_to_even>, name);
  if (!path) return {};
  return our_entry(name, problem.wide.operations(), std::make_shared<our_binary_gemm>(problem, *path));
}

namespace limits {

#if defined(__x86_64__)

/// Eight sums of their own, in registers.
[[gnu::target("avx2"), gnu::noinline]] inline void lookups_on_avx2() {
  __m256i a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(3), s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a,
          s7 = a;
  for (std::size_t i = 0; i < repetitions; ++i)
    for (__m256i* sum : {&s0, &s1, &s2, &s3, &s4, &s5, &s6, &s7}) {
      forget(a);
      *sum = _mm256_add_epi8(*sum, _mm256_shuffle_epi8(a, b));
    }
  for (__m256i sum : {s0, s1, s2, s3, s4, s5, s6, s7}) forget(sum);
}

[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq"), gnu::noinline]] inline void
counts_on_avx512() {
  __m512i a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(3), s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a,
          s7 = a;
  for (std::size_t i = 0; i < repetitions; ++i)
    for (__m512i* sum : {&s0, &s1, &s2, &s3, &s4, &s5, &s6, &s7}) {
      asm volatile("" : "+v"(a));
      *sum = _mm512_add_epi32(*sum, _mm512_popcnt_epi32(_mm512_xor_si512(a, b)));
    }
  for (__m512i sum : {s0, s1, s2, s3, s4, s5, s6, s7}) asm volatile("" : "+v"(sum));
}

inline constexpr auto of_bits = std::to_array<arithmetic>({
    {"avx512_vpopcntdq", 1, "vpxord+vpopcntd+vpaddd", counts_on_avx512, steps * 512 * 2},
    {"avx2", 1, "vpshufb+vpaddb", lookups_on_avx2, steps * 32 * 4 * 2},
});

#else

inline constexpr std::array<arithmetic, 0> of_bits{};

#endif

}  // namespace limits

inline std::vector<contestant> limits_of(const binary_problem&, std::string_view path) {
  std::vector<contestant> found;
  for (const limits::arithmetic& each : limits::of_bits)
    if (each.path == path)
      found.push_back({.name = "limit", .path = std::string(each.sequence), .run = each.run, .work = each.operations});
  return found;
}

/// One row uses each weight once, and cannot be faster than they are read.
inline std::vector<contestant> bandwidths_of(const binary_problem& problem) {
  if (problem.wide.rows > 1) return {};
  return {{.name = "limit",
           .path = "reading weights",
           .run = [&problem] { limits::read(problem.weights.data(), problem.weights.size()); },
           .work = 2 * 8 * static_cast<double>(problem.weights.size())}};
}

}  // namespace bitwright::benchmarks
