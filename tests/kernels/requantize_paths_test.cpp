// SPDX-License-Identifier: MIT
// The vector paths' requantization against exact division, lane by lane.
#include <bitwright/core/cpu.hpp>

#include <gtest/gtest.h>

#if defined(__x86_64__)

#include "exact_rounding.hpp"
#include "random_codes.hpp"
#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/kernels/avx2/requantize.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using std::int32_t;

/// 16 accumulators and their factors: all that a path takes at once.
struct lanes {
  std::array<int32_t, 16> accumulators, multipliers, shifts;
};

template <class Rounding>
[[gnu::target("avx2")]] void requantize_avx2(const lanes& in, int32_t* out) {
  for (std::size_t i = 0; i < 16; i += 8) {
    const __m256i accumulators = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in.accumulators.data() + i));
    const __m256i multipliers = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in.multipliers.data() + i));
    const __m256i shifts = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in.shifts.data() + i));
    const __m256i rounded = kernels::avx2::requantize<Rounding>(accumulators, multipliers, shifts);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), rounded);
  }
}

template <class Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void requantize_avx512(const lanes& in, int32_t* out) {
  const __m512i rounded = kernels::avx512_vnni::requantize<Rounding>(_mm512_loadu_si512(in.accumulators.data()),
                                                                     _mm512_loadu_si512(in.multipliers.data()),
                                                                     _mm512_loadu_si512(in.shifts.data()));
  _mm512_storeu_si512(out, rounded);
}

template <class Output>
[[gnu::target("avx2")]] void store_avx2(const int32_t* rounded, kernels::code_window window, Output* out,
                                        std::size_t count) {
  const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rounded));
  kernels::avx2::store_codes(kernels::avx2::codes_of(values, window), out, count);
}

template <class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void store_avx512(const int32_t* rounded,
                                                                               kernels::code_window window, Output* out,
                                                                               std::size_t count) {
  kernels::avx512_vnni::store_codes(kernels::avx512_vnni::codes_of(_mm512_loadu_si512(rounded), window), out, count);
}

/// To the nearest; ties go down: a policy that no path has code for.
struct half_down {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) {
    return -half_up::shift_right(-value, bits);
  }
};

/// Whether both paths give the exact codes of `in`, and those of the specification.
template <class Rounding>
void expect_exact(const lanes& in) {
  std::array<int32_t, 16> expected{}, result{};
  for (std::size_t i = 0; i < 16; ++i) {
    expected[i] = requantize<Rounding>(in.accumulators[i], {in.multipliers[i], in.shifts[i]});
    if constexpr (kernels::vectorized_rounding<Rounding>) {
      ASSERT_EQ(reference::requantized_by<Rounding>(in.accumulators[i], {in.multipliers[i], in.shifts[i]}),
                expected[i]);
    }
  }
  const auto compare = [&](const char* path) {
    for (std::size_t i = 0; i < 16; ++i)
      ASSERT_EQ(result[i], expected[i]) << path << ": " << in.accumulators[i] << " * " << in.multipliers[i] << " / 2^"
                                        << in.shifts[i];
  };
  if (cpu::has_avx2()) requantize_avx2<Rounding>(in, result.data()), compare("avx2");
  result.fill(0);
  if (cpu::has_avx512_vnni()) requantize_avx512<Rounding>(in, result.data()), compare("avx512_vnni");
}

template <class Rounding>
struct requantize_paths : testing::Test {};
using policies = testing::Types<half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor,
                                gemmlowp_double, half_down>;
TYPED_TEST_SUITE(requantize_paths, policies);

const std::vector<int32_t> multipliers{1 << 30, (1 << 30) + 1, 3 << 29, 1431655765, 1583594044, INT32_MAX};
const std::vector<int32_t> extremes{INT32_MIN, INT32_MIN + 1, -65537,        -7,       -3, -2, -1, 0, 1, 2, 3, 5,
                                    65536,     7984,          INT32_MAX - 1, INT32_MAX};

TYPED_TEST(requantize_paths, are_exact_for_extremes_at_every_shift) {
  for (int32_t shift = 0; shift <= 62; ++shift)
    for (const int32_t multiplier : multipliers) {
      lanes in{};
      std::ranges::copy(extremes, in.accumulators.begin());
      in.multipliers.fill(multiplier);
      in.shifts.fill(shift);
      expect_exact<TypeParam>(in);
    }
}

TYPED_TEST(requantize_paths, are_exact_for_every_tie_and_its_neighbours) {
  // accumulator / 2^n is a tie for every odd multiple of 2^(n-1).
  for (int32_t n = 0; n <= 32; ++n)
    for (std::int64_t odd = -9; odd <= 9; odd += 2) {
      lanes in{};
      in.multipliers.fill(1 << 30);
      in.shifts.fill(30 + n);
      for (std::size_t i = 0; i < 16; ++i)
        in.accumulators[i] = reference::saturated(odd * ((std::int64_t{1} << n) / 2) + static_cast<int>(i) - 8);
      expect_exact<TypeParam>(in);
    }
}

TYPED_TEST(requantize_paths, are_exact_for_ties_of_multipliers_that_are_even_a_few_times) {
  // A multiplier of 2^v times an odd number and an accumulator of 2^(shift - 1 - v) times another make a tie.
  for (int32_t v = 0; v < 30; ++v)
    for (int32_t shift = 32; shift <= std::min(62, 32 + v); ++shift) {
      lanes in{};
      in.multipliers.fill((1 << 30) + (1 << v));
      in.shifts.fill(shift);
      for (std::size_t i = 0; i < 16; ++i)
        in.accumulators[i] =
            reference::saturated((2 * static_cast<std::int64_t>(i) - 15) * (std::int64_t{1} << (shift - 1 - v)));
      expect_exact<TypeParam>(in);
    }
}

TYPED_TEST(requantize_paths, are_exact_at_random_where_each_lane_has_its_own_factor) {
  random_codes random(1);
  for (int round = 0; round < 6000; ++round) {
    lanes in{};
    // Every third is all below 1/2, which is code of its own, every third all above.
    const int least = round % 3 == 0 ? 32 : 0, most = round % 3 == 1 ? 31 : 62;
    for (std::size_t i = 0; i < 16; ++i) {
      const dyadic factor = random.factor(least, most);
      in.multipliers[i] = factor.multiplier | (round % 4 == 0 ? 1 : 0);  // Odd: code without ties.
      in.shifts[i] = factor.shift;
      // Magnitudes of every length, so that small quotients and their ties are met as often as large ones.
      in.accumulators[i] = static_cast<int32_t>(random.between(INT32_MIN, INT32_MAX)) >> random.between(0, 31);
    }
    expect_exact<TypeParam>(in);
  }
}

/// Whether storing `count` codes gives those of the specification and leaves what is beyond them.
template <class Output, std::size_t Width>
void expect_codes(void (*store)(const int32_t*, kernels::code_window, Output*, std::size_t),
                  const std::array<int32_t, 16>& rounded, int32_t zero_point, code_range codes, std::size_t count) {
  std::array<Output, Width + 2> result, expected;
  result.fill(Output{99}), expected.fill(Output{99});
  for (std::size_t i = 0; i < count; ++i)
    expected[i + 1] = static_cast<Output>(codes.clamp(std::int64_t{rounded[i]} + zero_point));
  store(rounded.data(), kernels::code_window::of(zero_point, codes), result.data() + 1, count);
  ASSERT_EQ(result, expected) << count << " from " << rounded[0] << " with zero point " << zero_point;
}

template <class Output>
void expect_codes_of_any_count(random_codes& random) {
  const code_range type = code_range::all_of<Output>();
  for (int round = 0; round < 500; ++round) {
    const auto draw = [&random](int32_t least, int32_t most) {
      return static_cast<int32_t>(random.between(least, most));
    };
    const int32_t zero_point = round % 5 == 0 ? type.max : round % 5 == 1 ? type.min : draw(type.min, type.max);
    const int32_t least = round % 2 == 0 ? type.min : draw(type.min, zero_point), most = draw(least, type.max);
    std::array<int32_t, 16> rounded;
    for (int32_t& value : rounded)
      value = static_cast<int32_t>(random.between(INT32_MIN, INT32_MAX)) >> random.between(0, 31);
    rounded[0] = INT32_MIN, rounded[1] = INT32_MAX;
    const auto count = static_cast<std::size_t>(round % 17);
    if (cpu::has_avx2() && count <= 8)
      expect_codes<Output, 8>(store_avx2<Output>, rounded, zero_point, {least, most}, count);
    if (cpu::has_avx512_vnni())
      expect_codes<Output, 16>(store_avx512<Output>, rounded, zero_point, {least, most}, count);
  }
}

TEST(store_codes, writes_as_many_codes_as_it_is_told_and_no_byte_more) {
  random_codes random(2);
  expect_codes_of_any_count<std::uint8_t>(random);
  expect_codes_of_any_count<std::int8_t>(random);
  expect_codes_of_any_count<std::int16_t>(random);
  expect_codes_of_any_count<std::int32_t>(random);
}

}  // namespace
}  // namespace bitwright

#endif
