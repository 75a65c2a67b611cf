// SPDX-License-Identifier: MIT
// No path of any operation touches a byte outside of its buffers: each buffer lies beside a page without access, first
// with its last byte and then with its first one. Sizes lie around the multiples that paths work in.
#include "guarded_memory.hpp"

#include "random_codes.hpp"
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/kernels/lookup.hpp>
#include <bitwright/kernels/pooling.hpp>
#include <bitwright/kernels/residual_add.hpp>
#include <bitwright/kernels/transpose.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::fence;
using reference::fenced_call;
using reference::guarded_memory;
using reference::narrowed;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;

/// Multiples of 4 to 64 and their neighbours, the small ones more often.
std::size_t size_around_a_tile(random_codes& random) {
  const std::int64_t tile = std::int64_t{4} << random.between(0, 4);
  return static_cast<std::size_t>(std::max<std::int64_t>(1, tile * random.between(0, 3) + random.between(-1, 1)));
}

template <class Code>
std::vector<Code> all_kinds_of(std::size_t count, random_codes& random) {
  using code = std::numeric_limits<Code>;
  return narrowed<Code>(random.many(static_cast<std::int64_t>(count), code::min(), code::max()));
}

std::vector<dyadic> factors_of(std::size_t count, random_codes& random) {
  std::vector<dyadic> factors;
  for (std::size_t n = 0; n < count; ++n) factors.push_back(random.factor(36, 46));
  return factors;
}

/// What a layer with weights reads, in vectors.
struct weighted_sum_values {
  std::size_t outputs, inputs;
  std::vector<s8> weights;
  std::vector<s32> zero_points, bias;
  std::vector<dyadic> factors;
  int index_bits = 8;

  weighted_sum_values(std::size_t output_channels, std::size_t terms, random_codes& random)
      : outputs(output_channels),
        inputs(terms),
        weights(all_kinds_of<s8>(outputs * inputs, random)),
        zero_points(narrowed<s32>(random.many(static_cast<std::int64_t>(outputs), -128, 127))),
        bias(narrowed<s32>(random.many(static_cast<std::int64_t>(outputs), -30000, 30000))),
        factors(factors_of(outputs, random)) {
    // Zero points of 0 and weights of 7 bits may have code of their own in a path.
    if (random.between(0, 1) == 0) std::ranges::fill(zero_points, 0);
    if (random.between(0, 2) == 0)
      for (s8& weight : weights) weight = static_cast<s8>(weight / 2);
    if (random.between(0, 1) == 0) keep_levels(1 << random.between(0, 2));
  }

  /// 2^bits different weights, for paths that pack so few in `bits` each.
  void keep_levels(int bits) {
    index_bits = bits;
    for (s8& weight : weights) weight = static_cast<s8>((weight & ((1 << bits) - 1)) * 5 - 9);
  }
};

/// The same beside fences, and as kernels take it.
struct guarded_weighted_sum {
  guarded_memory<s8> weights;
  guarded_memory<s32> zero_points, bias;
  guarded_memory<dyadic> factors;
  kernels::weighted_sum sums;

  guarded_weighted_sum(const weighted_sum_values& values, code_range codes, fence side)
      : weights(values.weights, side),
        zero_points(values.zero_points, side),
        bias(values.bias, side),
        factors(values.factors, side),
        sums{.outputs = values.outputs,
             .inputs = values.inputs,
             .weights = weights.data(),
             .weight_zero_points = zero_points.data(),
             .bias = bias.data(),
             .factors = factors.data(),
             .activation_zero_point = 3,
             .output_zero_point = 5,
             .output_codes = codes,
             .index_bits = values.index_bits} {}
};

/// Runs every available path in guarded memory. `run(path, side)` gives the path's outputs, which have to be scalar's.
template <class Paths, class Run>
void expect_to_stay_inside(const std::string& operation, const Paths& paths, Run run) {
  const auto named_run = [&](const auto& path, fence side) {
    fenced_call::is(std::string(path.name) + ", " + operation +
                    (side == fence::after ? ": beyond the end" : ": before the beginning"));
    return run(path, side);
  };
  const auto expected = named_run(paths.back(), fence::after);
  for (const auto& path : paths) {
    if (!path.available()) continue;
    for (const fence side : {fence::after, fence::before})
      ASSERT_EQ(named_run(path, side), expected) << path.name << ", " << operation;
  }
}

template <class Code>
std::vector<Code> copy_of(const guarded_memory<Code>& memory) {
  return {memory.elements().begin(), memory.elements().end()};
}

template <class Activation, class Output>
void expect_gemm_to_stay_inside(std::size_t rows, std::size_t inputs, std::size_t outputs, random_codes& random) {
  const weighted_sum_values values(outputs, inputs, random);
  const std::size_t gap = static_cast<std::size_t>(random.between(0, 1)) * 3;
  const std::size_t activation_stride = inputs + gap, output_stride = outputs + gap;
  // The last row ends where its last code does.
  const auto activations = all_kinds_of<Activation>(rows * activation_stride - gap, random);
  const auto run = [&](const auto& path, fence side) {
    guarded_weighted_sum guarded(values, code_range::all_of<Output>(), side);
    kernels::weighted_sum& sums = guarded.sums;
    const guarded_memory<Activation> inputs_beside(activations, side);
    const guarded_memory<Output> result(rows * output_stride - gap, side);
    const guarded_memory<std::byte> packed(path.packed_bytes(sums), side, 64);
    const guarded_memory<std::byte> workspace(path.workspace_bytes(sums), side);
    path.pack(sums, packed.data());
    sums.weights = nullptr;
    path.run({.sums = sums,
              .packed = packed.data(),
              .activations = inputs_beside.data(),
              .activation_stride = activation_stride,
              .outputs = result.data(),
              .output_stride = output_stride,
              .workspace = workspace.data()},
             0, rows);
    EXPECT_TRUE(packed.is_intact_around()) << path.name;
    return copy_of(result);
  };
  expect_to_stay_inside("gemm " + std::to_string(rows) + " x " + std::to_string(inputs) + " x " +
                            std::to_string(outputs) + ", gap " + std::to_string(gap),
                        kernels::gemm_paths<Activation, Output, half_to_even>, run);
}

kernels::window_axis random_axis(random_codes& random) {
  const auto draw = [&random](std::int64_t least, std::int64_t most) {
    return static_cast<std::size_t>(random.between(least, most));
  };
  for (;;) {
    const std::size_t kernel = 2 * draw(0, 3) + 1;
    const kernels::window_axis axis{.input = draw(1, 20),
                                    .kernel = kernel,
                                    .stride = draw(1, 2),
                                    .dilation = kernel < 5 ? draw(1, 2) : 1,
                                    .padding_before = draw(0, 1) * (kernel / 2),
                                    .padding_after = draw(0, 1) * (kernel / 2)};
    if (axis.output() > 0) return axis;
  }
}

std::string name_of(const kernels::window_axis& axis) {
  return std::to_string(axis.kernel) + " of " + std::to_string(axis.input) + " by " + std::to_string(axis.stride) +
         " dilated " + std::to_string(axis.dilation) + " padded " + std::to_string(axis.padding_before) + " and " +
         std::to_string(axis.padding_after);
}

template <class Activation, class Output>
void expect_convolution_to_stay_inside(const kernels::sliding_window& window, std::size_t groups,
                                       std::size_t group_channels, std::size_t outputs, random_codes& random) {
  const weighted_sum_values values(outputs, window.vertical.kernel * window.horizontal.kernel * group_channels, random);
  const std::size_t images = 2, rows = images * window.vertical.output();
  const auto activations = all_kinds_of<Activation>(
      images * window.vertical.input * window.horizontal.input * groups * group_channels, random);
  const auto run = [&](const auto& path, fence side) {
    const guarded_weighted_sum guarded(values, code_range::all_of<Output>(), side);
    kernels::convolution_constants constants{guarded.sums, window, groups, group_channels};
    const guarded_memory<Activation> inputs(activations, side);
    const guarded_memory<Output> result(rows * window.horizontal.output() * outputs, side);
    const guarded_memory<std::byte> packed(path.packed_bytes(constants), side, 64);
    const guarded_memory<std::byte> workspace(path.workspace_bytes(constants), side);
    path.pack(constants, packed.data());
    constants.sums.weights = nullptr;
    path.run({.constants = constants,
              .packed = packed.data(),
              .activations = inputs.data(),
              .outputs = result.data(),
              .workspace = workspace.data()},
             0, rows);
    EXPECT_TRUE(packed.is_intact_around()) << path.name;
    return copy_of(result);
  };
  expect_to_stay_inside("convolution down " + name_of(window.vertical) + ", across " + name_of(window.horizontal) +
                            ", groups " + std::to_string(groups) + " of " + std::to_string(group_channels) + " to " +
                            std::to_string(outputs),
                        kernels::convolution_paths<Activation, Output, half_to_even>, run);
}

TEST(guarded_memory, ends_a_program_that_touches_the_byte_beyond_or_before) {
  const guarded_memory<u8> ends(3, fence::after), begins(3, fence::before);
  volatile u8* const beyond = ends.data() + 3;
  volatile u8* const before = begins.data() - 1;
  fenced_call::is("the test of fences");
  EXPECT_EXIT(*beyond = 1, testing::ExitedWithCode(EXIT_FAILURE), "outside of a buffer was touched by the test of");
  EXPECT_EXIT(static_cast<void>(*before), testing::ExitedWithCode(EXIT_FAILURE), "touched by the test of fences");
}

TEST(guarded_memory, notices_a_write_between_aligned_elements_and_their_fence) {
  const guarded_memory<std::byte> packed(3, fence::after, 64);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(packed.data()) % 64, 0u);
  packed.data()[2] = std::byte{1};
  EXPECT_TRUE(packed.is_intact_around());
  packed.data()[3] = std::byte{1};
  EXPECT_FALSE(packed.is_intact_around());
}

TEST(gemm, stays_inside_its_buffers) {
  random_codes random(1);
  for (int i = 0; i < 60; ++i) {
    const std::size_t rows = i % 4 == 0 ? 1 : static_cast<std::size_t>(random.between(1, 17));
    const std::size_t inputs = size_around_a_tile(random), outputs = size_around_a_tile(random);
    expect_gemm_to_stay_inside<u8, u8>(rows, inputs, outputs, random);
    expect_gemm_to_stay_inside<s8, s8>(rows, inputs, outputs, random);
    expect_gemm_to_stay_inside<u8, s16>(rows, inputs, outputs, random);
    expect_gemm_to_stay_inside<s8, s32>(rows, inputs, outputs, random);
  }
}

TEST(convolution, stays_inside_its_buffers) {
  random_codes random(2);
  for (int i = 0; i < 60; ++i) {
    const kernels::sliding_window window{random_axis(random), random_axis(random)};
    const auto groups = static_cast<std::size_t>(random.between(1, 2));
    const std::size_t channels = i % 4 == 0 ? 3 : size_around_a_tile(random) / 2 + 1;
    const std::size_t outputs = groups * (size_around_a_tile(random) / 2 + 1);
    expect_convolution_to_stay_inside<u8, u8>(window, groups, channels, outputs, random);
    expect_convolution_to_stay_inside<s8, s8>(window, groups, channels, outputs, random);
    expect_convolution_to_stay_inside<u8, s32>(window, groups, channels, outputs, random);
  }
}

TEST(depthwise_convolution, stays_inside_its_buffers) {
  random_codes random(3);
  for (int i = 0; i < 60; ++i) {
    const kernels::sliding_window window{random_axis(random), random_axis(random)};
    const std::size_t channels = size_around_a_tile(random);
    expect_convolution_to_stay_inside<u8, u8>(window, channels, 1, channels, random);
    expect_convolution_to_stay_inside<s8, s8>(window, channels, 1, channels, random);
  }
}

/// A window with at least one tap of each position inside the image.
kernels::sliding_window random_pooling_window(random_codes& random) {
  const auto draw = [&random] {
    kernels::window_axis axis = random_axis(random);
    if (axis.dilation > 1 || axis.input <= axis.kernel / 2) axis.padding_before = axis.padding_after = 0;
    return axis;
  };
  for (;;) {
    const kernels::sliding_window window{draw(), draw()};
    if (window.vertical.output() > 0 && window.horizontal.output() > 0) return window;
  }
}

template <class Code>
void expect_pooling_to_stay_inside(const kernels::sliding_window& window, std::size_t channels, random_codes& random) {
  const std::size_t images = 2, rows = images * window.vertical.output();
  const auto activations =
      all_kinds_of<Code>(images * window.vertical.input * window.horizontal.input * channels, random);
  const auto factors = factors_of(window.vertical.kernel * window.horizontal.kernel + 1, random);
  const std::string shape = "pooling down " + name_of(window.vertical) + ", across " + name_of(window.horizontal) +
                            ", channels " + std::to_string(channels);
  const auto maximum = [&](const auto& path, fence side) {
    const guarded_memory<Code> inputs(activations, side), result(rows * window.horizontal.output() * channels, side);
    path.run({window, channels, inputs.data(), result.data()}, 0, rows);
    return copy_of(result);
  };
  expect_to_stay_inside("max " + shape, kernels::max_pooling_paths<Code>, maximum);
  std::vector<kernels::average_line> lines;
  for (std::size_t taps = 0; taps < factors.size(); ++taps)
    lines.push_back(kernels::average_line::through<half_to_even, Code, Code>(
        {taps, 3, factors[taps], 5, code_range::all_of<Code>()}));
  const auto average = [&](const auto& path, fence side) {
    const guarded_memory<Code> inputs(activations, side), result(rows * window.horizontal.output() * channels, side);
    const guarded_memory<dyadic> factors_beside(factors, side);
    const guarded_memory<kernels::average_line> lines_beside(lines, side);
    path.run({.window = window,
              .channels = channels,
              .activations = inputs.data(),
              .activation_zero_point = 3,
              .outputs = result.data(),
              .factors = factors_beside.data(),
              .output_zero_point = 5,
              .output_codes = code_range::all_of<Code>(),
              .lines = channels % 4 == 0 ? nullptr : lines_beside.data()},
             0, rows);
    return copy_of(result);
  };
  expect_to_stay_inside("average " + shape, kernels::average_pooling_paths<Code, Code, half_to_even>, average);
}

TEST(pooling, stays_inside_its_buffers) {
  random_codes random(4);
  for (int i = 0; i < 60; ++i) {
    const kernels::sliding_window window = random_pooling_window(random);
    const std::size_t channels = size_around_a_tile(random);
    expect_pooling_to_stay_inside<u8>(window, channels, random);
    expect_pooling_to_stay_inside<s8>(window, channels, random);
    expect_pooling_to_stay_inside<s16>(window, channels, random);
  }
}

template <class Left, class Right, class Output>
void expect_residual_add_to_stay_inside(std::size_t count, random_codes& random) {
  const auto left = all_kinds_of<Left>(count, random);
  const auto right = all_kinds_of<Right>(count, random);
  const auto run = [&](const auto& path, fence side) {
    const guarded_memory<Left> left_beside(left, side);
    const guarded_memory<Right> right_beside(right, side);
    const guarded_memory<Output> result(count, side);
    kernels::residual_add_arguments<Left, Right, Output> call{.left = {left_beside.data(), 3, {1 << 30, 24}},
                                                              .right = {right_beside.data(), -7, {1 << 30, 23}},
                                                              .outputs = result.data(),
                                                              .output_zero_point = 5,
                                                              .output_codes = code_range::all_of<Output>()};
    const guarded_memory<std::byte> packed(path.packed_bytes, side, 64);
    path.pack(call, packed.data());
    if (count % 3 != 0) call.packed = packed.data();
    path.run(call, 0, count);
    return copy_of(result);
  };
  expect_to_stay_inside("residual add of " + std::to_string(count),
                        kernels::residual_add_paths<Left, Right, Output, half_to_even>, run);
}

TEST(residual_add, stays_inside_its_buffers) {
  random_codes random(5);
  for (std::size_t count = 0; count <= 140; ++count) {
    expect_residual_add_to_stay_inside<u8, u8, u8>(count, random);
    expect_residual_add_to_stay_inside<s8, s16, s8>(count, random);
    expect_residual_add_to_stay_inside<s16, s8, s16>(count, random);
  }
}

TEST(lookup, stays_inside_its_buffers) {
  random_codes random(6);
  const auto table = all_kinds_of<s8>(kernels::lookup_entries, random);
  for (std::size_t length = 0; length <= 140; ++length) {
    // The last row ends where its last code does.
    const std::size_t rows = 3, gap = length % 4;
    const auto codes = all_kinds_of<u8>(rows * (length + gap) - gap, random);
    const auto run = [&](const auto& path, fence side) {
      const guarded_memory<s8> table_beside(table, side), result(codes.size(), side);
      const guarded_memory<u8> codes_beside(codes, side);
      path.run({.table = table_beside.data(),
                .codes = codes_beside.data(),
                .code_stride = length + gap,
                .outputs = result.data(),
                .output_stride = length + gap,
                .length = length},
               0, rows);
      return copy_of(result);
    };
    expect_to_stay_inside("lookup of " + std::to_string(length), kernels::lookup_paths<u8, s8>, run);
  }
}

TEST(transpose, stays_inside_its_buffers) {
  random_codes random(7);
  for (int i = 0; i < 100; ++i) {
    const std::size_t matrices = 2, rows = size_around_a_tile(random), columns = size_around_a_tile(random);
    const auto codes = all_kinds_of<u8>(matrices * rows * columns, random);
    const auto run = [&](const auto& path, fence side) {
      const guarded_memory<u8> codes_beside(codes, side), result(codes.size(), side);
      path.run({codes_beside.data(), result.data(), rows, columns}, 0, matrices * columns);
      return copy_of(result);
    };
    expect_to_stay_inside("transpose of " + std::to_string(rows) + " x " + std::to_string(columns),
                          kernels::transpose_paths<u8>, run);
  }
}

}  // namespace
}  // namespace bitwright
