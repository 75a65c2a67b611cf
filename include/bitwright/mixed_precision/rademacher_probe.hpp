// SPDX-License-Identifier: MIT
/// \file
/// A Rademacher probe: a direction whose entries are +1 or -1, each a fair and independent coin.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bitwright {

/// Turns a counter into 64 well mixed bits: the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
constexpr std::uint64_t mix_bits(std::uint64_t counter) {
  counter += 0x9e3779b97f4a7c15;
  counter = (counter ^ (counter >> 30)) * 0xbf58476d1ce4e5b9;
  counter = (counter ^ (counter >> 27)) * 0x94d049bb133111eb;
  return counter ^ (counter >> 31);
}

/// Entry i is a hash of (seed, number, i) and of nothing else: no order of evaluation and no thread can change it.
class rademacher_probe {
 public:
  constexpr rademacher_probe(std::uint64_t seed, std::uint64_t number) : key_(mix_bits(mix_bits(seed) ^ number)) {}

  /// +1 or -1. One hash serves 64 neighbouring entries, a bit each.
  constexpr int operator[](std::size_t index) const { return (word(index / 64) >> (index % 64) & 1) != 0 ? 1 : -1; }

  /// Writes entries [first, first + out.size()) of the probe.
  template <class Scalar>
  constexpr void fill(std::span<Scalar> out, std::size_t first = 0) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t index = first + i;
      if (i == 0 || index % 64 == 0) bits = word(index / 64);
      out[i] = (bits >> (index % 64) & 1) != 0 ? Scalar{1} : Scalar{-1};
    }
  }

  /// The product of two probes, summed over the entries [0, size).
  constexpr double product(const rademacher_probe& other, std::size_t size) const {
    std::size_t different = 0;
    for (std::size_t first = 0; first < size; first += 64) {
      const std::uint64_t used = size - first < 64 ? (std::uint64_t{1} << (size - first)) - 1 : ~std::uint64_t{0};
      different += static_cast<std::size_t>(std::popcount((word(first / 64) ^ other.word(first / 64)) & used));
    }
    return static_cast<double>(size) - 2 * static_cast<double>(different);
  }

 private:
  constexpr std::uint64_t word(std::uint64_t index) const { return mix_bits(key_ ^ mix_bits(index)); }

  std::uint64_t key_;
};

}  // namespace bitwright
