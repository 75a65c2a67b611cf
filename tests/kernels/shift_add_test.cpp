// SPDX-License-Identifier: MIT
// Every path of shift_add against 64-bit sums of products and exact rounding, and against gemm on the decoded weights.
#include "guarded_memory.hpp"
#include "kernel_calls.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/kernels/shift_add.hpp>
#include <bitwright/storage/term_list.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::fence;
using reference::fenced_call;
using reference::guarded_memory;
using reference::narrowed;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;

/// A 1x1 convolution of `images` rows of one pixel, whose weights have no zero points.
using problem = reference::naive_convolution;

template <class Activation, class Output>
problem random_problem(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, std::int64_t most,
                       random_codes& random) {
  auto p =
      reference::filled<Activation, Output>({.images = rows, .group_channels = inputs, .outputs = outputs}, random);
  p.weights = random.many(outputs * inputs, -most, most);
  const std::int64_t zeros = random.between(0, 3);  // Of four weights.
  for (std::int64_t& weight : p.weights) weight = random.between(0, 3) < zeros ? 0 : weight;
  p.weight_zero_points.assign(static_cast<std::size_t>(outputs), 0);
  return p;
}

/// What kernels take of a problem.
struct arguments {
  std::size_t rows, inputs, outputs;
  std::vector<s32> bias;
  term_list terms;
  kernels::weighted_sum sums;

  template <class Encoding>
  arguments(const problem& p, Encoding encoding)
      : rows(static_cast<std::size_t>(p.images)),
        inputs(static_cast<std::size_t>(p.group_channels)),
        outputs(static_cast<std::size_t>(p.outputs)),
        bias(narrowed<s32>(p.bias)),
        terms(list_of(p.weights, encoding)),
        sums{.outputs = outputs,
             .inputs = inputs,
             .weights = nullptr,
             .weight_zero_points = nullptr,
             .bias = bias.data(),
             .factors = p.factors.data(),
             .activation_zero_point = static_cast<s32>(p.activation_zero_point),
             .output_zero_point = static_cast<s32>(p.output_zero_point),
             .output_codes = {static_cast<s32>(p.least), static_cast<s32>(p.most)}} {}

  kernels::shift_add_constants constants() const { return {sums, terms.row_ends().data(), terms.bytes().data()}; }

 private:
  template <class Encoding>
  term_list list_of(const std::vector<std::int64_t>& weights, Encoding encoding) const {
    tensor<s16> integers({outputs, inputs});
    std::ranges::copy(narrowed<s16>(weights), integers.values().begin());
    return term_list::of(integers, encoding);
  }
};

template <class Activation, class Output, class Rounding, class Encoding = non_adjacent>
void expect_exact(const problem& p, Encoding encoding = {}) {
  using path = kernels::shift_add_path<Activation, Output>;
  const arguments given(p, encoding);
  reference::expect_rows_give<Activation, Output>(
      p.result<Rounding>(), p, std::span<const path>(kernels::shift_add_paths<Activation, Output, Rounding>),
      given.constants(), given.sums);
}

TEST(shift_add, ends_its_list_of_paths_with_scalar) {
  EXPECT_EQ((kernels::shift_add_paths<u8, u8, half_up>.back().name), "scalar");
}

TEST(shift_add, of_a_row_worked_out_by_hand_is_its_code) {
  // 7 + (5-1) * (8-1) - (0-1) * 4 = 39, halved 19.5, to even 20, moved to 30.
  problem p{.group_channels = 2};
  p.activations = {5, 0};
  p.weights = {7, -4};
  p.weight_zero_points = {0};
  p.bias = {7};
  p.factors = {{1 << 30, 31}};
  p.activation_zero_point = 1;
  p.output_zero_point = 10;
  p.most = 255;
  EXPECT_EQ(p.result<half_to_even>(), std::vector<std::int64_t>{30});
  expect_exact<u8, u8, half_to_even>(p);
}

TEST(shift_add, is_exact_for_all_small_sizes) {
  random_codes random(1);
  for (std::int64_t rows = 0; rows <= 14; ++rows)
    for (std::int64_t inputs = 0; inputs <= 5; ++inputs)
      for (std::int64_t outputs = 0; outputs <= 9; ++outputs) {
        expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(rows, inputs, outputs, 128, random));
        expect_exact<s8, s8, half_up>(random_problem<s8, s8>(rows, inputs, outputs, 21845, random));
      }
}

/// Up to twice the greatest tile and one more in one dimension: 32 rows, 8 columns.
TEST(shift_add, is_exact_for_every_number_of_rows_of_columns_and_of_inputs) {
  random_codes random(2);
  for (std::int64_t rows = 0; rows <= 65; ++rows)
    expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(rows, 11, 9, 128, random));
  for (const std::int64_t rows : {1, 3, 14})
    for (std::int64_t outputs = 0; outputs <= 33; ++outputs)
      expect_exact<s8, s8, half_up>(random_problem<s8, s8>(rows, 19, outputs, 128, random));
  for (const std::int64_t rows : {2, 14})
    for (std::int64_t inputs = 0; inputs <= 40; ++inputs)
      expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(rows, inputs, 10, 128, random));
}

template <class Activation, class Output, class... Roundings>
void expect_exact_for(random_codes& random) {
  for (const std::int64_t most : {1, 127, 128, 257, 21845}) {
    const auto p = random_problem<Activation, Output>(random.between(1, 40), random.between(1, 200),
                                                      random.between(1, 20), most, random);
    (expect_exact<Activation, Output, Roundings>(p), ...);
  }
}

TEST(shift_add, is_exact_for_every_type_and_every_rounding) {
  random_codes random(3);
  expect_exact_for<s8, s8, half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor, gemmlowp_double>(
      random);
  expect_exact_for<u8, u8, half_to_even>(random);
  expect_exact_for<u8, s16, half_to_even>(random), expect_exact_for<s8, s16, half_to_even>(random);
  expect_exact_for<u8, s32, half_to_even>(random), expect_exact_for<s8, s32, half_to_even>(random);
  expect_exact_for<s8, u8, half_to_even>(random), expect_exact_for<u8, s8, half_to_even>(random);
}

TEST(shift_add, does_not_depend_on_how_weights_are_written_in_terms) {
  random_codes random(4);
  for (const std::int64_t rows : {1, 20}) {
    const auto p = random_problem<u8, s16>(rows, 90, 13, 16383, random);
    expect_exact<u8, s16, half_to_even>(p, binary_digits{});
    expect_exact<u8, s16, half_to_even>(p, hese{});
  }
}

/// A problem whose outputs are the accumulators themselves.
problem accumulators(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, random_codes& random) {
  auto p = random_problem<u8, s32>(rows, inputs, outputs, 1, random);
  p.factors.assign(p.factors.size(), {1 << 30, 30});
  p.output_zero_point = 0;
  p.least = INT32_MIN, p.most = INT32_MAX;
  return p;
}

TEST(shift_add, of_extreme_codes_weights_and_zero_points_overflows_nowhere) {
  // Up to 512 terms of one exponent and sign: their sum needs more than 16 bits. 512 * 255 * 2^14 is just below 2^31.
  random_codes random(5);
  for (const std::int64_t rows : {2, 14})
    for (const std::int64_t inputs : {128, 129, 512})
      for (const std::int64_t activation : {0, 255})
        for (const std::int64_t zero_point : {0, 255})
          for (const std::int64_t weight : {-16384, -128, -1, 1, 127, 128, 256, 16384}) {
            auto p = accumulators(rows, inputs, 9, random);
            p.activations.assign(p.activations.size(), activation);
            p.weights.assign(p.weights.size(), weight);
            p.bias.assign(p.bias.size(), weight);
            p.activation_zero_point = zero_point;
            expect_exact<u8, s32, half_to_even>(p);
            for (std::int64_t& code : p.activations) code -= 128;
            p.activation_zero_point -= 128;
            expect_exact<s8, s32, half_to_even>(p);
          }
}

TEST(shift_add, adds_more_terms_of_one_exponent_than_16_bits_hold) {
  random_codes random(6);
  for (const std::int64_t rows : {1, 14})
    for (const std::int64_t split : {0, 1, 127, 128, 129, 255, 256, 257, 601}) {
      auto p = accumulators(rows, 601, 9, random);
      for (std::size_t k = 0; k < p.weights.size(); ++k) {
        p.weights[k] = static_cast<std::int64_t>(k % 601) < split ? 64 : -64;
        for (std::size_t m = 0; m < static_cast<std::size_t>(rows); ++m)
          p.activations[m * 601 + k % 601] = p.weights[k] > 0 ? 255 : 0;
      }
      expect_exact<u8, s32, half_to_even>(p);
    }
}

TEST(shift_add, reaches_32_bits_though_sums_of_its_terms_pass_them) {
  // 127 = 128 - 1: 66311 * 127 * 255 + 1912 = 2^31 - 1, while 66311 * 128 * 255 is more. A few terms among so many inputs
  // take two runs, as the distance of the first and the last needs more than 16 bits.
  random_codes random(7);
  for (const std::int64_t rows : {1, 14}) {
    auto p = accumulators(rows, 66311, 2, random);
    p.activations.assign(p.activations.size(), 255);
    p.activation_zero_point = 0;
    p.weights.assign(p.weights.size(), 127);
    p.weights.resize(66311), p.weights.resize(2 * 66311, 0);
    p.weights.front() = 127, p.weights.back() = -3;
    p.bias = {1912, 5};
    ASSERT_EQ(p.result<half_to_even>().front(), 2147483647);
    expect_exact<u8, s32, half_to_even>(p);
    for (std::size_t k = 0; k < 66311; ++k) p.weights[66311 + k] = k % 13262 == 0 ? 4 : 0;  // The last one, too.
    p.weights[66312] = -1;
    p.activations = random.many(rows * 66311, 0, 255);
    p.bias[0] = 0;
    expect_exact<u8, s32, half_to_even>(p);
  }
}

TEST(shift_add, of_outputs_without_terms_is_their_bias) {
  random_codes random(8);
  for (const std::int64_t rows : {1, 40}) {
    auto p = accumulators(rows, 30, 11, random);
    p.weights.assign(p.weights.size(), 0);
    EXPECT_EQ(p.result<half_to_even>().back(), p.bias.back());
    expect_exact<u8, s32, half_to_even>(p);
  }
}

TEST(shift_add, rounds_ties_as_the_policy_says) {
  // Accumulators -9 ... 9 from biases, times 1/2, 1/4 and 1/8: every fraction and both signs.
  for (const std::int64_t rows : {1, 14})
    for (int shift = 31; shift <= 33; ++shift) {
      problem p{.images = rows, .outputs = 19};
      p.activations.assign(static_cast<std::size_t>(rows), 3);
      p.weights.assign(19, 0);
      p.weight_zero_points.assign(19, 0);
      for (std::int64_t n = 0; n < 19; ++n) p.bias.push_back(n - 9);
      p.factors.assign(19, {1 << 30, shift});
      p.least = -128, p.most = 127;
      expect_exact<s8, s8, half_up>(p);
      expect_exact<s8, s8, half_to_even>(p);
      expect_exact<s8, s8, half_away_from_zero>(p);
      expect_exact<s8, s8, toward_zero>(p);
      expect_exact<s8, s8, bitwright::floor>(p);
      expect_exact<s8, s8, gemmlowp_double>(p);
    }
}

TEST(shift_add, gives_the_bits_of_gemm_on_the_decoded_weights) {
  random_codes random(9);
  for (int i = 0; i < 20; ++i) {
    const auto p =
        random_problem<u8, u8>(random.between(1, 40), random.between(1, 100), random.between(1, 20), 127, random);
    const arguments given(p, non_adjacent{});
    const tensor<s8> weights = given.terms.decoded();
    const std::vector<s32> zero_points(given.outputs, 0);
    kernels::weighted_sum sums = given.sums;
    sums.weights = weights.values().data(), sums.weight_zero_points = zero_points.data();
    const auto activations = narrowed<u8>(p.activations);
    const auto codes_of = [&](const auto& path, const auto& constants) {
      std::vector<std::byte, aligned_allocator<std::byte>> packed(path.packed_bytes(constants));
      std::vector<std::byte> workspace(path.workspace_bytes(constants));
      path.pack(constants, packed.data());
      std::vector<u8> codes(given.rows * given.outputs);
      path.run({sums, packed.data(), activations.data(), given.inputs, codes.data(), given.outputs, workspace.data()},
               0, given.rows);
      return codes;
    };
    const auto expected = codes_of(kernels::gemm_paths<u8, u8, half_to_even>.back(), sums);
    for (const auto& path : kernels::shift_add_paths<u8, u8, half_to_even>)
      if (path.available()) {
        ASSERT_EQ(codes_of(path, given.constants()), expected) << path.name;
      }
  }
}

template <class Activation, class Output>
void expect_to_stay_inside(const problem& p) {
  const arguments given(p, non_adjacent{});
  const auto [rows, inputs, outputs] = std::tuple(given.rows, given.inputs, given.outputs);
  const std::vector<Output> expected = narrowed<Output>(p.result<half_to_even>());
  for (const auto& path : kernels::shift_add_paths<Activation, Output, half_to_even>)
    for (const fence side : {fence::after, fence::before}) {
      if (!path.available()) continue;
      fenced_call::is(std::string(path.name) + ", shift_add of " + std::to_string(rows) + " x " +
                      std::to_string(inputs) + " x " + std::to_string(outputs));
      const guarded_memory<s32> bias(given.bias, side);
      const guarded_memory<dyadic> factors(p.factors, side);
      const guarded_memory<std::uint32_t> ends({given.terms.row_ends().begin(), given.terms.row_ends().end()}, side);
      const guarded_memory<term_byte> bytes({given.terms.bytes().begin(), given.terms.bytes().end()}, side);
      kernels::shift_add_constants constants{given.sums, ends.data(), bytes.data()};
      constants.sums.bias = bias.data(), constants.sums.factors = factors.data();
      const guarded_memory<Activation> activations(narrowed<Activation>(p.activations), side);
      const guarded_memory<Output> result(rows * outputs, side);
      const guarded_memory<std::byte> packed(path.packed_bytes(constants), side, 64);
      const guarded_memory<std::byte> workspace(path.workspace_bytes(constants), side);
      path.pack(constants, packed.data());
      path.run({constants.sums, packed.data(), activations.data(), inputs, result.data(), outputs, workspace.data()}, 0,
               rows);
      EXPECT_TRUE(packed.is_intact_around()) << path.name;
      ASSERT_TRUE(std::ranges::equal(result.elements(), expected)) << path.name;
    }
}

TEST(shift_add, stays_inside_its_buffers) {
  random_codes random(10);
  for (int i = 0; i < 40; ++i) {
    const std::int64_t rows = i % 2 == 0 ? random.between(1, 8) : random.between(9, 40);
    const std::int64_t inputs = random.between(1, 40), outputs = random.between(1, 20);
    const std::int64_t most = i % 5 == 0 ? 16384 : 128;
    expect_to_stay_inside<u8, u8>(random_problem<u8, u8>(rows, inputs, outputs, most, random));
    expect_to_stay_inside<s8, s32>(random_problem<s8, s32>(rows, inputs, outputs, most, random));
  }
}

}  // namespace
}  // namespace bitwright
