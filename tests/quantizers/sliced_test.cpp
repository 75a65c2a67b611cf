// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/distortion.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

/// A user's own scheme, which needs its slice whole: a value's code is its place in the order of its slice.
struct ranks {
  using code_type = std::uint16_t;
  std::size_t slice_size = 0;
  int bits() const { return static_cast<int>(slice_size); }
  void quantize(std::span<const float> values, std::span<std::uint16_t> codes) const {
    for (std::size_t i = 0; i < values.size(); ++i)
      codes[i] = static_cast<std::uint16_t>(std::ranges::count_if(values, [&](float v) { return v < values[i]; }));
  }
  void dequantize(std::span<const std::uint16_t> codes, std::span<float> values) const {
    for (std::size_t i = 0; i < codes.size(); ++i) values[i] = static_cast<float>(codes[i]) - 0.5f;
  }
};
static_assert(quantizer<ranks> && quantizer<sliced<ranks, per_group>>);

tensor<float> random_tensor(const shape& extent) {
  tensor<float> values(extent);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (float& value : values.values()) value = normal(generator);
  return values;
}

template <granularity Granularity>
auto fit_ranks(const tensor<float>& values, Granularity division) {
  return fit_slices(values.view(), division, [](std::span<const float> slice) { return ranks{slice.size()}; });
}

template <granularity Granularity>
void expect_as_by_hand(Granularity division, const std::vector<std::size_t>& slice_of) {
  const tensor<float> values = random_tensor({3, 2, 4});
  const auto q = fit_ranks(values, division);
  std::vector<std::uint16_t> codes(24);
  std::vector<float> restored(24);
  q.quantize(values.values(), codes);
  q.dequantize(codes, restored);
  for (std::size_t i = 0; i < 24; ++i) {
    std::uint16_t smaller = 0;
    for (std::size_t j = 0; j < 24; ++j)
      smaller = static_cast<std::uint16_t>(
          smaller + (slice_of[j] == slice_of[i] && values.values()[j] < values.values()[i] ? 1 : 0));
    EXPECT_EQ(codes[i], smaller) << "element " << i;
    EXPECT_EQ(restored[i], static_cast<float>(smaller) - 0.5f) << "element " << i;
    EXPECT_EQ(q.quantizers()[slice_of[i]].slice_size,
              static_cast<std::size_t>(std::ranges::count(slice_of, slice_of[i])));
  }
}

TEST(sliced, quantizes_each_slice_as_slicing_by_hand_does) {
  expect_as_by_hand(per_tensor{}, std::vector<std::size_t>(24, 0));
  expect_as_by_hand(per_channel{0}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2});
  expect_as_by_hand(per_channel{1}, {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1});
  expect_as_by_hand(per_channel{2}, {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3});
  expect_as_by_hand(per_group{3}, {0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8});
  expect_as_by_hand(per_group{100}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2});
}

TEST(sliced, costs_what_its_widest_slice_costs) {
  EXPECT_EQ(fit_ranks(random_tensor({2, 7}), per_group{3}).bits(), 3);
  EXPECT_EQ(fit_ranks(random_tensor({0, 7}), per_channel{}).bits(), 0);
}

const auto fit_symmetric = [](std::span<const float> slice) { return uniform<4>::symmetric(range_of(slice)); };

/// Channels whose spread doubles from one to the next.
tensor<float> uneven_tensor() {
  tensor<float> values = random_tensor({5, 3, 8});
  for (std::size_t channel = 0; channel < 5; ++channel)
    for (float& value : values.view()[channel].values()) value *= static_cast<float>(1 << channel);
  return values;
}

TEST(sliced, per_channel_error_is_at_most_half_the_channels_own_scale) {
  const tensor<float> values = uneven_tensor();
  const float whole_scale = fit_slices(values.view(), per_tensor{}, fit_symmetric).quantizers()[0].scale();
  const auto q = fit_slices(values.view(), per_channel{}, fit_symmetric);
  tensor<std::int8_t> codes({5, 3, 8});
  tensor<float> restored({5, 3, 8});
  q.quantize(values.view().values(), codes.values());
  q.dequantize(codes.view().values(), restored.values());
  for (std::size_t channel = 0; channel < 5; ++channel) {
    const double scale = q.quantizers()[channel].scale();
    EXPECT_LE(scale, whole_scale);
    // Half a step, and 7 steps of three float roundings (value / scale, 1 / scale, scale * code): below 2^-22 each.
    EXPECT_LE(measure_distortion(values.view()[channel].values(), restored.view()[channel].values()).maximum_error,
              scale * (0.5 + 7 * 0x1p-22));
  }
}

TEST(sliced, per_channel_follows_the_order_of_the_channels) {
  const tensor<float> values = uneven_tensor();
  tensor<float> turned({5, 3, 8});
  for (std::size_t channel = 0; channel < 5; ++channel)
    std::ranges::copy(values.view()[channel].values(), turned.view()[(channel + 2) % 5].values().begin());
  tensor<std::int8_t> codes({5, 3, 8}), turned_codes({5, 3, 8});
  fit_slices(values.view(), per_channel{}, fit_symmetric).quantize(values.view().values(), codes.values());
  fit_slices(turned.view(), per_channel{}, fit_symmetric).quantize(turned.view().values(), turned_codes.values());
  for (std::size_t channel = 0; channel < 5; ++channel)
    EXPECT_TRUE(std::ranges::equal(codes.view()[channel].values(), turned_codes.view()[(channel + 2) % 5].values()));
}

TEST(sliced, all_zero_channel_stays_zero) {
  tensor<float> values = random_tensor({2, 4});
  std::ranges::fill(values.view()[1].values(), 0.0f);
  const auto q = fit_slices(values.view(), per_channel{}, fit_symmetric);
  EXPECT_EQ(q.quantizers()[1].scale(), 1);
  std::vector<std::int8_t> codes(8);
  q.quantize(values.values(), codes);
  EXPECT_EQ(std::vector<std::int8_t>(codes.begin() + 4, codes.end()), std::vector<std::int8_t>(4, 0));
}

TEST(sliced, gathering_and_scattering_a_slice_leaves_the_tensor_as_it_was) {
  std::vector<int> values(24);
  std::iota(values.begin(), values.end(), 0);
  const std::vector<int> before = values;
  const slice part = per_channel{1}.at({3, 2, 4}, 1);
  const std::vector<int> gathered = gather(std::span<const int>(values), part);
  EXPECT_EQ(gathered, (std::vector<int>{4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23}));
  std::ranges::fill(values, -1);
  scatter(std::span<const int>(gathered), part, std::span<int>(values));
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(values[i], i / 4 % 2 == 1 ? before[i] : -1);
}

TEST(sliced, tensor_without_elements_has_no_codes) {
  const auto q = fit_ranks(tensor<float>({0, 3}), per_channel{});
  EXPECT_TRUE(q.quantizers().empty());
  EXPECT_NO_THROW(q.quantize(std::span<const float>(), std::span<std::uint16_t>()));
}

TEST(sliced, refuses_what_does_not_match_its_shape) {
  EXPECT_EQ(refusal([] {
              sliced<ranks, per_channel>({2, 3}, {}, std::vector<ranks>(3));
            }),
            "sliced: quantizers.size() is 3, expected the number of slices, 2");
  EXPECT_EQ(refusal([] {
              fit_ranks(random_tensor({2, 3}), per_channel{2});
            }),
            "per_channel: axis is 2, expected a dimension of the shape [2, 3]");
  const auto q = fit_ranks(random_tensor({2, 3}), per_channel{});
  std::vector<float> values(6);
  std::vector<std::uint16_t> codes(5);
  const std::span<const float> five(values.data(), 5);
  EXPECT_EQ(refusal([&] { q.quantize(values, codes); }),
            "sliced::quantize: codes.size() is 5, expected the product of the shape [2, 3]");
  EXPECT_EQ(refusal([&] { q.quantize(five, codes); }),
            "sliced::quantize: values.size() is 5, expected the product of the shape [2, 3]");
  EXPECT_EQ(refusal([&] { q.dequantize(codes, values); }),
            "sliced::dequantize: codes.size() is 5, expected the product of the shape [2, 3]");
}

TEST(sliced, passes_on_what_a_slices_fit_refuses) {
  EXPECT_EQ(refusal([] {
              fit_slices(tensor<float>({2, 0}).view(), per_channel{}, fit_symmetric);
            }),
            "range_of: values.size() is 0, expected at least one value");
}

}  // namespace
}  // namespace bitwright
