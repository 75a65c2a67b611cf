// SPDX-License-Identifier: MIT
// A residual block in integers: a 3x3 convolution, its sum with what went in, and global average pooling.
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/pooling.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/layers/residual_add.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <vector>

int main() {
  constexpr std::size_t size = 8, channels = 4;
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;

  // Weights: outputs x kernel height x kernel width x inputs, 4 bits each, a scale for each output.
  std::vector<float> weights(channels * 3 * 3 * channels), values(size * size * channels);
  for (float& weight : weights) weight = normal(generator) / 6;
  for (float& value : values) value = std::max(0.0f, normal(generator));
  const auto fitted = bitwright::fit_slices(
      bitwright::tensor_view<const float>(weights, {channels, 3, 3, channels}), bitwright::per_channel{},
      [](std::span<const float> channel) { return bitwright::uniform<4>::symmetric(bitwright::range_of(channel)); });
  const auto codes = bitwright::quantize_weights(fitted, weights);

  using unsigned_activation = bitwright::uniform<8, std::uint8_t>;
  using signed_activation = bitwright::uniform<8, std::int8_t>;
  const auto input = unsigned_activation::affine({0, 4}), sum = unsigned_activation::affine({0, 6});
  const auto branch = signed_activation::symmetric({-4, 4});

  const bitwright::convolution<std::uint8_t, std::int8_t> convolve(
      {.input = input.map(),
       .image = {size, size},
       .weights = codes.codes,
       .weight_maps = codes.maps,
       .padding = bitwright::image_padding::on_all_sides(1),
       .output = branch.map(),
       .output_codes = branch.codes()});
  // The sum's codes begin at its zero point: that clamp is the ReLU.
  const bitwright::residual_add<std::int8_t, std::uint8_t> add(
      {.left = branch.map(), .right = input.map(), .output = sum.map(), .output_codes = sum.codes()});
  const bitwright::average_pooling<> average(
      {.input = sum.map(),
       .window = {.image = convolve.output_image(), .channels = channels, .kernel = convolve.output_image()},
       .output = sum.map()});

  std::vector<std::uint8_t> image(convolve.input_size()), added(convolve.output_size()), pooled(average.output_size());
  std::vector<std::int8_t> convolved(convolve.output_size());
  std::vector<std::byte> workspace(convolve.workspace_bytes());
  input.quantize(values, image);
  convolve.run(image, convolved, workspace);
  add.run(convolved, image, added);
  average.run(added, pooled);

  for (std::size_t c = 0; c < channels; ++c)
    std::printf("channel %zu: mean %.3f after the block\n", c, static_cast<double>(sum.dequantize(pooled[c])));
}
