// SPDX-License-Identifier: MIT
// A scheme of your own: state one value's code and one code's value, and it works per channel, on every instruction set.
#include <bitwright/core.hpp>
#include <bitwright/quantizers.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

struct squares {  // Four bits, with levels at the squares of the codes: dense at zero, where most weights are.
  using code_type = std::int8_t;
  float limit;
  int bits() const { return 4; }
  [[gnu::always_inline]] std::int8_t quantize(float value) const {
    return static_cast<std::int8_t>(std::copysign(std::nearbyint(7 * std::sqrt(std::abs(value) / limit)), value));
  }
  [[gnu::always_inline]] float dequantize(std::int8_t c) const {
    return limit / 49 * static_cast<float>(c * std::abs(c));
  }
  void quantize(std::span<const float> values, std::span<std::int8_t> codes) const {
    bitwright::quantize_each(*this, values, codes, "squares");
  }
  void dequantize(std::span<const std::int8_t> codes, std::span<float> values) const {
    bitwright::dequantize_each(*this, codes, values, "squares");
  }
};
static_assert(bitwright::quantizer<squares>);

int main() {
  const std::vector<float> weights{1, -0.5f, 0.1f, 0.02f, 50, -9, 2, 0.6f};
  const auto q = bitwright::fit_slices(bitwright::tensor_view<const float>(weights, {2, 4}), bitwright::per_channel{},
                                       [](auto slice) { return squares{bitwright::range_of(slice).limit()}; });
  std::vector<std::int8_t> codes(8);
  std::vector<float> restored(8);
  q.quantize(weights, codes);
  q.dequantize(codes, restored);
  for (std::size_t i = 0; i < 8; ++i) std::printf("%6.2f -> %2d -> %6.2f\n", weights[i], codes[i], restored[i]);
}
