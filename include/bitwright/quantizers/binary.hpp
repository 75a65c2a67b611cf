// SPDX-License-Identifier: MIT
/// \file
/// Binary quantization: one bit, the sign.
///
///     code = +1 for v >= 0, -1 for v < 0         value = scale * code         scale = mean |v|
///
/// The mean magnitude is the scale that minimises sum (v - scale * code)^2. Zero has the sign +1.
/// Source: Rastegari et al., "XNOR-Net" (ECCV 2016), section 3.1.
///
/// A code is -1 or 1, a byte that any integer kernel runs as it is; stored, it is the bit (code + 1) / 2, and a product of
/// codes is the equality of two bits. Use it per channel (scale per filter) and for networks that were trained with it:
/// of Gaussian values it keeps 4.4 dB (mse 1 - 2 / pi = 0.363 of the variance), and it has no zero.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace bitwright {

/// sum |v| / count. Throws invalid_argument for an empty span, and for a NaN or an infinity.
inline double mean_magnitude(std::span<const float> values) {
  range_of(values);  // For what it refuses.
  double sum = 0;
  for (const float value : values) sum += std::abs(double{value});
  return sum / static_cast<double>(values.size());
}

/// `magnitude` as a scale: kept normal, so that zeros and denormals have one too.
inline float normal_scale(double magnitude) {
  return std::max(static_cast<float>(magnitude), std::numeric_limits<float>::min());
}

/// -scale and +scale.
class binary {
 public:
  using code_type = std::int8_t;

  /// The scale with the least squared error on `values`; for zeros the least normal float.
  /// Throws invalid_argument for an empty span, and for a NaN or an infinity.
  static binary fit(std::span<const float> values) { return binary(normal_scale(mean_magnitude(values))); }

  /// Throws invalid_argument unless the scale is a positive, finite, normal number.
  explicit binary(float scale) : scale_(scale) { require_valid(map(), "binary: map"); }

  int bits() const { return 1; }
  float scale() const { return scale_; }

  /// What integer kernels need to know: value = scale * code.
  affine_scale map() const { return {scale_, 0}; }

  /// The sign of one value, +1 for both zeros and for NaN.
  [[gnu::always_inline]] std::int8_t quantize(float value) const {
    return static_cast<std::int8_t>(value < 0 ? -1 : 1);
  }
  [[gnu::always_inline]] float dequantize(std::int8_t code) const { return scale_ * static_cast<float>(code); }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::int8_t> codes) const {
    quantize_each(*this, values, codes, "binary");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::int8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "binary");
  }

 private:
  float scale_;
};

static_assert(quantizer<binary> && elementwise_quantizer<binary>);

}  // namespace bitwright
