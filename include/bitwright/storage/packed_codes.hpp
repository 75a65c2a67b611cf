// SPDX-License-Identifier: MIT
/// \file
/// Packed codes: 1 to 8 bits each, without a gap, in an order and a field that are part of the type.
///
///     bytes = ceil(count * bits / 8), the unused bits of the last one 0
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/storage/code_field.hpp>
#include <bitwright/storage/packing_order.hpp>
#include <bitwright/storage/packing_paths.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// ceil(count * bits / 8), without overflow for any count whose codes fit memory as bytes. `bits` is at most 8.
constexpr std::size_t packed_bytes(std::size_t count, int bits) {
  const auto width = static_cast<std::size_t>(bits);
  return count / 8 * width + (count % 8 * width + 7) / 8;
}

/// Throws invalid_argument unless the order holds codes of so many bits, in so large a number.
template <packing_order Order>
constexpr void require_packable(std::size_t count, int bits) {
  require(Order::holds(bits), "packed_codes: bits", bits, Order::holds(1) ? "[1, 8]" : "4 in this order");
  require(Order::partial_groups || count % Order::group == 0, "packed_codes: codes.size()", count, "a multiple of ",
          Order::group);
}

/// Packs codes into memory of packed_bytes(codes.size(), bits).
/// Throws invalid_argument for another size of memory, for bits that the order does not hold, and for a code outside the
/// field, naming its index; then the memory holds nothing of use.
template <packing_order Order, code_field Field>
void pack(std::span<const typename Field::code_type> codes, int bits, std::span<std::byte> bytes) {
  require_packable<Order>(codes.size(), bits);
  require(bytes.size() == packed_bytes(codes.size(), bits), "pack: bytes.size()", bytes.size(),
          "ceil(codes.size() * bits / 8), ", packed_bytes(codes.size(), bits));
  static const packing_path& path = best_path(packing_paths<Order>);
  const int lowest = Field::lowest(bits), highest = lowest + (1 << bits) - 1;
  const unsigned ranks =
      path.pack(reinterpret_cast<const std::uint8_t*>(codes.data()), codes.size(),
                {bits, static_cast<std::uint8_t>(lowest), static_cast<std::uint8_t>(Field::flip(bits))},
                reinterpret_cast<std::uint8_t*>(bytes.data()));
  if (ranks >> bits == 0) return;
  const auto outside = std::ranges::find_if(codes, [=](int code) { return code < lowest || code > highest; });
  fail("pack: codes[" + std::to_string(outside - codes.begin()) + "]", static_cast<int>(*outside), "within ",
       std::array{lowest, highest});
}

/// Unpacks codes from memory of packed_bytes(codes.size(), bits); the unused bits of the last byte may be anything.
/// Throws invalid_argument for another size of memory, and for bits that the order does not hold.
template <packing_order Order, code_field Field>
void unpack(std::span<const std::byte> bytes, int bits, std::span<typename Field::code_type> codes) {
  require_packable<Order>(codes.size(), bits);
  require(bytes.size() == packed_bytes(codes.size(), bits), "unpack: bytes.size()", bytes.size(),
          "ceil(codes.size() * bits / 8), ", packed_bytes(codes.size(), bits));
  static const packing_path& path = best_path(packing_paths<Order>);
  path.unpack(reinterpret_cast<const std::uint8_t*>(bytes.data()), codes.size(),
              {bits, static_cast<std::uint8_t>(Field::lowest(bits)), static_cast<std::uint8_t>(Field::flip(bits))},
              reinterpret_cast<std::uint8_t*>(codes.data()));
}

/// Codes with the memory they are packed in.
template <packing_order Order, code_field Field>
class packed_codes {
 public:
  using code_type = typename Field::code_type;

  /// Throws invalid_argument for bits that the order does not hold, and for a code outside the field, naming its index.
  packed_codes(std::span<const code_type> codes, int bits) : size_(codes.size()), bits_(bits) {
    require_packable<Order>(size_, bits);
    bytes_.resize(packed_bytes(size_, bits));
    pack<Order, Field>(codes, bits, bytes_);
  }

  /// From memory that is packed already, such as a file's.
  /// Throws invalid_argument unless its size is packed_bytes(size, bits) and the order holds the bits.
  packed_codes(std::vector<std::byte> bytes, std::size_t size, int bits)
      : bytes_(std::move(bytes)), size_(size), bits_(bits) {
    require_packable<Order>(size, bits);
    require(bytes_.size() == packed_bytes(size, bits), "packed_codes: bytes.size()", bytes_.size(),
            "ceil(size * bits / 8), ", packed_bytes(size, bits));
  }

  /// The same codes in another order or another field, without loss.
  /// Throws invalid_argument where the new order or field cannot hold them: a code of 15 is no signed one of 4 bits.
  template <packing_order OtherOrder, code_field OtherField>
  explicit packed_codes(const packed_codes<OtherOrder, OtherField>& other)
      : packed_codes(same_codes(other.unpacked()), other.bits()) {}

  /// How many codes there are.
  std::size_t size() const { return size_; }
  int bits() const { return bits_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  std::vector<code_type> unpacked() const {
    std::vector<code_type> codes(size_);
    unpack<Order, Field>(bytes_, bits_, codes);
    return codes;
  }

 private:
  template <class Code>
  static std::vector<code_type> same_codes(const std::vector<Code>& codes) {
    std::vector<code_type> same(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (!std::in_range<code_type>(codes[i]))
        fail("packed_codes: codes[" + std::to_string(i) + "]", static_cast<int>(codes[i]), "one of the field's codes");
      same[i] = static_cast<code_type>(codes[i]);
    }
    return same;
  }

  std::vector<std::byte> bytes_;
  std::size_t size_;
  int bits_;
};

}  // namespace bitwright
