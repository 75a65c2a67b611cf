// SPDX-License-Identifier: MIT
// From a user's own model to a sensitivity table: which layer the loss depends on, at which bit width, with an error bar.
// All that is asked of the model is one sample's backward pass.
#include <bitwright/mixed_precision/gauss_newton_trace.hpp>
#include <bitwright/mixed_precision/sensitivity_table.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

int main() {
  // outputs = W2 tanh(W1 x), both layers' weights in one vector.
  constexpr std::size_t inputs = 6, hidden = 16, classes = 4, samples = 200, second = hidden * inputs;
  std::vector<float> weights(second + classes * hidden);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::cos(static_cast<float>(i * i)) / 2;

  // Forward; then the cotangent, where training would put the loss's gradient by the outputs; then backward.
  const auto backward = [&](std::size_t sample, const auto& cotangent_of, std::span<float> gradient) {
    float x[inputs], activation[hidden], outputs[classes] = {}, cotangent[classes];
    for (std::size_t i = 0; i < inputs; ++i) x[i] = std::sin(static_cast<float>(7 * sample + 3 * i));
    for (std::size_t h = 0; h < hidden; ++h) {
      float sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) sum += weights[h * inputs + i] * x[i];
      activation[h] = std::tanh(sum);
      for (std::size_t c = 0; c < classes; ++c) outputs[c] += weights[second + c * hidden + h] * activation[h];
    }
    cotangent_of(outputs, cotangent);
    for (std::size_t h = 0; h < hidden; ++h) {
      float back = 0;
      for (std::size_t c = 0; c < classes; ++c) back += cotangent[c] * weights[second + c * hidden + h];
      for (std::size_t c = 0; c < classes; ++c) gradient[second + c * hidden + h] = cotangent[c] * activation[h];
      back *= 1 - activation[h] * activation[h];
      for (std::size_t i = 0; i < inputs; ++i) gradient[h * inputs + i] = back * x[i];
    }
  };
  const std::vector<std::size_t> layer_sizes{second, classes * hidden};
  const bitwright::trace_report traces = bitwright::gauss_newton_traces<float>(
      backward, samples, bitwright::cross_entropy_cotangent{}, layer_sizes, {.relative_tolerance = 0.05});

  const std::vector<int> bits{2, 4, 8};
  const auto make_quantizer = [](std::size_t, int width, std::span<const float> values) {
    const auto [min, max] = std::ranges::minmax(values);
    return bitwright::uniform<>::symmetric({min, max}, width);
  };
  const auto table = bitwright::make_sensitivity_table(traces.layers, bits, weights, make_quantizer);

  std::printf("%zu backward passes\n", traces.products);
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::printf("layer %zu: trace %.3f +- %.3f;", i + 1, traces.layers[i].trace, traces.layers[i].standard_error);
    for (const auto& [width, cost] : table[i])
      std::printf("  Omega at %d bits %.2e +- %.0e", width, cost.omega, cost.standard_error);
    std::printf("\n");
  }
}
