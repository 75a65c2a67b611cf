// SPDX-License-Identifier: MIT
/// \file
/// Code fields: how a code that may be negative becomes a field of k bits, an unsigned number below 2^k.
///
///     field = (code - lowest) xor flip
///
///     unsigned_field     codes 0 ... 2^k - 1                lowest = 0             flip = 0
///     offset_field       codes -2^(k-1) ... 2^(k-1) - 1     lowest = -2^(k-1)      flip = 0
///     signed_field       the same codes                     lowest = -2^(k-1)      flip = 2^(k-1): two's complement
///
/// ONNX's INT4 takes signed_field, ggml's Q4_0 offset_field, BitPack an offset of its own that makes unsigned codes.
#pragma once

#include <concepts>
#include <cstdint>

namespace bitwright {

/// `code_type`, and for a width of 1 to 8 bits the lowest code and the bits that are turned over.
template <class Field>
concept code_field = requires(int bits) {
  requires std::same_as<typename Field::code_type, std::int8_t> ||
      std::same_as<typename Field::code_type, std::uint8_t>;
  { Field::lowest(bits) } -> std::same_as<int>;
  { Field::flip(bits) } -> std::same_as<int>;
};

struct unsigned_field {
  using code_type = std::uint8_t;
  static constexpr int lowest(int) { return 0; }
  static constexpr int flip(int) { return 0; }
};

/// Zero is the middle of the field's numbers, which order as the codes do.
struct offset_field {
  using code_type = std::int8_t;
  static constexpr int lowest(int bits) { return -(1 << (bits - 1)); }
  static constexpr int flip(int) { return 0; }
};

/// Two's complement: the low bits of the code as they are.
struct signed_field {
  using code_type = std::int8_t;
  static constexpr int lowest(int bits) { return -(1 << (bits - 1)); }
  static constexpr int flip(int bits) { return 1 << (bits - 1); }
};

static_assert(code_field<unsigned_field> && code_field<offset_field> && code_field<signed_field>);

}  // namespace bitwright
