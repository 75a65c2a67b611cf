// SPDX-License-Identifier: MIT
// Watch activations stream by on two threads, merge what was seen, and make the quantizer of that range.
#include <bitwright/calibration/min_max.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cstdint>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

int main() {
  // Each observer sees its own half of the batches: no locks, and the merged result does not depend on the split.
  std::vector<bitwright::min_max> observers(2);
  std::vector<std::jthread> threads;
  for (unsigned half = 0; half < 2; ++half)
    threads.emplace_back([half, &observers] {
      std::mt19937 generator(half);
      std::normal_distribution<float> normal(1, 2);
      for (int batch = 0; batch < 10; ++batch) {
        std::vector<float> activations(1000);
        for (float& activation : activations) activation = normal(generator);
        observers[half].observe(activations);
      }
    });
  threads.clear();  // Joins.
  observers[0].merge(observers[1]);

  const bitwright::range seen = observers[0].values();
  using quantizer = bitwright::uniform<8, std::uint8_t>;
  const auto codes = quantizer::affine(seen);
  std::printf("range [%g, %g] -> scale %g, zero point %d\n", static_cast<double>(seen.min),
              static_cast<double>(seen.max), static_cast<double>(codes.scale()), codes.zero_point());
  for (const float value : {-2.0f, 0.0f, 1.5f, 100.0f})
    std::printf("%8g -> code %3d -> %g\n", static_cast<double>(value), codes.quantize(value),
                static_cast<double>(codes.dequantize(codes.quantize(value))));
}
