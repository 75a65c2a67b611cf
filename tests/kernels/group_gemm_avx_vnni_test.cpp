// SPDX-License-Identifier: MIT
// The tiles of AVX-VNNI for a group-wise gemm on processors that have AVX512-VNNI instead: the same code, with its one
// instruction in the encoding of the other extension.
#include <bitwright/core/cpu.hpp>

#include <gtest/gtest.h>

#if defined(__x86_64__)

#include "group_problem.hpp"
#include <bitwright/kernels/group_gemm.hpp>

#include <immintrin.h>

#include <cstddef>

namespace bitwright {
namespace {

using reference::bits_of;
using reference::group_problem;
using reference::random_codes;

template <class Format>
struct group_products : kernels::avx_vnni::group_products<Format> {
  [[gnu::target("avx2,fma,f16c"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i weights,
                                                                                 __m256i activations) {
    __asm__("%{evex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(sums) : "x"(weights), "x"(activations));
    return sums;
  }
};

template <class Format>
using group_tile = kernels::avx2::group_tile<Format, group_products<Format>>;

bool available() { return cpu::has_avx512_vnni() && cpu::has_avx2_fma_f16c(); }

template <class Format>
void expect_equals_scalar() {
  const auto path =
      kernels::one_tile_group_gemm_path<group_tile<Format>, kernels::avx2::rows_quantizer>("avx_vnni", available);
  random_codes any(1);
  const auto expect = [&path](const group_problem<Format>& p) {
    const auto expected = bits_of(outputs_of(kernels::group_gemm_paths<Format>.back(), p));
    EXPECT_EQ(bits_of(outputs_of(path, p)), expected) << p.rows << " x " << p.inputs << " x " << p.outputs;
  };
  for (std::size_t outputs = 1; outputs <= 67; ++outputs) {
    expect(group_problem<Format>::random(1, outputs, 64, any));
    expect(group_problem<Format>::random(outputs % 19 + 1, 70 - outputs, 96, any));
  }
}

TEST(group_gemm_avx_vnni, gives_the_sums_of_scalar) {
  if (!available()) GTEST_SKIP() << "this processor has no AVX512-VNNI";
  expect_equals_scalar<kernels::four_bit_groups>();
  expect_equals_scalar<kernels::four_bit_groups_with_zero_points>();
  expect_equals_scalar<kernels::eight_bit_groups>();
}

}  // namespace
}  // namespace bitwright

#endif
