// SPDX-License-Identifier: MIT
/// \file
/// MXFP4: 32 values in 17 bytes, 4.25 bits a value. A scale that is a power of two, then 4-bit floats.
///
///     X = 2^(e - 127), e = floor(log2 max|value|) - 2 + 127      value = X * (+-)(0, 0.5, 1, 1.5, 2, 3, 4, 6)
///
/// The first byte is e, an e8m0 of "OCP Microscaling Formats Specification" 1.0: 255 is NaN for the whole block. The codes
/// are fp4_e2m1: sign, two bits of exponent, one of mantissa. In which order they share bytes is the second choice that
/// the specification leaves open: ggml_halves is ggml's block_mxfp4, least_significant_first that of checkpoints which
/// keep neighbours together.
///
/// Each code is the nearest; ties go toward zero, and no code is a negative zero, as quantize_row_mxfp4_ref of ggml has it
/// (the conversion is the user's in the specification, which suggests the even neighbour). Magnitudes above 7 X become 6 X.
/// The logarithm is exact: where ggml's log2f rounds up to a whole number, less than 1e-7 below a power of two, its scale
/// is twice this one. Magnitudes below 2^-125 have the scale 2^-127.
#pragma once

#include <bitwright/storage/block.hpp>
#include <bitwright/storage/packing_order.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace bitwright {

template <packing_order Order = ggml_halves>
struct mxfp4_block {
  std::uint8_t scale;                  ///< Of e8m0: 2^(scale - 127).
  std::array<std::uint8_t, 16> codes;  ///< fp4_e2m1.

  static mxfp4_block from(std::span<const float, block_values> values) {
    float most = 0;
    for (const float value : values) most = std::max(most, std::abs(value));
    const int exponent = most > 0 ? std::max(std::ilogb(most) - 2, -127) : -127;
    std::array<std::uint8_t, block_values> fields;
    std::ranges::transform(values, fields.begin(), [exponent](float value) { return nearest(value, exponent); });
    mxfp4_block block{static_cast<std::uint8_t>(exponent + 127), {}};
    for (std::size_t i = 0; i < block_values; i += Order::group)
      Order::pack_group(fields.data() + i, 4, block.codes.data() + i / 2);
    return block;
  }

  void to(std::span<float, block_values> values) const {
    std::array<std::uint8_t, block_values> fields;
    for (std::size_t i = 0; i < block_values; i += Order::group)
      Order::unpack_group(codes.data() + i / 2, 4, fields.data() + i);
    std::ranges::transform(fields, values.begin(), [this](std::uint8_t field) {
      if (scale == 255) return std::numeric_limits<float>::quiet_NaN();
      const float magnitude = std::ldexp(magnitudes[field & 7], scale - 127);
      return (field & 8) != 0 ? -magnitude : magnitude;
    });
  }

  friend constexpr bool operator==(const mxfp4_block&, const mxfp4_block&) = default;

 private:
  static constexpr std::array<float, 8> magnitudes = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

  static std::uint8_t nearest(float value, int exponent) {
    const double magnitude = std::ldexp(std::abs(static_cast<double>(value)), -exponent);
    std::uint8_t code = 0;
    while (code < 7 && magnitude > (magnitudes[code] + magnitudes[code + 1u]) / 2) ++code;
    return code > 0 && value < 0 ? code | 8 : code;
  }
};

static_assert(storage_block<mxfp4_block<>> && sizeof(mxfp4_block<>) == 17);
static_assert(storage_block<mxfp4_block<least_significant_first>>);

}  // namespace bitwright
