// SPDX-License-Identifier: MIT
/// \file
/// ggml's Q8_0: 32 values in 34 bytes, 8.5 bits a value.
///
///     d = max|value| / 127      code = round(value / d), ties away from zero      value = d * code
///
/// d is divided by as a float, and stored as fp16.
/// Source: quantize_row_q8_0_ref and dequantize_row_q8_0 of ggml, bit for bit.
#pragma once

#include <bitwright/storage/block.hpp>
#include <bitwright/storage/block_scale.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace bitwright {

struct q8_0_block {
  block_scale scale;
  std::array<std::int8_t, block_values> codes;  ///< From -127 to 127.

  /// Throws invalid_argument for a largest magnitude of which one 127th is more than fp16's 65504.
  static q8_0_block from(std::span<const float, block_values> values) {
    float most = 0;
    for (const float value : values) most = std::max(most, std::abs(value));
    const float scale = most / 127, inverse = inverse_block_scale(scale);
    q8_0_block block{block_scale::from(scale, "q8_0_block: scale"), {}};
    std::ranges::transform(values, block.codes.begin(),
                           [inverse](float value) { return static_cast<std::int8_t>(std::round(value * inverse)); });
    return block;
  }

  void to(std::span<float, block_values> values) const {
    std::ranges::transform(codes, values.begin(),
                           [d = scale.value()](std::int8_t code) { return static_cast<float>(code) * d; });
  }

  friend constexpr bool operator==(const q8_0_block&, const q8_0_block&) = default;
};

static_assert(storage_block<q8_0_block> && sizeof(q8_0_block) == 34);

}  // namespace bitwright
