// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/layers/summed_weights.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using floats = std::vector<float>;

floats gaussian_values(std::size_t count) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  floats values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

/// A channel of a quantizer for the whole tensor.
template <class Q>
sliced<Q, per_tensor> one_channel(const Q& q, std::size_t size) {
  return {{1, size}, {}, {q}};
}

/// The weights of channel n, summed in double.
std::vector<double> sums_of(const summed_weights& weights, std::size_t n = 0) {
  const std::size_t length = weights.summands[0].levels.shape().elements() / weights.summands[0].levels.size(0);
  std::vector<double> sums(length);
  for (const weight_summand& summand : weights.summands)
    for (std::size_t k = 0; k < length; ++k)
      sums[k] += double{summand.scales[n]} * summand.levels.values()[n * length + k];
  return sums;
}

std::set<int> levels_of(const weight_summand& summand) {
  return {summand.levels.values().begin(), summand.levels.values().end()};
}

const std::vector<floats> breakpoint_sets = {{1.25f}, {0.5f, 2}, {0.7f, 1.3f, 2.1f}};

TEST(summed_weights, of_disjoint_pieces_are_the_exact_values_in_one_summand_a_piece) {
  const floats values = gaussian_values(2000);
  for (const floats& breakpoints : breakpoint_sets)
    for (int bits = 2; bits <= (breakpoints.size() == 1 ? 7 : 6); ++bits)
      for (float limit = 3.3f; limit > 2.5f; limit -= 0.0717f) {
        const piecewise_linear<> q(breakpoints, limit, bits);
        const summed_weights weights = sum_weights(one_channel(q, values.size()), std::span(values));
        ASSERT_EQ(weights.summands.size(), breakpoints.size() + 1);
        const std::vector<double> sums = sums_of(weights);
        for (std::size_t k = 0; k < values.size(); ++k)
          ASSERT_EQ(sums[k], double{q.dequantize(q.quantize(values[k]))}) << values[k];
      }
}

TEST(summed_weights, of_pieces_have_few_levels) {
  const floats values = gaussian_values(5000);
  const piecewise_linear<> q(floats{1.25f}, 3.3f, 4);
  const summed_weights weights = sum_weights(one_channel(q, values.size()), std::span(values));
  std::set<int> odd, steps;
  for (int level = -15; level <= 15; level += 2) odd.insert(level);
  for (int level = -7; level <= 7; ++level) steps.insert(level);
  EXPECT_EQ(levels_of(weights.summands[0]), odd);  // 16 of them: outside of the middle there is no 0.
  EXPECT_EQ(levels_of(weights.summands[1]), steps);
}

TEST(summed_weights, of_overlapping_pieces_are_odd_multiples_of_one_number_a_piece) {
  const floats values = gaussian_values(2000);
  const piecewise_linear<overlapping_pieces> q(floats{0.5f, 2}, 3.3f, 3);
  const summed_weights weights = sum_weights(one_channel(q, values.size()), std::span(values));
  ASSERT_EQ(weights.summands.size(), 3u);
  EXPECT_EQ(levels_of(weights.summands[2]), (std::set<int>{-7, -5, 0, 5, 7}));
  const std::vector<double> sums = sums_of(weights);
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_EQ(sums[k], double{q.dequantize(q.quantize(values[k]))});
}

/// Pieces that begin anywhere: an offset is a number of its own.
struct shifted_pieces {
  static constexpr piece_grid grid(double begin, double end, int bits) {
    return {begin + (end - begin) / 5, (end - begin) / (2 << bits)};
  }
  static constexpr double width(double begin, double end) { return end - begin; }
};

TEST(summed_weights, of_other_pieces_have_a_summand_of_signs_for_each_offset) {
  const floats values = gaussian_values(500);
  const piecewise_linear<shifted_pieces> q(floats{1}, 3, 3);
  const summed_weights weights = sum_weights(one_channel(q, values.size()), std::span(values));
  ASSERT_EQ(weights.summands.size(), 4u);
  EXPECT_EQ(levels_of(weights.summands[2]), (std::set<int>{-1, 0, 1}));
  const std::vector<double> sums = sums_of(weights);
  // The float of a level is rounded: by half of the last of 24 bits of at most 3.
  for (std::size_t k = 0; k < values.size(); ++k)
    EXPECT_NEAR(sums[k], double{q.dequantize(q.quantize(values[k]))}, 0x1p-23);
}

TEST(summed_weights, of_corrected_pieces_have_the_shift_as_one_more_summand) {
  floats values = gaussian_values(3000);
  for (float& value : values) value += 0.1f;
  const auto q = piecewise_linear<>(floats{0.7f, 1.5f}, 3, 4).bias_corrected(values);
  const summed_weights weights = sum_weights(one_channel(q, values.size()), std::span(values));
  ASSERT_EQ(weights.summands.size(), 4u);
  EXPECT_EQ(levels_of(weights.summands[3]), std::set<int>{1});
  EXPECT_EQ(weights.summands[3].scales[0], q.shift());
  const std::vector<double> sums = sums_of(weights);
  for (std::size_t k = 0; k < values.size(); ++k)
    EXPECT_NEAR(sums[k], double{q.dequantize(q.quantize(values[k]))}, 0x1p-23);  // As above.
}

TEST(summed_weights, of_learned_bases_are_signs) {
  const floats values = gaussian_values(300);
  const auto q = fit_slices(tensor_view<const float>(values, {3, 100}), per_channel{},
                            [](auto channel) { return learned_bases::fit(channel, 3); });
  const summed_weights weights = sum_weights(q, std::span(values));
  ASSERT_EQ(weights.summands.size(), 3u);
  floats restored(300);
  std::vector<std::uint8_t> codes(300);
  q.quantize(values, codes);
  q.dequantize(codes, restored);
  for (std::size_t n = 0; n < 3; ++n) {
    const std::vector<double> sums = sums_of(weights, n);
    for (std::size_t k = 0; k < 100; ++k) EXPECT_EQ(static_cast<float>(sums[k]), restored[n * 100 + k]);
  }
}

TEST(summed_weights, of_channels_take_a_summand_where_any_has_it) {
  const floats values{0, 0.3f, 5, 1, 0, 0};
  const sliced<piecewise_linear<>, per_channel> q(
      {3, 2}, {},
      {piecewise_linear<>(floats{1}, 2, 3), piecewise_linear<>(floats{1, 2}, 4, 3),
       piecewise_linear<>(floats{0}, 0, 3)});  // A dead channel.
  const summed_weights weights = sum_weights(q, std::span(values));
  ASSERT_EQ(weights.summands.size(), 3u);
  EXPECT_EQ(weights.summands[2].scales[0], 0);
  EXPECT_EQ(weights.summands[0].scales[2], 0);
  EXPECT_EQ(sums_of(weights, 1)[0], double{q.quantizers()[1].dequantize(q.quantizers()[1].quantize(5))});
  EXPECT_EQ(sums_of(weights, 2), (std::vector<double>{0, 0}));
}

TEST(summed_weights, refuse_other_shapes_and_axes) {
  const floats values(6);
  const std::vector<std::uint8_t> codes(5);
  const piecewise_linear<> q(floats{1}, 2, 3);
  EXPECT_EQ(refusal([&] { sum_weights(one_channel(q, 6), std::span<const std::uint8_t>(codes)); }),
            "sum_weights: codes.size() is 5, expected the product of the shape [1, 6]");
  EXPECT_EQ(refusal([&] {
              sum_weights(sliced<piecewise_linear<>, per_channel>({6, 1}, {1}, {q}), std::span(values));
            }),
            "sum_weights: fitted.division().axis is 1, expected 0, the output channels");
}

}  // namespace
}  // namespace bitwright
