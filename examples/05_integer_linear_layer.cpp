// SPDX-License-Identifier: MIT
// Turn a float linear layer into an integer one: quantize its weights, make the plan, run it on codes.
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

int main() {
  // Two outputs of three inputs each, in floats: y = w x + b.
  const std::vector<float> weights{0.5f, -1.0f, 0.25f, 2.0f, 0.125f, -0.75f}, bias{0.1f, -0.2f};
  const std::vector<float> values{1.0f, 0.5f, -0.5f};

  // Weights become 8-bit codes around zero, with a scale for each output.
  const auto fitted = bitwright::fit_slices(
      bitwright::tensor_view<const float>(weights, {2, 3}), bitwright::per_channel{},
      [](std::span<const float> channel) { return bitwright::uniform<8>::symmetric(bitwright::range_of(channel)); });
  const auto codes = bitwright::quantize_weights(fitted, weights);

  // Activations become unsigned codes of the ranges that calibration has seen.
  using activation = bitwright::uniform<8, std::uint8_t>;
  const auto input = activation::affine({-1.0f, 1.0f}), output = activation::affine({-1.0f, 3.0f});

  // The plan: every float is checked and turned into integers here.
  const bitwright::linear<> layer({.input = input.map(),
                                   .weights = codes.codes,
                                   .weight_maps = codes.maps,
                                   .bias = bias,
                                   .output = output.map(),
                                   .output_codes = output.codes()});

  // Running it touches integers only and allocates nothing.
  std::vector<std::uint8_t> x(layer.input_size()), y(layer.output_size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  input.quantize(values, x);
  layer.run(x, y, workspace);

  for (std::size_t n = 0; n < y.size(); ++n) {
    float exact = bias[n];
    for (std::size_t k = 0; k < values.size(); ++k) exact += weights[n * values.size() + k] * values[k];
    std::printf("output %zu: code %3d means %7.4f, in floats %7.4f\n", n, y[n],
                static_cast<double>(output.dequantize(y[n])), static_cast<double>(exact));
  }
}
