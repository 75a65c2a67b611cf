// SPDX-License-Identifier: MIT
#include "binary_problem.hpp"
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/binary_convolution.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using reference::refusal;

/// Images of 7 x 9 x 13 under 19 windows of 3 x 2, two apart, with padding that differs at every side.
struct padded_layer {
  random_codes random{1};
  reference::binary_problem problem;
  std::vector<std::int8_t> codes;
  std::vector<affine_scale> maps{{0.25f}};
  std::vector<std::byte> input;

  padded_layer() {
    problem.down = {.image = 7, .kernel = 3, .stride = 2, .before = 2, .after = 1};
    problem.across = {.image = 9, .kernel = 2, .stride = 1, .dilation = 2, .before = 1, .after = 3};
    problem.images = 2, problem.group_channels = 13, problem.outputs = 19;
    problem.fill(random);
    problem.bias.assign(19, 0);
    codes = reference::narrowed<std::int8_t>(problem.weights);
    input = reference::packed_signs(problem.activations, 13, random);
  }

  template <class Output>
  typename binary_convolution<Output>::description description() const {
    return {.image = {7, 9},
            .weights = tensor_view<const std::int8_t>(codes, {19, 3, 2, 13}),
            .weight_maps = maps,
            .stride = {2, 1},
            .padding = {.top = 2, .bottom = 1, .left = 1, .right = 3},
            .dilation = {1, 2},
            .output = {0.25f, 0}};
  }
};

template <class Layer, class Executor = const serial_executor>
std::vector<typename Layer::stored> outputs_of(const Layer& layer, const std::vector<std::byte>& input,
                                               Executor&& pool = {}, const std::vector<float>& pixel_scales = {}) {
  std::vector<typename Layer::stored> output(input.size() / layer.input_size() * layer.output_size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  layer.run(input, output, workspace, pool, pixel_scales);
  return output;
}

TEST(binary_convolution, gives_the_sums_of_taps_inside_on_every_path_and_executor) {
  const padded_layer parts;
  const std::vector<std::int32_t> sums = reference::narrowed<std::int32_t>(parts.problem.sums());
  for (const auto& path : kernels::binary_convolution_paths<std::int32_t>) {
    if (!path.available()) continue;
    const binary_convolution<std::int32_t> layer(parts.description<std::int32_t>(), path.name);
    EXPECT_EQ(layer.path(), path.name);
    EXPECT_EQ(layer.output_image(), (height_width{4, 11}));
    EXPECT_EQ(layer.input_size(), 7u * 9 * 2);
    EXPECT_EQ(outputs_of(layer, parts.input), sums) << path.name;
    EXPECT_EQ(outputs_of(layer, parts.input, reference::two_threads()), sums) << path.name;
  }
}

TEST(binary_convolution, gives_bits_of_pixels_each_from_a_byte_on) {
  const padded_layer parts;
  const binary_convolution<> layer(parts.description<bool>());
  EXPECT_EQ(layer.output_size(), 4u * 11 * 3);
  EXPECT_EQ(outputs_of(layer, parts.input), (parts.problem.expected<bool, half_to_even>(std::byte{0}, 0)));
}

TEST(binary_convolution, gives_values_scaled_by_output_and_pixel) {
  padded_layer parts;
  parts.problem.scales.assign(19, 0.25f);
  const binary_convolution<float> layer(parts.description<float>());
  EXPECT_EQ(outputs_of(layer, parts.input, serial_executor(), parts.problem.pixel_scales),
            (parts.problem.expected<float, half_to_even>(0, 0)));
}

TEST(binary_convolution, refuses_shapes_that_do_not_match_by_name) {
  const padded_layer parts;
  auto description = parts.description<bool>();
  description.weights = tensor_view<const std::int8_t>(parts.codes, {19, 3, 26});
  EXPECT_EQ(refusal([&] { binary_convolution<> layer(description); }),
            "binary_convolution: weights.shape() is [19, 3, 26], expected outputs x kernel height x kernel width x "
            "channels");
  description = parts.description<bool>();
  description.stride.height = 0;
  EXPECT_EQ(refusal([&] { binary_convolution<> layer(description); }),
            "binary_convolution: stride.height is 0, expected [1, 2^30)");
}

}  // namespace
}  // namespace bitwright
