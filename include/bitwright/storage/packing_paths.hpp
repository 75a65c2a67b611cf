// SPDX-License-Identifier: MIT
/// \file
/// Paths for packing and unpacking: the same source, compiled for every instruction set in blocks that become vectors.
/// Codes of 4 bits are vectors from end to end, bound by memory: registers wider than 32 bytes gain nothing, so that there
/// is no path for them. Other widths go through words of 8 codes.
///
/// A code is handed over as its byte. `lowest` and `flip` are a code field's, as bytes: field = (code - lowest) xor flip,
/// modulo 2^8.
#pragma once

#include <bitwright/core/cpu.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/storage/packing_order.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bitwright {

/// What a path needs to know of the codes.
struct field_layout {
  int bits;             ///< 1 to 8.
  std::uint8_t lowest;  ///< The lowest code.
  std::uint8_t flip;
};

/// One instruction set's way to pack `count` codes into packed_bytes(count, bits) bytes and back.
struct packing_path {
  std::string_view name;
  bool (*available)();
  /// Returns the union of all bits of code - lowest: below 2^bits if and only if every code fits.
  unsigned (*pack)(const std::uint8_t* codes, std::size_t count, field_layout layout, std::uint8_t* bytes) noexcept;
  void (*unpack)(const std::uint8_t* bytes, std::size_t count, field_layout layout, std::uint8_t* codes) noexcept;
};

namespace paths {

namespace scalar {  // The definition of correct, and the tail of every other path.

template <packing_order Order>
unsigned pack(const std::uint8_t* codes, std::size_t count, field_layout layout, std::uint8_t* bytes) noexcept {
  constexpr std::size_t group = Order::group;
  unsigned seen = 0;
  for (std::size_t i = 0; i < count; i += group) {
    std::uint8_t fields[group] = {}, packed[group];
    const std::size_t part = std::min(group, count - i);
    for (std::size_t j = 0; j < part; ++j) {
      const auto rank = static_cast<std::uint8_t>(codes[i + j] - layout.lowest);
      seen |= rank;
      fields[j] = rank ^ layout.flip;
    }
    Order::pack_group(fields, layout.bits, packed);
    const auto bits = static_cast<std::size_t>(layout.bits);
    std::copy_n(packed, (part * bits + 7) / 8, bytes + i * bits / 8);
  }
  return seen;
}

template <packing_order Order>
void unpack(const std::uint8_t* bytes, std::size_t count, field_layout layout, std::uint8_t* codes) noexcept {
  constexpr std::size_t group = Order::group;
  for (std::size_t i = 0; i < count; i += group) {
    std::uint8_t fields[group], packed[group] = {};
    const std::size_t part = std::min(group, count - i);
    const auto bits = static_cast<std::size_t>(layout.bits);
    std::copy_n(bytes + i * bits / 8, (part * bits + 7) / 8, packed);
    Order::unpack_group(packed, layout.bits, fields);
    for (std::size_t j = 0; j < part; ++j)
      codes[i + j] = static_cast<std::uint8_t>((fields[j] ^ layout.flip) + layout.lowest);
  }
}

}  // namespace scalar

/// How a block is packed: as vectors of nibbles, or as words of 8 codes, which need memory that goes on behind the block.
struct as_nibbles {
  static constexpr std::size_t behind = 0;

  template <packing_order Order>
  [[gnu::always_inline]] static void pack(const std::uint8_t* fields, int, std::uint8_t* bytes) {
    Order::pack_nibbles(fields, bytes);
  }

  template <packing_order Order>
  [[gnu::always_inline]] static void unpack(const std::uint8_t* bytes, field_layout layout, std::uint8_t* codes) {
    const auto flip = static_cast<std::uint8_t>(layout.flip * 17);  // For either half of a byte, whatever the order.
    std::uint8_t packed[packing_block / 2];
    for (std::size_t j = 0; j < packing_block / 2; ++j) packed[j] = bytes[j] ^ flip;
    Order::unpack_nibbles(packed, layout.lowest, codes);
  }
};

struct as_words {
  static constexpr std::size_t behind = packing_block;

  template <packing_order Order>
  [[gnu::always_inline]] static void pack(const std::uint8_t* fields, int bits, std::uint8_t* bytes) {
    Order::pack_words(fields, bits, bytes);
  }

  template <packing_order Order>
  [[gnu::always_inline]] static void unpack(const std::uint8_t* bytes, field_layout layout, std::uint8_t* codes) {
    std::uint8_t fields[packing_block];
    Order::unpack_words(bytes, layout.bits, fields);
    for (std::size_t j = 0; j < packing_block; ++j)
      codes[j] = static_cast<std::uint8_t>((fields[j] ^ layout.flip) + layout.lowest);
  }
};

/// Whole blocks, the rest as scalar.
template <packing_order Order, class Manner>
[[gnu::always_inline]] inline unsigned pack_blocks(const std::uint8_t* codes, std::size_t count, field_layout layout,
                                                   std::uint8_t* bytes) {
  const auto bits = static_cast<std::size_t>(layout.bits);
  std::uint8_t seen[packing_block] = {};
  std::size_t i = 0;
  for (; i + packing_block + Manner::behind <= count; i += packing_block) {
    std::uint8_t fields[packing_block];
    for (std::size_t j = 0; j < packing_block; ++j) fields[j] = static_cast<std::uint8_t>(codes[i + j] - layout.lowest);
    for (std::size_t j = 0; j < packing_block; ++j) seen[j] |= fields[j];
    for (std::size_t j = 0; j < packing_block; ++j) fields[j] ^= layout.flip;
    Manner::template pack<Order>(fields, layout.bits, bytes + i / 8 * bits);
  }
  unsigned all = scalar::pack<Order>(codes + i, count - i, layout, bytes + i / 8 * bits);
  for (const std::uint8_t each : seen) all |= each;
  return all;
}

template <packing_order Order, class Manner>
[[gnu::always_inline]] inline void unpack_blocks(const std::uint8_t* bytes, std::size_t count, field_layout layout,
                                                 std::uint8_t* codes) {
  const auto bits = static_cast<std::size_t>(layout.bits);
  std::size_t i = 0;
  for (; i + packing_block + Manner::behind <= count; i += packing_block)
    Manner::template unpack<Order>(bytes + i / 8 * bits, layout, codes + i);
  scalar::unpack<Order>(bytes + i / 8 * bits, count - i, layout, codes + i);
}

template <packing_order Order>
[[gnu::always_inline]] inline unsigned pack_by_width(const std::uint8_t* codes, std::size_t count, field_layout layout,
                                                     std::uint8_t* bytes) {
  if constexpr (Order::holds(8))
    if (layout.bits != 4) return pack_blocks<Order, as_words>(codes, count, layout, bytes);
  return pack_blocks<Order, as_nibbles>(codes, count, layout, bytes);
}

template <packing_order Order>
[[gnu::always_inline]] inline void unpack_by_width(const std::uint8_t* bytes, std::size_t count, field_layout layout,
                                                   std::uint8_t* codes) {
  if constexpr (Order::holds(8))
    if (layout.bits != 4) return unpack_blocks<Order, as_words>(bytes, count, layout, codes);
  unpack_blocks<Order, as_nibbles>(bytes, count, layout, codes);
}

namespace baseline {  // What every processor of the architecture has, SSE2 or NEON: no attribute is needed.

template <packing_order Order>
unsigned pack(const std::uint8_t* codes, std::size_t count, field_layout layout, std::uint8_t* bytes) noexcept {
  return pack_by_width<Order>(codes, count, layout, bytes);
}

template <packing_order Order>
void unpack(const std::uint8_t* bytes, std::size_t count, field_layout layout, std::uint8_t* codes) noexcept {
  unpack_by_width<Order>(bytes, count, layout, codes);
}

}  // namespace baseline

#if defined(__x86_64__) && defined(__GNUC__)

namespace avx2 {

template <packing_order Order>
[[gnu::target("avx2")]] unsigned pack(const std::uint8_t* codes, std::size_t count, field_layout layout,
                                      std::uint8_t* bytes) noexcept {
  return pack_by_width<Order>(codes, count, layout, bytes);
}

template <packing_order Order>
[[gnu::target("avx2")]] void unpack(const std::uint8_t* bytes, std::size_t count, field_layout layout,
                                    std::uint8_t* codes) noexcept {
  unpack_by_width<Order>(bytes, count, layout, codes);
}

}  // namespace avx2

#endif

}  // namespace paths

/// Best first; scalar closes the list.
template <packing_order Order>
inline constexpr auto packing_paths = std::to_array<packing_path>({
#if defined(__x86_64__) && defined(__GNUC__)
  {"avx2", cpu::has_avx2, paths::avx2::pack<Order>, paths::avx2::unpack<Order>},
      {"sse2", always_available, paths::baseline::pack<Order>, paths::baseline::unpack<Order>},
#elif defined(__aarch64__)
  {"neon", always_available, paths::baseline::pack<Order>, paths::baseline::unpack<Order>},
#endif
      {"scalar", always_available, paths::scalar::pack<Order>, paths::scalar::unpack<Order>},
});

}  // namespace bitwright
