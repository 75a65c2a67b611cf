// SPDX-License-Identifier: MIT
// Every path of joint requantization against 64-bit sums and exact division.
#include "exact_rounding.hpp"
#include "guarded_memory.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/joint_requantize.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::fence;
using reference::guarded_memory;
using reference::random_codes;

/// Rows of outputs with a few accumulators each.
struct joint_problem {
  std::int64_t rows, outputs, summands;
  std::vector<std::int64_t> accumulators, multipliers, addends, shifts;
  std::int64_t zero_point, least, most;

  joint_problem(std::int64_t row_count, std::int64_t output_count, std::int64_t summand_count, code_range codes,
                random_codes& random)
      : rows(row_count), outputs(output_count), summands(summand_count) {
    // All sums stay below 2^62: four products of 2^29 and 2^30, or any number of smaller ones, and an addend.
    accumulators = random.many(summands * rows * outputs, -(1 << 29), 1 << 29);
    for (std::size_t i = 0; i < accumulators.size(); i += 5) accumulators[i] %= 100;
    multipliers = random.many(summands * outputs, 0, 1 << 30);
    addends = random.many(outputs, -(std::int64_t{1} << 31), (std::int64_t{1} << 31) - 1);
    shifts = random.many(outputs, 20, 62);
    for (std::int64_t n = 0; n < outputs; n += 3) make_ties(n, random);
    zero_point = random.between(codes.min, codes.max);
    least = random.between(codes.min, zero_point), most = random.between(zero_point, codes.max);
  }

  std::int64_t sum(std::int64_t m, std::int64_t n) const {
    std::int64_t total = addends[at(n)];
    for (std::int64_t r = 0; r < summands; ++r)
      total += accumulators[at((r * rows + m) * outputs + n)] * multipliers[at(r * outputs + n)];
    return total;
  }

  template <class Rounding>
  std::int64_t code(std::int64_t m, std::int64_t n) const {
    const std::int64_t rounded = rounded_by<Rounding>(sum(m, n), static_cast<int>(shifts[at(n)]));
    return std::clamp(std::int64_t{reference::saturated(rounded)} + zero_point, least, most);
  }

 private:
  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

  // Multipliers of one power of two and a small shift: sums that lie halfway between whole numbers, or on one.
  void make_ties(std::int64_t n, random_codes& random) {
    const std::int64_t bits = random.between(0, 4);
    shifts[at(n)] = bits;
    addends[at(n)] = random.between(-1, 1) * ((std::int64_t{1} << bits) / 2);
    for (std::int64_t r = 0; r < summands; ++r) multipliers[at(r * outputs + n)] = (std::int64_t{1} << bits) / 2;
  }

  template <class Rounding>
  static std::int64_t rounded_by(std::int64_t value, int bits) {
    if (!std::same_as<Rounding, gemmlowp_double>)
      return reference::divide(value, bits, reference::direction_of<Rounding>);
    if (bits <= 31) return reference::divide(value, bits, reference::direction::up_at_ties);
    return reference::divide(reference::divide(value, 31, reference::direction::up_at_ties), bits - 31,
                             reference::direction::away_at_ties);
  }
};

/// Every buffer of a call, at a page that nobody may touch.
template <class Output>
struct guarded_call {
  guarded_memory<std::int32_t> accumulators, multipliers, shifts;
  guarded_memory<std::int64_t> addends;
  guarded_memory<Output> outputs;
  kernels::joint_requantize_arguments<Output> arguments;

  guarded_call(const joint_problem& problem, fence side)
      : accumulators(reference::narrowed<std::int32_t>(problem.accumulators), side),
        multipliers(reference::narrowed<std::int32_t>(problem.multipliers), side),
        shifts(reference::narrowed<std::int32_t>(problem.shifts), side),
        addends(problem.addends, side),
        outputs(static_cast<std::size_t>(problem.rows * problem.outputs), side),
        arguments{.factors = {.outputs = static_cast<std::size_t>(problem.outputs),
                              .summands = static_cast<std::size_t>(problem.summands),
                              .multipliers = multipliers.data(),
                              .addends = addends.data(),
                              .shifts = shifts.data(),
                              .output_zero_point = static_cast<std::int32_t>(problem.zero_point),
                              .output_codes = {static_cast<std::int32_t>(problem.least),
                                               static_cast<std::int32_t>(problem.most)}},
                  .accumulators = accumulators.data(),
                  .summand_stride = static_cast<std::size_t>(problem.rows * problem.outputs),
                  .outputs = outputs.data()} {}
};

template <class Output, class Rounding>
void expect_exact(const joint_problem& problem) {
  std::vector<Output> expected;
  for (std::int64_t m = 0; m < problem.rows; ++m)
    for (std::int64_t n = 0; n < problem.outputs; ++n)
      expected.push_back(static_cast<Output>(problem.code<Rounding>(m, n)));
  for (const auto& path : kernels::joint_requantize_paths<Output, Rounding>) {
    if (!path.available()) continue;
    for (const fence side : {fence::before, fence::after}) {
      const guarded_call<Output> call(problem, side);
      reference::fenced_call::is("joint_requantize, " + std::string(path.name));
      const auto rows = static_cast<std::size_t>(problem.rows);
      path.run(call.arguments, rows / 2, rows);
      path.run(call.arguments, 0, rows / 2);
      const auto made = call.outputs.elements();
      ASSERT_EQ(std::vector<Output>(made.begin(), made.end()), expected) << path.name << ", " << problem.outputs;
      EXPECT_TRUE(call.outputs.is_intact_around()) << path.name;
    }
  }
}

template <class Output, class Rounding>
void expect_exact_for_all_sizes() {
  random_codes random(1);
  constexpr code_range codes = code_range::all_of<Output>();
  for (std::int64_t outputs = 0; outputs <= 33; ++outputs)
    expect_exact<Output, Rounding>({3, outputs, 1 + outputs % 4, codes, random});
  expect_exact<Output, Rounding>({0, 16, 2, codes, random});
  expect_exact<Output, Rounding>({2, 32, 0, codes, random});
}

TEST(joint_requantize, is_exact_for_every_rounding) {
  expect_exact_for_all_sizes<std::uint8_t, half_up>();
  expect_exact_for_all_sizes<std::uint8_t, half_to_even>();
  expect_exact_for_all_sizes<std::uint8_t, half_away_from_zero>();
  expect_exact_for_all_sizes<std::uint8_t, toward_zero>();
  expect_exact_for_all_sizes<std::uint8_t, bitwright::floor>();
  expect_exact_for_all_sizes<std::uint8_t, gemmlowp_double>();
}

TEST(joint_requantize, is_exact_for_every_output_type) {
  expect_exact_for_all_sizes<std::int8_t, half_to_even>();
  expect_exact_for_all_sizes<std::int16_t, half_to_even>();
  expect_exact_for_all_sizes<std::int32_t, half_to_even>();
}

TEST(joint_requantize, rounds_the_sum_once) {
  // 2.5 + 0.5 is 3, less the zero point 2; rounded one by one to even it would be 2 + 0.
  // 2^62 / 2^30 is more than 32 bits hold: it saturates before the zero point is added.
  const std::array<std::int32_t, 4> accumulators{10, INT32_MAX, 2, INT32_MAX};
  const std::array<std::int32_t, 4> multipliers{1 << 30, 1 << 30, 1 << 30, 1 << 30};
  const std::array<std::int64_t, 2> addends{0, std::int64_t{1} << 31};
  const std::array<std::int32_t, 2> shifts{32, 30};
  for (const auto& path : kernels::joint_requantize_paths<std::int32_t, half_to_even>) {
    if (!path.available()) continue;
    std::array<std::int32_t, 2> outputs{};
    path.run({.factors = {.outputs = 2,
                          .summands = 2,
                          .multipliers = multipliers.data(),
                          .addends = addends.data(),
                          .shifts = shifts.data(),
                          .output_zero_point = -1,
                          .output_codes = code_range::all_of<std::int32_t>()},
              .accumulators = accumulators.data(),
              .summand_stride = 2,
              .outputs = outputs.data()},
             0, 1);
    EXPECT_EQ(outputs, (std::array<std::int32_t, 2>{2, INT32_MAX - 1})) << path.name;
  }
}

}  // namespace
}  // namespace bitwright
