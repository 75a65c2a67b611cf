// SPDX-License-Identifier: MIT
/// \file
/// A block's fp16 scale: two bytes, the less significant first.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/minifloat.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace bitwright {

/// Rounded half to even; one that is too small for a subnormal becomes 0, and with it every value of the block.
struct block_scale {
  std::array<std::uint8_t, 2> bytes;

  /// Throws invalid_argument for a scale that rounds beyond 65504. `argument` reads "function: argument".
  static block_scale from(float scale, std::string_view argument) {
    const std::uint16_t code = fp16().quantize(scale);
    require(std::isfinite(fp16().dequantize(code)), argument, scale, "at most 65504 in magnitude");
    return {{static_cast<std::uint8_t>(code & 255), static_cast<std::uint8_t>(code >> 8)}};
  }

  float value() const { return fp16().dequantize(static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8)); }

  friend constexpr bool operator==(const block_scale&, const block_scale&) = default;
};

/// 1 / scale, or 0 for one so small that the inverse is no float: fp16 has made such a scale 0.
inline float inverse_block_scale(float scale) {
  const float inverse = 1 / scale;
  return std::isfinite(inverse) ? inverse : 0;
}

}  // namespace bitwright
