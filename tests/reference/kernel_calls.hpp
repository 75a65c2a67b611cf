// SPDX-License-Identifier: MIT
/// \file
/// Problems of gemm and convolution as the oracle has them, and how kernels are called with them. What is made here
/// depends on the types of codes, never on the rounding, so that a compiler makes it once for all roundings.
#pragma once

#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/kernels/gemm.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace bitwright::reference {

/// A problem whose shape is given, with codes, zero points, biases and factors drawn at random.
template <class Activation, class Output>
naive_convolution filled(naive_convolution p, random_codes& random) {
  using activation = std::numeric_limits<Activation>;
  using output = std::numeric_limits<Output>;
  p.activations = random.many(p.images * p.down.image * p.across.image * p.groups * p.group_channels, activation::min(),
                              activation::max());
  p.weights = random.many(p.outputs * p.down.kernel * p.across.kernel * p.group_channels, -128, 127);
  p.weight_zero_points = random.many(p.outputs, -128, 127);
  p.bias = random.many(p.outputs, -300000, 300000);
  // A sum of 17 terms has about 18 bits: these factors bring it to 0 up to 18 bits, across all output types.
  for (std::int64_t n = 0; n < p.outputs; ++n) p.factors.push_back(random.factor(30, 48));
  p.activation_zero_point = random.between(activation::min(), activation::max());
  p.least = random.between(output::min(), 0);
  p.most = random.between(p.least, output::max());
  p.output_zero_point = random.between(p.least, p.most);
  return p;
}

inline kernels::window_axis axis_of(const naive_axis& axis) {
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {size(axis.image),    size(axis.kernel), size(axis.stride),
          size(axis.dilation), size(axis.before), size(axis.after)};
}

/// What paths may know of codes besides their types; as it is, nothing.
struct narrow_codes {
  int index_bits = 8;
  code_range activations = {-128, 255};
};

/// What kernels read of a problem besides activations, in their types. The problem has to outlive it.
class kernel_constants {
 public:
  /// `narrow` is what paths are told of weights and activations.
  explicit kernel_constants(const naive_convolution& p, narrow_codes narrow = {})
      : problem_(p),
        narrow_(narrow),
        weights_(narrowed<std::int8_t>(p.weights)),
        zero_points_(narrowed<std::int32_t>(p.weight_zero_points)),
        bias_(narrowed<std::int32_t>(p.bias)) {}

  kernels::weighted_sum sums() const {
    const auto outputs = static_cast<std::size_t>(problem_.outputs);
    return {.outputs = outputs,
            .inputs = static_cast<std::size_t>(problem_.down.kernel * problem_.across.kernel * problem_.group_channels),
            .weights = weights_.data(),
            .weight_zero_points = zero_points_.data(),
            .bias = bias_.data(),
            .factors = problem_.factors.data(),
            .activation_zero_point = static_cast<std::int32_t>(problem_.activation_zero_point),
            .output_zero_point = static_cast<std::int32_t>(problem_.output_zero_point),
            .output_codes = {static_cast<std::int32_t>(problem_.least), static_cast<std::int32_t>(problem_.most)},
            .activation_codes = narrow_.activations,
            .index_bits = narrow_.index_bits};
  }

  kernels::convolution_constants convolution() const {
    return {.sums = sums(),
            .window = {axis_of(problem_.down), axis_of(problem_.across)},
            .groups = static_cast<std::size_t>(problem_.groups),
            .group_channels = static_cast<std::size_t>(problem_.group_channels)};
  }

 private:
  const naive_convolution& problem_;
  narrow_codes narrow_;
  std::vector<std::int8_t> weights_;
  std::vector<std::int32_t> zero_points_, bias_;
};

/// The rows, each followed by `gap` times `filler`.
template <class Code>
std::vector<Code> with_gaps(const std::vector<std::int64_t>& codes, std::size_t row_size, std::size_t rows,
                            std::size_t gap, Code filler) {
  std::vector<Code> strided;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < row_size; ++i) strided.push_back(static_cast<Code>(codes[row * row_size + i]));
    strided.insert(strided.end(), gap, filler);
  }
  return strided;
}

/// Whether each path gives the oracle's codes, from rows with gaps, in two calls, and writes nothing into the gaps: a gemm
/// of any kind, which packs `packing` and runs on `running`. Rows are images of one pixel.
template <class Activation, class Output, class Path, class Constants>
void expect_rows_give(const std::vector<std::int64_t>& exact, const naive_convolution& p, std::span<const Path> paths,
                      const Constants& packing, const kernels::weighted_sum& running) {
  const std::size_t rows = static_cast<std::size_t>(p.images), gap = 3;
  const auto activations = with_gaps<Activation>(p.activations, running.inputs, rows, gap, 77);
  const auto expected = widened(with_gaps<Output>(exact, running.outputs, rows, gap, 99));
  for (const auto& path : paths) {
    if (!path.available()) continue;
    std::vector<std::byte, aligned_allocator<std::byte>> packed(path.packed_bytes(packing));
    std::vector<std::byte> workspace(path.workspace_bytes(packing));
    path.pack(packing, packed.data());
    std::vector<Output> result(expected.size(), 99);
    const kernels::gemm_arguments<Activation, Output> call{.sums = running,
                                                           .packed = packed.data(),
                                                           .activations = activations.data(),
                                                           .activation_stride = running.inputs + gap,
                                                           .outputs = result.data(),
                                                           .output_stride = running.outputs + gap,
                                                           .workspace = workspace.data()};
    path.run(call, rows / 3, rows);
    path.run(call, 0, rows / 3);
    ASSERT_EQ(widened(result), expected) << path.name << ": " << rows << " x " << running.inputs << " x "
                                         << running.outputs << ", " << running.index_bits << " bits";
  }
}

/// The same of gemm, a 1x1 convolution of `images` rows.
template <class Activation, class Output>
void expect_gemm_gives(const std::vector<std::int64_t>& exact, const naive_convolution& p,
                       std::span<const kernels::gemm_path<Activation, Output>> paths, narrow_codes narrow = {}) {
  const kernel_constants constants(p, narrow);
  kernels::weighted_sum running = constants.sums();
  running.weights = nullptr;  // For packing only.
  expect_rows_give<Activation, Output>(exact, p, paths, constants.sums(), running);
}

/// Whether each path gives the oracle's codes, in two calls that part the rows anywhere.
template <class Activation, class Output>
void expect_convolution_gives(const std::vector<std::int64_t>& expected, const naive_convolution& p,
                              std::span<const kernels::convolution_path<Activation, Output>> paths,
                              narrow_codes narrow = {}) {
  const kernel_constants constants(p, narrow);
  const kernels::convolution_constants packing = constants.convolution();
  kernels::convolution_constants running = packing;
  running.sums.weights = nullptr;  // For packing only.
  const auto activations = narrowed<Activation>(p.activations);
  const std::size_t rows = static_cast<std::size_t>(p.images * p.down.windows());
  for (const auto& path : paths) {
    if (!path.available()) continue;
    std::vector<std::byte, aligned_allocator<std::byte>> packed(path.packed_bytes(packing));
    std::vector<std::byte> workspace(path.workspace_bytes(packing));
    path.pack(packing, packed.data());
    std::vector<Output> result(expected.size(), 99);
    const kernels::convolution_arguments<Activation, Output> call{.constants = running,
                                                                  .packed = packed.data(),
                                                                  .activations = activations.data(),
                                                                  .outputs = result.data(),
                                                                  .workspace = workspace.data()};
    path.run(call, rows / 3, rows);
    path.run(call, 0, rows / 3);
    ASSERT_EQ(widened(result), expected) << path.name << ": " << p.groups << " groups of " << p.group_channels << " to "
                                         << p.outputs << ", kernel " << p.down.kernel << " x " << p.across.kernel
                                         << ", " << narrow.index_bits << " bits";
  }
}

}  // namespace bitwright::reference
