// SPDX-License-Identifier: MIT
/// \file
/// Packing orders: where the bits of a code lie in memory. The order is part of the type of packed codes.
///
/// With k bits a code, bit b of the code i (b = 0 the least significant) is, where a byte's bit 0 is its least
/// significant,
///
///     least_significant_first      bit s mod 8 of byte s div 8, s = k i + b
///     most_significant_first       bit 7 - s mod 8 of byte s div 8, s = k i + k - 1 - b
///     ggml_halves (k = 4 only)     bit b + 4 * (i mod 32 div 16) of byte 16 (i div 32) + i mod 16
///
/// least_significant_first with 4 bits is the order of ONNX's INT4 and UINT4: the first code in the low half of a byte.
/// Sources: BitPack (Dong et al., 2020) for most_significant_first; ONNX IR specification; ggml's block_q4_0.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright {

/// `group` codes are packed into group * bits / 8 bytes by `pack_group`, and come back by `unpack_group`; the last group
/// may be incomplete where `partial_groups` says so. Fields are codes as unsigned numbers below 2^bits. `pack_nibbles` and
/// `unpack_nibbles` do the same to packing_block codes of 4 bits, where unpacking adds `lowest` to each field, modulo 2^8.
/// They are written so that a compiler makes vectors of them, and never read what they wrote in smaller pieces: that would
/// wait for the processor's stores. An order that holds 8 bits also has `pack_words` and `unpack_words`, see
/// contiguous_bits.
template <class Order>
concept packing_order = requires(const std::uint8_t* from, std::uint8_t* to, int bits, std::uint8_t lowest) {
  { Order::group } -> std::convertible_to<std::size_t>;
  { Order::partial_groups } -> std::convertible_to<bool>;
  { Order::holds(bits) } -> std::same_as<bool>;
  Order::pack_group(from, bits, to);
  Order::unpack_group(from, bits, to);
  Order::pack_nibbles(from, to);
  Order::unpack_nibbles(from, lowest, to);
};

/// Codes that the functions which work on more than a group take at a time. (Inner loops of at most 16 steps are told not to
/// be unrolled: g++ at -O3 would take them apart before it looks for vectors, and find none.)
inline constexpr std::size_t packing_block = 64;

/// The bytes of a word in the other order.
constexpr std::uint64_t turned(std::uint64_t word) {
  word = (word & 0x00ff00ff00ff00ff) << 8 | (word >> 8 & 0x00ff00ff00ff00ff);
  word = (word & 0x0000ffff0000ffff) << 16 | (word >> 16 & 0x0000ffff0000ffff);
  return word << 32 | word >> 32;
}

/// Eight fields, one a byte of `word` from the least significant on, moved together: field i to bit bits * i.
constexpr std::uint64_t compress(std::uint64_t word, int bits) {
  word = (word & 0x00ff00ff00ff00ff) | (word & 0xff00ff00ff00ff00) >> (8 - bits);
  word = (word & 0x0000ffff0000ffff) | (word & 0xffff0000ffff0000) >> (16 - 2 * bits);
  return (word & 0x00000000ffffffff) | (word & 0xffffffff00000000) >> (32 - 4 * bits);
}

/// The reverse of compress: the field at bit bits * i to byte i.
constexpr std::uint64_t expand(std::uint64_t word, int bits) {
  const std::uint64_t four = (std::uint64_t{1} << (4 * bits)) - 1;
  const std::uint64_t two = ((std::uint64_t{1} << (2 * bits)) - 1) * 0x0000000100000001;
  const std::uint64_t one = ((std::uint64_t{1} << bits) - 1) * 0x0001000100010001;
  word = (word & four) | (word >> (4 * bits) & four) << 32;
  word = (word & two) | (word >> (2 * bits) & two) << 16;
  return (word & one) | (word >> bits & one) << 8;
}

/// Both contiguous orders: a word of 8 codes, which is `bits` bytes. `Order` packs and unpacks a word whose least
/// significant byte is the first field or packed byte.
template <class Order>
struct contiguous_bits {
  static constexpr std::size_t group = 8;
  static constexpr bool partial_groups = true;
  static constexpr bool holds(int bits) { return bits >= 1 && bits <= 8; }

  static constexpr void pack_group(const std::uint8_t* fields, int bits, std::uint8_t* bytes) {
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word |= std::uint64_t{fields[i]} << (8 * i);
    word = Order::pack_word(word, bits);
    // Bounded by 8 for g++ too, which otherwise warns of bytes beyond.
    for (int i = 0; i < 8; ++i)
      if (i < bits) bytes[i] = static_cast<std::uint8_t>(word >> (8 * i));
  }

  static constexpr void unpack_group(const std::uint8_t* bytes, int bits, std::uint8_t* fields) {
    std::uint64_t word = 0;
    for (int i = 0; i < bits; ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
    word = Order::unpack_word(word, bits);
    for (int i = 0; i < 8; ++i) fields[i] = static_cast<std::uint8_t>(word >> (8 * i));
  }

  /// packing_block codes, for memory that goes on for 7 bytes: it writes zeros there, which what follows replaces.
  [[gnu::always_inline]] static void pack_words(const std::uint8_t* __restrict fields, int bits,
                                                std::uint8_t* __restrict bytes) {
    for (std::size_t i = 0; i < packing_block; i += group, bytes += bits) {
      std::uint64_t word;
      std::memcpy(&word, fields + i, sizeof word);
      word = Order::pack_word(word, bits);
      std::memcpy(bytes, &word, sizeof word);
    }
  }

  /// packing_block fields, from memory that goes on for 7 bytes, which it reads in vain.
  [[gnu::always_inline]] static void unpack_words(const std::uint8_t* __restrict bytes, int bits,
                                                  std::uint8_t* __restrict fields) {
    for (std::size_t i = 0; i < packing_block; i += group, bytes += bits) {
      std::uint64_t word;
      std::memcpy(&word, bytes, sizeof word);
      word = Order::unpack_word(word, bits);
      std::memcpy(fields + i, &word, sizeof word);
    }
  }
};

/// A contiguous stream in which a byte fills up from its least significant bit.
struct least_significant_first : contiguous_bits<least_significant_first> {
  static constexpr std::uint64_t pack_word(std::uint64_t fields, int bits) { return compress(fields, bits); }
  static constexpr std::uint64_t unpack_word(std::uint64_t bytes, int bits) { return expand(bytes, bits); }

  [[gnu::always_inline]] static void pack_nibbles(const std::uint8_t* __restrict fields,
                                                  std::uint8_t* __restrict bytes) {
    std::uint16_t pairs[packing_block / 2];  // The second code in the high byte.
    std::memcpy(pairs, fields, sizeof pairs);
    // first * 2^8 + second * 2^12 + first * 2^4: the byte above is first + 16 * second.
    for (std::size_t i = 0; i < packing_block / 2; ++i)
      bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(pairs[i] * 0x110u) >> 8);
  }

  [[gnu::always_inline]] static void unpack_nibbles(const std::uint8_t* __restrict bytes, std::uint8_t lowest,
                                                    std::uint8_t* __restrict codes) {
    std::uint16_t pairs[packing_block / 2];
    for (std::size_t i = 0; i < packing_block / 2; ++i)
      pairs[i] = static_cast<std::uint16_t>((bytes[i] | bytes[i] << 4) & 0x0f0f);
    std::uint8_t fields[packing_block];
    std::memcpy(fields, pairs, sizeof pairs);
    for (std::size_t i = 0; i < packing_block; ++i) codes[i] = static_cast<std::uint8_t>(fields[i] + lowest);
  }
};

/// A contiguous stream in which a byte fills up from its most significant bit, as one writes numbers.
struct most_significant_first : contiguous_bits<most_significant_first> {
  // The first field becomes the most significant one of a number, whose most significant byte comes first.
  static constexpr std::uint64_t pack_word(std::uint64_t fields, int bits) {
    return turned(compress(turned(fields), bits) << (64 - 8 * bits));
  }
  static constexpr std::uint64_t unpack_word(std::uint64_t bytes, int bits) {
    return turned(expand(turned(bytes) >> (64 - 8 * bits), bits));
  }

  [[gnu::always_inline]] static void pack_nibbles(const std::uint8_t* __restrict fields,
                                                  std::uint8_t* __restrict bytes) {
    std::uint16_t pairs[packing_block / 2];
    std::memcpy(pairs, fields, sizeof pairs);
    // first * 2^12 + second * 2^8 + first: the byte above is 16 * first + second.
    for (std::size_t i = 0; i < packing_block / 2; ++i)
      bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(pairs[i] * 0x1001u) >> 8);
  }

  [[gnu::always_inline]] static void unpack_nibbles(const std::uint8_t* __restrict bytes, std::uint8_t lowest,
                                                    std::uint8_t* __restrict codes) {
    std::uint16_t pairs[packing_block / 2];
    // The low half of the byte * 2^12, the byte itself below: each half ends up four bits above its place.
    for (std::size_t i = 0; i < packing_block / 2; ++i)
      pairs[i] = static_cast<std::uint16_t>(static_cast<std::uint16_t>(bytes[i] * 0x1001u) >> 4);
    std::uint8_t fields[packing_block];
    std::memcpy(fields, pairs, sizeof pairs);
    for (std::size_t i = 0; i < packing_block; ++i) codes[i] = static_cast<std::uint8_t>(fields[i] + lowest);
  }
};

/// Groups of 32 codes of 4 bits in 16 bytes: the codes j and j + 16 share a byte, the first in its low half, so that a
/// vector of codes is one mask or one shift away.
struct ggml_halves {
  static constexpr std::size_t group = 32;
  static constexpr bool partial_groups = false;
  static constexpr bool holds(int bits) { return bits == 4; }

  static constexpr void pack_group(const std::uint8_t* fields, int, std::uint8_t* bytes) {
    for (std::size_t j = 0; j < 16; ++j) bytes[j] = static_cast<std::uint8_t>(fields[j] | fields[j + 16] << 4);
  }

  static constexpr void unpack_group(const std::uint8_t* bytes, int, std::uint8_t* fields) {
    for (std::size_t j = 0; j < 16; ++j) {
      fields[j] = bytes[j] & 15;
      fields[j + 16] = bytes[j] >> 4;
    }
  }

  [[gnu::always_inline]] static void pack_nibbles(const std::uint8_t* __restrict fields,
                                                  std::uint8_t* __restrict bytes) {
    for (std::size_t half = 0; half < 2; ++half, fields += 32, bytes += 16)
#pragma GCC unroll 1
      for (std::size_t j = 0; j < 16; ++j) bytes[j] = static_cast<std::uint8_t>(fields[j] | fields[j + 16] << 4);
  }

  [[gnu::always_inline]] static void unpack_nibbles(const std::uint8_t* __restrict bytes, std::uint8_t lowest,
                                                    std::uint8_t* __restrict codes) {
    for (std::size_t half = 0; half < 2; ++half, codes += 32, bytes += 16) {
#pragma GCC unroll 1
      for (std::size_t j = 0; j < 16; ++j) {
        codes[j] = static_cast<std::uint8_t>((bytes[j] & 15) + lowest);
        codes[j + 16] = static_cast<std::uint8_t>((bytes[j] >> 4) + lowest);
      }
    }
  }
};

static_assert(packing_order<least_significant_first> && packing_order<most_significant_first>);
static_assert(packing_order<ggml_halves>);
static_assert(std::endian::native == std::endian::little, "packing_order: pairs are read as little-endian words");

}  // namespace bitwright
