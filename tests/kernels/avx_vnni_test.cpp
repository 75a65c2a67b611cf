// SPDX-License-Identifier: MIT
// The tiles of AVX-VNNI on processors that have AVX512-VNNI instead: the same code, with its one instruction in the
// encoding of the other extension.
#include <bitwright/core/cpu.hpp>

#include <gtest/gtest.h>

#if defined(__x86_64__)

#include "random_codes.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/avx_vnni/tile.hpp>
#include <bitwright/kernels/one_tile_convolution.hpp>
#include <bitwright/kernels/one_tile_gemm.hpp>
#include <bitwright/kernels/scalar/convolution.hpp>
#include <bitwright/kernels/scalar/gemm.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

using kernels::weighted_sum;
using reference::narrowed;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using memory = std::vector<std::byte, aligned_allocator<std::byte>>;

template <class Activation>
struct dot_products : kernels::avx_vnni::dot_products<Activation> {
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i add(__m256i sums, __m256i operands,
                                                                        __m256i weights) {
    __asm__("%{evex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(sums) : "x"(operands), "x"(weights));
    return sums;
  }
};

template <class Activation>
using tile = kernels::avx2::tile<Activation, dot_products<Activation>>;

/// Random weights and constants, and what points to them.
struct layer {
  layer(std::int64_t outputs, std::int64_t inputs, std::int32_t activation_zero_point, bool zero_points,
        random_codes& random)
      : weights(narrowed<s8>(random.many(outputs * inputs, -128, 127))),
        weight_zero_points(narrowed<std::int32_t>(random.many(outputs, -128 * zero_points, 127 * zero_points))),
        bias(narrowed<std::int32_t>(random.many(outputs, -300000, 300000))),
        sums{.outputs = static_cast<std::size_t>(outputs),
             .inputs = static_cast<std::size_t>(inputs),
             .weights = weights.data(),
             .weight_zero_points = weight_zero_points.data(),
             .bias = bias.data(),
             .factors = nullptr,
             .activation_zero_point = activation_zero_point,
             .output_zero_point = 3,
             .output_codes = {-120, 127}} {
    for (std::int64_t n = 0; n < outputs; ++n) factors.push_back(random.factor(38, 44));
    sums.factors = factors.data();
    if (random.between(0, 1) == 0) keep_levels(1 << random.between(0, 2));
  }
  layer(const layer&) = delete;

  /// 2^bits different weights, which are packed in `bits` each.
  void keep_levels(int bits) {
    sums.index_bits = bits;
    for (s8& weight : weights) weight = static_cast<s8>((weight & ((1 << bits) - 1)) * 15 - 113);
  }

  std::vector<s8> weights;
  std::vector<std::int32_t> weight_zero_points, bias;
  std::vector<dyadic> factors = {};
  weighted_sum sums;
};

template <class Activation>
std::vector<Activation> random_activations(std::int64_t count, random_codes& random) {
  using limits = std::numeric_limits<Activation>;
  return narrowed<Activation>(random.many(count, limits::min(), limits::max()));
}

template <class Activation>
void expect_gemm_equals_scalar(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, random_codes& random) {
  const layer plan(outputs, inputs, 7, rows % 2 == 0, random);
  const auto activations = random_activations<Activation>(rows * inputs, random);
  const auto count = static_cast<std::size_t>(rows);
  const auto layout = kernels::gemm_layout<tile<Activation>>(plan.sums);
  memory packed(layout.bytes()), reference(kernels::scalar::packed_bytes(plan.sums));
  kernels::pack_panels(layout, plan.sums, packed.data());
  kernels::scalar::pack(plan.sums, reference.data());
  std::vector<s8> codes(count * plan.sums.outputs, 99), expected(codes);
  memory workspace(kernels::tiled_gemm_workspace_bytes<tile<Activation>>(plan.sums));
  kernels::gemm_arguments<Activation, s8> call{plan.sums,    packed.data(),     activations.data(), plan.sums.inputs,
                                               codes.data(), plan.sums.outputs, workspace.data()};
  kernels::tiled_gemm<tile<Activation>>(call, 0, count, kernels::avx2::store_tile<s8, half_up>);
  call.packed = reference.data(), call.outputs = expected.data();
  kernels::scalar::gemm<Activation, s8, half_up>(call, 0, count);
  ASSERT_EQ(codes, expected) << rows << " x " << inputs << " x " << outputs;
}

TEST(avx_vnni, multiplies_matrices_of_every_size_as_scalar_does) {
  if (!cpu::has_avx512_vnni()) GTEST_SKIP() << "this processor has no AVX512-VNNI";
  random_codes random(1);
  for (std::int64_t outputs = 1; outputs <= 49; ++outputs) {
    expect_gemm_equals_scalar<u8>(5, 6, outputs, random);
    expect_gemm_equals_scalar<s8>(2, 19, outputs, random);
  }
  for (const std::int64_t outputs : {8, 16, 24})
    for (std::int64_t rows = 0; rows <= 25; ++rows) expect_gemm_equals_scalar<u8>(rows, 9, outputs, random);
  for (std::int64_t inputs = 0; inputs <= 40; ++inputs) expect_gemm_equals_scalar<s8>(3, inputs, 33, random);
}

template <class Activation>
void expect_convolution_equals_scalar(const kernels::sliding_window& window, std::int64_t channels,
                                      std::int64_t outputs, random_codes& random) {
  const auto taps = static_cast<std::int64_t>(window.vertical.kernel * window.horizontal.kernel);
  const layer plan(outputs, taps * channels, 7, outputs % 2 == 0, random);
  const kernels::convolution_constants constants{plan.sums, window, 1, static_cast<std::size_t>(channels)};
  const auto pixels = static_cast<std::int64_t>(window.vertical.input * window.horizontal.input);
  const auto activations = random_activations<Activation>(pixels * channels, random);
  const kernels::convolution_blocks<tile<Activation>> blocks(constants);
  memory packed(blocks.layout().bytes()), workspace(blocks.bytes());
  memory reference(kernels::scalar::convolution_packed_bytes(constants));
  memory window_codes(kernels::scalar::convolution_workspace_bytes(constants));
  kernels::pack_panels(blocks.layout(), plan.sums, packed.data());
  kernels::scalar::convolution_pack(constants, reference.data());
  const std::size_t rows = window.vertical.output();
  std::vector<s8> codes(rows * window.horizontal.output() * plan.sums.outputs, 99), expected(codes);
  kernels::convolution_arguments<Activation, s8> call{constants, packed.data(), activations.data(), codes.data(),
                                                      workspace.data()};
  kernels::tiled_convolution<tile<Activation>, Activation, s8>(call, kernels::avx2::store_tile<s8, half_up>)
      .run(0, rows);
  call.packed = reference.data(), call.outputs = expected.data(), call.workspace = window_codes.data();
  kernels::scalar::convolution<Activation, s8, half_up>(call, 0, rows);
  ASSERT_EQ(codes, expected) << channels << " -> " << outputs;
}

TEST(avx_vnni, convolves_as_scalar_does) {
  if (!cpu::has_avx512_vnni()) GTEST_SKIP() << "this processor has no AVX512-VNNI";
  random_codes random(2);
  const kernels::window_axis same{7, 3, 1, 1, 1, 1}, halved{11, 3, 2, 1, 1, 0}, wide{101, 2, 1, 3, 2, 0};
  for (const std::int64_t channels : {1, 3, 15, 16, 17, 32, 47})
    for (const std::int64_t outputs : {1, 8, 25, 40}) {
      expect_convolution_equals_scalar<u8>({same, same}, channels, outputs, random);
      expect_convolution_equals_scalar<s8>({same, halved}, channels, outputs, random);
      expect_convolution_equals_scalar<u8>({halved, wide}, channels, outputs, random);
    }
}

}  // namespace
}  // namespace bitwright

#endif
