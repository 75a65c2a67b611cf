// SPDX-License-Identifier: MIT
/// \file
/// ggml's Q4_0: 32 values in 18 bytes, 4.5 bits a value.
///
///     d = m / -8, m the value of largest magnitude, the first of equals      value = d * (code - 8)
///     code = min(15, trunc(value / d + 8.5))
///
/// d is divided by as a float, and stored as fp16. With the sign of m in d, the code 0 stands for m itself: no code is
/// wasted. The codes follow d in the order of ggml_halves.
/// Source: quantize_row_q4_0_ref and dequantize_row_q4_0 of ggml, bit for bit, built without contraction.
#pragma once

#include <bitwright/storage/block.hpp>
#include <bitwright/storage/block_scale.hpp>
#include <bitwright/storage/packing_order.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bitwright {

struct q4_0_block {
  block_scale scale;
  std::array<std::uint8_t, 16> codes;  ///< 4 bits each, code 8 for 0.

  /// Throws invalid_argument for a largest magnitude whose eighth is more than fp16's 65504.
  static q4_0_block from(std::span<const float, block_values> values) {
    float most = 0;
    for (const float value : values) most = std::abs(most) < std::abs(value) ? value : most;
    const float scale = most / -8, inverse = inverse_block_scale(scale);
    std::array<std::uint8_t, block_values> fields;
    std::ranges::transform(values, fields.begin(), [inverse](float value) {
      // The float sum value * inverse + 8.5f, by way of a double, which holds it exactly: a compiler that may fuse the
      // product with the sum would round once.
      const auto shifted = static_cast<float>(static_cast<double>(value * inverse) + 8.5);
      return static_cast<std::uint8_t>(std::min(15, static_cast<int>(shifted)));
    });
    q4_0_block block{block_scale::from(scale, "q4_0_block: scale"), {}};
    ggml_halves::pack_group(fields.data(), 4, block.codes.data());
    return block;
  }

  void to(std::span<float, block_values> values) const {
    std::array<std::uint8_t, block_values> fields;
    ggml_halves::unpack_group(codes.data(), 4, fields.data());
    std::ranges::transform(fields, values.begin(),
                           [d = scale.value()](int field) { return static_cast<float>(field - 8) * d; });
  }

  friend constexpr bool operator==(const q4_0_block&, const q4_0_block&) = default;
};

static_assert(storage_block<q4_0_block> && sizeof(q4_0_block) == 18);

}  // namespace bitwright
