// SPDX-License-Identifier: MIT
/// \file
/// The map from codes to values that uniform quantization and integer arithmetic share.
///
///     value = scale * (code - zero_point)
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
/// Inference" (CVPR 2018), equation 1.
#pragma once

#include <bitwright/core/error.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace bitwright {

/// value = scale * (code - zero_point). The value 0 is the code zero_point, exactly.
struct affine_scale {
  float scale;                  ///< Distance of neighbouring codes, in units of the value; positive.
  std::int32_t zero_point = 0;  ///< The code of the value 0.

  friend constexpr bool operator==(affine_scale, affine_scale) = default;
};

/// Throws invalid_argument unless the scale is a positive, finite, normal number. `argument` reads "function:
/// argument".
inline void require_valid(affine_scale map, std::string_view argument) {
  if (!std::isnormal(map.scale) || map.scale < 0)
    fail(std::string(argument) + ".scale", map.scale, "a positive, finite, normal number");
}

}  // namespace bitwright
