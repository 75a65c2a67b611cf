// SPDX-License-Identifier: MIT
/// \file
/// Weights of a few terms, shifted and added, beside their decoded form: our own gemm on the same path, which multiplies.
/// Operations are gemm's, so that the ratio is one of times.
#pragma once

#include "contest.hpp"
#include "limits.hpp"
#include "ours.hpp"
#include "problem.hpp"
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/kernels/shift_add.hpp>
#include <bitwright/quantizers/term.hpp>
#include <bitwright/storage/term_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bitwright::benchmarks {

/// A gemm whose weights have a budget of terms for each group of 8: Gaussian ones of 8 bits, cut at 85, so that no term is
/// 128. With 8 terms each weight has at most one, as a power of two does.
struct shift_add_problem {
  weighted_problem decoded;
  term_list terms;
  std::string operation;

  shift_add_problem(std::size_t rows, std::size_t inputs, std::size_t outputs, std::size_t terms_of_weight)
      : decoded(make_gemm(rows, inputs, outputs, 8)),
        terms(terms_of(outputs, inputs, terms_of_weight)),
        operation("shift-add, " + std::to_string(terms_of_weight) + (terms_of_weight == 1 ? " term" : " terms")) {
    std::ranges::copy(terms.decoded().values(), decoded.weights.begin());
    // 0 and the powers of two up to 64, of both signs.
    if (terms_of_weight == 1) decoded.index_bits = 4, decoded.operation = "gemm W4A8";
  }

  /// Terms of a weight, on average.
  double density() const {
    return static_cast<double>(terms.term_operations()) / static_cast<double>(terms.multiply_accumulates());
  }

 private:
  static term_list terms_of(std::size_t outputs, std::size_t inputs, std::size_t terms_of_weight) {
    std::mt19937 generator(10);
    std::normal_distribution<float> any_weight(0, 28);
    std::vector<float> values(outputs * inputs);
    for (float& value : values) value = std::clamp(any_weight(generator), -85.0f, 85.0f);
    const std::size_t group = terms_of_weight == 1 ? 1 : 8;
    const term<> q(uniform<dynamic_bits, std::int16_t>({1, 0}, {-85, 85}), {group, group * terms_of_weight});
    tensor<std::int16_t> codes({outputs, inputs});
    q.quantize(values, codes.values());
    return term_list::of(codes);
  }
};

struct our_shift_add : weighted_memory {
  kernels::shift_add_path<u8, u8> path;

  our_shift_add(const shift_add_problem& given, const kernels::shift_add_path<u8, u8>& chosen)
      : weighted_memory(given.decoded), path(chosen) {
    pack(path, kernels::shift_add_constants{sums(), given.terms.row_ends().data(), given.terms.bytes().data()});
  }
  void run() {
    path.run({.sums = sums(),
              .packed = packed.data(),
              .activations = activations.data(),
              .activation_stride = problem.inputs(),
              .outputs = outputs.data(),
              .output_stride = problem.outputs,
              .workspace = workspace.data()},
             0, problem.rows);
  }
};

inline std::optional<contestant> ours(const shift_add_problem& problem, std::string_view name) {
  const auto path = find_path(kernels::shift_add_paths<u8, u8, half_to_even>, name);
  if (!path) return {};
  return our_entry(name, problem.decoded.operations(), std::make_shared<our_shift_add>(problem, *path));
}

inline std::vector<contestant> peers_of(const shift_add_problem& problem, std::string_view path) {
  std::optional<contestant> gemm = ours(problem.decoded, path);
  if (!gemm) return {};
  gemm->name = "decoded", gemm->path = problem.decoded.operation;
  return {*gemm};
}

namespace limits {

#if defined(__x86_64__)

/// Adds 32 bytes to 16 bits at a time, two of a lane apart, which lie in the first-level cache.
[[gnu::target("avx2"), gnu::noinline]] inline void additions_on_avx2() {
  alignas(32) static std::byte bytes[32 * accumulators / 2] = {};
  const auto* from = reinterpret_cast<const __m256i*>(bytes);
  __m256i sums[accumulators] = {};
  for (__m256i& sum : sums) forget(sum);
  for (std::size_t i = 0; i < repetitions; ++i) {
    asm volatile("" : "+r"(from));
#pragma GCC unroll 4
    for (std::size_t j = 0; j < accumulators; j += 2) {
      const __m256i both = _mm256_load_si256(from + j / 2);
      sums[j] = _mm256_add_epi16(sums[j], both);
      sums[j + 1] = _mm256_add_epi16(sums[j + 1], _mm256_srli_epi16(both, 8));
    }
  }
  for (__m256i& sum : sums) forget(sum);
}

/// Shifts 8 numbers of 32 bits by counts of their own, gives them signs and adds them.
[[gnu::target("avx2"), gnu::noinline]] inline void shifts_on_avx2() {
  __m256i sums[accumulators] = {}, a = _mm256_set1_epi32(1), b = _mm256_set1_epi32(3);
  for (std::size_t i = 0; i < repetitions; ++i)
#pragma GCC unroll 8
    for (__m256i& sum : sums) {
      forget(a), forget(b);
      sum = _mm256_add_epi32(sum, _mm256_sign_epi32(_mm256_sllv_epi32(a, b), b));
      forget(sum);
    }
}

inline constexpr auto of_terms = std::to_array<arithmetic>({
    {"avx2", 8, "vpsllvd+vpsignd+vpaddd", shifts_on_avx2, steps * 8 * 2},
    {"avx2", 8, "vpaddw+vpsrlw+vpaddw", additions_on_avx2, steps / 2 * 32 * 2},
});

#else

inline constexpr std::array<arithmetic, 0> of_terms{};

#endif

}  // namespace limits

/// A few rows are shifted, many are added; each term is an operation of the two that gemm counts for a weight.
inline std::vector<contestant> limits_of(const shift_add_problem& problem, std::string_view path) {
  std::vector<contestant> found;
  for (const limits::arithmetic& each : limits::of_terms)
    if (each.path == path && each.sequence.starts_with("vpaddw") == (problem.decoded.rows > 8))
      found.push_back({.name = "limit",
                       .path = std::string(each.sequence),
                       .run = each.run,
                       .work = each.operations / problem.density()});
  return found;
}

inline std::vector<contestant> bandwidths_of(const shift_add_problem&) { return {}; }

}  // namespace bitwright::benchmarks
