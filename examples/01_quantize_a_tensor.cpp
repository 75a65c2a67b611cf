// SPDX-License-Identifier: MIT
// Quantize a weight matrix at several bit widths, per tensor and per channel, and read off what each costs.
#include <bitwright/core/distortion.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <utility>
#include <vector>

int main() {
  // 16 output channels of 64 weights, whose spread grows eightfold from the first channel to the last.
  bitwright::tensor<float> weights({16, 64});
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (std::size_t channel = 0; channel < 16; ++channel)
    for (float& weight : weights.view()[channel].values())
      weight = normal(generator) * std::exp2(static_cast<float>(channel) / 5);

  const auto sqnr = [&weights](const auto& quantizer) {
    std::vector<std::int8_t> codes(weights.values().size());
    std::vector<float> restored(codes.size());
    quantizer.quantize(std::as_const(weights).values(), codes);
    quantizer.dequantize(codes, restored);
    return bitwright::measure_distortion(std::as_const(weights).values(), restored).sqnr;
  };

  std::puts("bits   per tensor   per channel   (signal to quantization noise, dB)");
  using quantizer = bitwright::uniform<bitwright::dynamic_bits, std::int8_t>;
  for (const int bits : {2, 3, 4, 6, 8}) {
    const auto fit = [bits](std::span<const float> slice) {
      return quantizer::symmetric(bitwright::range_of(slice), bits);
    };
    const auto whole = bitwright::fit_slices(weights.view(), bitwright::per_tensor{}, fit);
    const auto channels = bitwright::fit_slices(weights.view(), bitwright::per_channel{}, fit);
    std::printf("%4d %12.1f %13.1f\n", bits, sqnr(whole), sqnr(channels));
  }
}
