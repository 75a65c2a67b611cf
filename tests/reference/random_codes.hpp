// SPDX-License-Identifier: MIT
/// \file
/// Random whole numbers for tests, the same on every machine.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace bitwright::reference {

class random_codes {
 public:
  explicit random_codes(std::uint32_t seed) : generator_(seed) {}

  /// One of [least, most], both at most 32 bits.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(generator_() % static_cast<std::uint64_t>(most - least + 1));
  }

  std::vector<std::int64_t> many(std::int64_t count, std::int64_t least, std::int64_t most) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(between(least, most));
    return values;
  }

  /// Every fourth a power of two, where ties are; the others anywhere in 2^-shift * [1/2, 1).
  dyadic factor(int least_shift, int most_shift) {
    const auto multiplier = between(0, 3) == 0 ? 1 << 30 : between(1 << 30, (std::int64_t{1} << 31) - 1);
    return {static_cast<std::int32_t>(multiplier), static_cast<int>(between(least_shift, most_shift))};
  }

 private:
  std::mt19937_64 generator_;
};

/// Codes in the type a kernel reads.
template <class Code>
std::vector<Code> narrowed(const std::vector<std::int64_t>& values) {
  std::vector<Code> codes;
  for (const std::int64_t value : values) codes.push_back(static_cast<Code>(value));
  return codes;
}

/// Codes in the oracle's type.
template <class Code>
std::vector<std::int64_t> widened(const std::vector<Code>& codes) {
  return {codes.begin(), codes.end()};
}

}  // namespace bitwright::reference
