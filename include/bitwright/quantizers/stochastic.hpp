// SPDX-License-Identifier: MIT
/// \file
/// Stochastic rounding: up or down at random, so that the rounded value is right on average.
///
///     round(x) = floor(x) + 1  with probability  x - floor(x),  floor(x)  otherwise
///
/// Unbiased: the mean is x, the variance f (1 - f) for the fraction f; a whole number never moves. Source: Gupta et al.,
/// "Deep Learning with Limited Numerical Precision" (ICML 2015), section 3.1.
///
/// Use it where many roundings are added up and a bias would add up too: gradients, weight updates, running sums. Do not
/// use it for the weights of a finished network: its squared error is twice that of the nearest value (1/6 of a step
/// squared against 1/12).
///
/// The random number of an element is a function of the seed and the element's index alone: no order of calls, number of
/// threads or instruction set changes a bit. The fraction is compared with 24 random bits, so that the mean is off by at
/// most 2^-24 of a step. Indices count modulo 2^32.
#pragma once

#include <bitwright/core/rounding.hpp>

#include <cstdint>

namespace bitwright {

/// A rounding policy for uniform and fixed_point. To round a part of a tensor as the whole would be rounded, say where it
/// begins: `stochastic{seed, first}`. Slices of one tensor need different seeds or places, lest they share their numbers.
struct stochastic {
  std::uint64_t seed = 0;
  std::uint32_t first = 0;  ///< The index of the span's first element.

  /// The value of the span's element `index`, rounded.
  [[gnu::always_inline]] float round(float value, std::uint32_t index) const {
    const float below = floor::round(value);
    const auto random = static_cast<float>(static_cast<std::int32_t>(bits(first + index) >> 8));  // In [0, 2^24).
    return below + static_cast<float>(random < (value - below) * 0x1p24f);
  }

  friend constexpr bool operator==(stochastic, stochastic) = default;

 private:
  /// 32 random bits for each index: two rounds of an integer hash, keyed with the two halves of a hash of the seed.
  constexpr std::uint32_t bits(std::uint32_t index) const {
    const std::uint64_t key = hash(seed);
    return hash(hash(index ^ static_cast<std::uint32_t>(key)) + static_cast<std::uint32_t>(key >> 32));
  }

  /// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  static constexpr std::uint64_t hash(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  /// A permutation of 32 bits in which each bit flips every other with a probability close to 1/2.
  /// Source: Wellons, "Prospecting for Hash Functions" (2018).
  static constexpr std::uint32_t hash(std::uint32_t x) {
    x = (x ^ (x >> 16)) * 0x21f0aaad;
    x = (x ^ (x >> 15)) * 0xd35a2d97;
    return x ^ (x >> 15);
  }
};

static_assert(indexed_rounding<stochastic> && !float_rounding<stochastic>);

}  // namespace bitwright
