// SPDX-License-Identifier: MIT
// Every path of binary convolution against signed coordinates and 64-bit sums of -1, +1 and, outside of images, 0. Each
// buffer lies beside a page without access.
#include "binary_problem.hpp"
#include "guarded_memory.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/binary_convolution.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using problem = reference::binary_problem;
using reference::binary_constants;
using reference::fence;
using reference::fenced_call;
using reference::guarded_memory;
using reference::naive_axis;
using reference::packed_signs;
using reference::random_codes;
using u8 = std::uint8_t;
using s32 = std::int32_t;

kernels::window_axis axis_of(const naive_axis& axis) {
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {size(axis.image),    size(axis.kernel), size(axis.stride),
          size(axis.dilation), size(axis.before), size(axis.after)};
}

template <class Output>
problem filled(problem p, random_codes& random) {
  p.fill(random);
  if constexpr (!std::same_as<Output, bool> && !std::same_as<Output, float>) p.fill_outputs<Output>(random);
  return p;
}

/// One path's outputs, of two calls that part the rows anywhere.
template <class Output>
std::vector<kernels::stored_output<Output>> outputs_of(const kernels::binary_convolution_path<Output>& path,
                                                       const problem& p, const binary_constants& given,
                                                       const std::vector<std::byte>& activations, fence side,
                                                       std::size_t parting) {
  using stored = kernels::stored_output<Output>;
  kernels::binary_convolution_constants constants{given.sums, {axis_of(p.down), axis_of(p.across)}};
  const guarded_memory<std::byte> weights(given.weights, side), inputs(activations, side);
  const guarded_memory<float> pixel_scales(p.pixel_scales, side);
  const auto pixels = static_cast<std::size_t>(p.pixels());
  const guarded_memory<stored> result(pixels * kernels::stored_outputs<Output>(given.sums.outputs), side);
  const guarded_memory<std::byte> packed(path.packed_bytes(constants.sums), side, 64);
  const guarded_memory<std::byte> workspace(path.workspace_bytes(constants), side);
  constants.sums.weights = weights.data();
  path.pack(constants.sums, packed.data());
  constants.sums.weights = nullptr;
  const kernels::binary_convolution_arguments<Output> call{
      .constants = constants,
      .packed = packed.data(),
      .activations = inputs.data(),
      .outputs = result.data(),
      .pixel_scales = p.pixel_scales.empty() ? nullptr : pixel_scales.data(),
      .workspace = workspace.data()};
  const std::size_t rows = static_cast<std::size_t>(p.images) * constants.window.vertical.output();
  path.run(call, rows * parting / 4, rows);
  path.run(call, 0, rows * parting / 4);
  EXPECT_TRUE(packed.is_intact_around()) << path.name;
  return {result.elements().begin(), result.elements().end()};
}

std::string name_of(const naive_axis& axis) {
  return std::to_string(axis.kernel) + " of " + std::to_string(axis.image) + " by " + std::to_string(axis.stride) +
         " dilated " + std::to_string(axis.dilation) + " padded " + std::to_string(axis.before) + " and " +
         std::to_string(axis.after);
}

template <class Output, class Rounding = half_to_even>
void expect_exact(const problem& p, random_codes& random) {
  const binary_constants constants(p, random);
  const std::vector<std::byte> activations =
      packed_signs(p.activations, static_cast<std::size_t>(p.group_channels), random);
  const auto expected = p.expected<Output, Rounding>(kernels::stored_output<Output>{}, 0);
  const fence side = random.between(0, 1) == 0 ? fence::before : fence::after;
  const auto parting = static_cast<std::size_t>(random.between(0, 4));
  const std::string shape = "down " + name_of(p.down) + ", across " + name_of(p.across) + ", " +
                            std::to_string(p.group_channels) + " to " + std::to_string(p.outputs);
  for (const auto& path : kernels::binary_convolution_paths<Output, Rounding>) {
    if (!path.available()) continue;
    fenced_call::is(std::string(path.name) + ", binary convolution " + shape);
    ASSERT_EQ(outputs_of<Output>(path, p, constants, activations, side, parting), expected)
        << path.name << ": " << shape;
  }
}

TEST(binary_convolution, ends_its_list_of_paths_with_scalar) {
  EXPECT_EQ(kernels::binary_convolution_paths<u8>.back().name, "scalar");
}

TEST(binary_convolution, adds_nothing_for_taps_outside_of_the_image) {
  // One pixel of +1 meets the middle one of nine weights of +1.
  random_codes random(1);
  problem p;
  p.down = p.across = {.image = 1, .kernel = 3, .before = 1, .after = 1};
  p = filled<s32>(p, random);
  p.activations = {1}, p.weights.assign(9, 1), p.bias = {0}, p.factors = {{1 << 30, 30}};
  p.output_zero_point = 0, p.least = INT32_MIN, p.most = INT32_MAX;
  EXPECT_EQ(p.result<half_to_even>(), std::vector<std::int64_t>{1});
  expect_exact<s32>(p, random);
}

naive_axis random_axis(random_codes& random) {
  for (;;) {
    const naive_axis axis{.image = random.between(1, 12),
                          .kernel = random.between(1, 4),
                          .stride = random.between(1, 3),
                          .dilation = random.between(1, 2),
                          .before = random.between(0, 5),
                          .after = random.between(0, 5)};
    if (axis.windows() > 0) return axis;
  }
}

problem random_shape(random_codes& random) {
  problem p;
  p.down = random_axis(random), p.across = random_axis(random);
  p.images = random.between(1, 2);
  p.group_channels = random.between(1, 5) * (std::int64_t{1} << random.between(0, 4)) + random.between(-1, 0);
  p.outputs = random.between(1, 20);
  if (p.group_channels == 0) p.group_channels = 128;
  return p;
}

TEST(binary_convolution, is_exact_for_windows_strides_dilations_and_paddings_of_all_kinds) {
  random_codes random(2);
  for (int i = 0; i < 60; ++i) {
    expect_exact<u8>(filled<u8>(random_shape(random), random), random);
    expect_exact<bool>(filled<bool>(random_shape(random), random), random);
    expect_exact<float>(filled<float>(random_shape(random), random), random);
  }
}

TEST(binary_convolution, is_exact_for_every_number_of_channels_whatever_follows_the_last) {
  random_codes random(3);
  for (std::int64_t channels = 1; channels <= 70; ++channels) {
    problem p;
    p.down = {.image = 4, .kernel = 3, .before = 1, .after = 1}, p.across = {.image = 5, .kernel = 2, .before = 1};
    p.group_channels = channels, p.outputs = 9;
    expect_exact<u8>(filled<u8>(p, random), random);
  }
}

TEST(binary_convolution, is_exact_for_many_outputs_and_several_blocks) {
  random_codes random(4);
  for (const std::int64_t outputs : {31, 32, 33, 64, 65, 100}) {
    problem p;
    p.down = p.across = {.image = 12, .kernel = 3, .before = 1, .after = 1};
    p.group_channels = 24, p.outputs = outputs;
    expect_exact<u8, half_up>(filled<u8>(p, random), random);
  }
}

TEST(binary_convolution, without_scales_of_pixels_gives_values_of_the_outputs_scales_alone) {
  random_codes random(5);
  auto p = filled<float>(random_shape(random), random);
  p.pixel_scales.clear();
  expect_exact<float>(p, random);
}

}  // namespace
}  // namespace bitwright
