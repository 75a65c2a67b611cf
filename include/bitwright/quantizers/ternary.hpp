// SPDX-License-Identifier: MIT
/// \file
/// Ternary quantization: the sign of what is large, zero for the rest.
///
///     code = sign(v) for |v| > threshold, 0 otherwise         value = scale * code
///     scale = mean of |v| over |v| > threshold
///
/// Given the threshold this scale minimises the squared error, which is then sum v^2 - (sum_S |v|)^2 / |S| over the set S
/// of large values. `optimal` finds the threshold that minimises it, by trying S = the k largest for every k;
/// `rule_of_thumb` takes 0.7 mean |v|, close to it for bell-shaped values (Gaussian: mse 0.1916 of the variance against
/// 0.1902). Source: Li, Zhang and Liu, "Ternary Weight Networks" (2016), equations 4 to 6.
///
/// A code is -1, 0 or 1, a byte that any integer kernel runs as it is, and where no product is needed. Use it per channel
/// where two bits, or a sum without multiplications, are asked for; four levels (uniform or codebook) lose less in the same two
/// bits. Where zeros can be skipped, `optimal` makes about 46 % of Gaussian values zero.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/binary.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {

/// -scale, 0 and +scale.
class ternary {
 public:
  using code_type = std::int8_t;

  /// Threshold 0.7 mean |v|; one pass. Of zeros everything stays zero.
  /// Throws invalid_argument for an empty span, and for a NaN or an infinity.
  static ternary rule_of_thumb(std::span<const float> values) {
    const auto threshold = static_cast<float>(0.7 * mean_magnitude(values));
    double sum = 0;
    std::size_t count = 0;
    for (const float value : values) {
      if (!(std::abs(value) > threshold)) continue;
      sum += std::abs(double{value});
      ++count;
    }
    return {threshold, normal_scale(count == 0 ? 0 : sum / static_cast<double>(count))};
  }

  /// The threshold and the scale with the least squared error on `values`; sorts their magnitudes. Of equally good ones
  /// the highest threshold: the most zeros. Throws as rule_of_thumb does.
  static ternary optimal(std::span<const float> values) {
    mean_magnitude(values);                                  // For what it refuses.
    std::vector<float> magnitudes(values.size() + 1, 0.0f);  // A zero last: everything may be large.
    std::ranges::transform(values, magnitudes.begin(), [](float value) { return std::abs(value); });
    std::ranges::sort(magnitudes, std::greater());
    double sum = 0, best = 0, scale = 0;
    float threshold = magnitudes.front();
    for (std::size_t k = 1; k < magnitudes.size(); ++k) {
      sum += magnitudes[k - 1];
      const double mean = sum / static_cast<double>(k), gain = sum * mean;
      if (gain <= best || magnitudes[k - 1] == magnitudes[k]) continue;  // Equal magnitudes stay together.
      best = gain;
      scale = mean;
      threshold = magnitudes[k];
    }
    return {threshold, normal_scale(scale)};
  }

  /// From known parameters. Throws invalid_argument unless the threshold is at least 0 and finite, and the scale a
  /// positive, finite, normal number.
  ternary(float threshold, float scale) : threshold_(threshold), scale_(scale) {
    require(std::isfinite(threshold) && threshold >= 0, "ternary: threshold", threshold, "a finite number, at least 0");
    require_valid(map(), "ternary: map");
  }

  int bits() const { return 2; }
  float threshold() const { return threshold_; }
  float scale() const { return scale_; }

  /// What integer kernels need to know: value = scale * code.
  affine_scale map() const { return {scale_, 0}; }

  /// The code of one value; 0 for NaN.
  [[gnu::always_inline]] std::int8_t quantize(float value) const {
    return static_cast<std::int8_t>((value > threshold_ ? 1 : 0) - (value < -threshold_ ? 1 : 0));
  }
  [[gnu::always_inline]] float dequantize(std::int8_t code) const { return scale_ * static_cast<float>(code); }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::int8_t> codes) const {
    quantize_each(*this, values, codes, "ternary");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::int8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "ternary");
  }

 private:
  float threshold_;
  float scale_;
};

static_assert(quantizer<ternary> && elementwise_quantizer<ternary>);

}  // namespace bitwright
