// SPDX-License-Identifier: MIT
#include <bitwright/arithmetic/requantize.hpp>

#include <gemmlowp/fixedpoint/fixedpoint.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace bitwright {
namespace {

/// gemmlowp's own arithmetic, in the order in which TensorFlow Lite calls it for multiplier / 2^shift.
std::int32_t by_gemmlowp(std::int32_t accumulator, std::int32_t multiplier, int shift) {
  // A factor of 1 or more is taken out before the product. That may overflow there; here, only where it cannot.
  const auto scaled = static_cast<std::int32_t>(std::int64_t{accumulator} << (shift < 31 ? 31 - shift : 0));
  const std::int32_t high = gemmlowp::SaturatingRoundingDoublingHighMul(scaled, multiplier);
  return gemmlowp::RoundingDivideByPOT(high, shift < 31 ? 0 : shift - 31);
}

TEST(gemmlowp_double, equals_gemmlowp_at_every_shift) {
  std::mt19937_64 generator(1);
  for (int shift = 0; shift <= 62; ++shift) {
    const int spare = shift < 31 ? 31 - shift : 0;  // Bits that the left shift needs.
    for (const std::int32_t multiplier : {1 << 30, 1583594044, INT32_MAX})
      for (const std::int32_t extreme : {INT32_MIN, -7, -2, -1, 0, 1, 2, 7984, INT32_MAX}) {
        const std::int32_t accumulator = extreme >> spare;
        ASSERT_EQ(requantize<gemmlowp_double>(accumulator, {multiplier, shift}),
                  by_gemmlowp(accumulator, multiplier, shift))
            << accumulator << " * " << multiplier << " / 2^" << shift;
      }
    for (int i = 0; i < 50000; ++i) {
      const std::uint64_t bits = generator();
      const int length = spare + static_cast<int>((bits >> 32) % static_cast<unsigned>(32 - spare));
      const auto accumulator = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)) >> length;
      const auto multiplier = static_cast<std::int32_t>((1u << 30) + generator() % (1u << 30));
      ASSERT_EQ(requantize<gemmlowp_double>(accumulator, {multiplier, shift}),
                by_gemmlowp(accumulator, multiplier, shift))
          << accumulator << " * " << multiplier << " / 2^" << shift;
    }
  }
}

}  // namespace
}  // namespace bitwright
