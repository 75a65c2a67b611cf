// SPDX-License-Identifier: MIT
// Every path of pooling against signed coordinates, 64-bit sums and exact rounding.
#include "exact_rounding.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/pooling.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

namespace bitwright {
namespace {

using reference::naive_axis;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;

struct problem {
  naive_axis down, across;
  std::int64_t images, channels;

  /// The codes under each window that lie inside the image, for every output in order.
  template <class Code>
  std::vector<std::vector<std::int64_t>> windows(const std::vector<Code>& codes) const {
    std::vector<std::vector<std::int64_t>> all;
    for (std::int64_t image = 0; image < images; ++image)
      for (std::int64_t y = 0; y < down.windows(); ++y)
        for (std::int64_t x = 0; x < across.windows(); ++x)
          for (std::int64_t c = 0; c < channels; ++c) {
            all.emplace_back();
            for (std::int64_t i = 0; i < down.kernel; ++i)
              for (std::int64_t j = 0; j < across.kernel; ++j) {
                const std::int64_t row = y * down.stride + i * down.dilation - down.before;
                const std::int64_t column = x * across.stride + j * across.dilation - across.before;
                if (row < 0 || row >= down.image || column < 0 || column >= across.image) continue;
                const std::int64_t pixel = (image * down.image + row) * across.image + column;
                all.back().push_back(codes.at(static_cast<std::size_t>(pixel * channels + c)));
              }
          }
    return all;
  }

  kernels::sliding_window window() const { return {axis_of(down), axis_of(across)}; }
  std::int64_t codes() const { return images * down.image * across.image * channels; }
  std::size_t rows() const { return static_cast<std::size_t>(images * down.windows()); }

 private:
  static kernels::window_axis axis_of(const naive_axis& axis) {
    const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
    return {size(axis.image),    size(axis.kernel), size(axis.stride),
            size(axis.dilation), size(axis.before), size(axis.after)};
  }
};

template <class Code>
std::vector<Code> random_image(const problem& p, random_codes& random) {
  return reference::narrowed<Code>(
      random.many(p.codes(), std::numeric_limits<Code>::min(), std::numeric_limits<Code>::max()));
}

/// Less padding than the kernel has taps and no dilation beyond the image: each window has a tap inside.
problem random_problem(random_codes& random) {
  const auto axis = [&random] {
    const std::int64_t kernel = random.between(1, 4), dilation = kernel < 3 ? random.between(1, 2) : 1;
    return naive_axis{.image = random.between(4, 9),
                      .kernel = kernel,
                      .stride = random.between(1, 3),
                      .dilation = dilation,
                      .before = random.between(0, kernel - 1),
                      .after = random.between(0, kernel - 1)};
  };
  return {axis(), axis(), random.between(1, 3), random.between(1, 40)};
}

template <class Code>
void expect_exact_maxima(const problem& p, random_codes& random) {
  const auto image = random_image<Code>(p, random);
  std::vector<Code> expected;
  for (const auto& window : p.windows(image)) expected.push_back(static_cast<Code>(std::ranges::max(window)));
  for (const auto& path : kernels::max_pooling_paths<Code>) {
    if (!path.available()) continue;
    std::vector<Code> result(expected.size());
    const kernels::max_pooling_arguments<Code> call{p.window(), static_cast<std::size_t>(p.channels), image.data(),
                                                    result.data()};
    path.run(call, p.rows() / 3, p.rows());
    path.run(call, 0, p.rows() / 3);
    ASSERT_EQ(result, expected) << path.name;
  }
}

template <class Activation, class Output, class Rounding>
void expect_exact_averages(const problem& p, random_codes& random, const std::vector<Activation>& image) {
  std::vector<dyadic> factors(static_cast<std::size_t>(p.down.kernel * p.across.kernel) + 1);
  for (dyadic& factor : factors) factor = random.factor(30, 36);
  const auto zero_point = static_cast<std::int32_t>(
      random.between(std::numeric_limits<Activation>::min(), std::numeric_limits<Activation>::max()));
  const auto least = static_cast<std::int32_t>(random.between(std::numeric_limits<Output>::min(), 0));
  const auto most = static_cast<std::int32_t>(random.between(0, std::numeric_limits<Output>::max()));
  const auto output_zero_point = static_cast<std::int32_t>(random.between(least, most));
  std::vector<Output> expected;
  for (const auto& window : p.windows(image)) {
    std::int64_t sum = 0;
    for (const std::int64_t code : window) sum += code - zero_point;
    expected.push_back(static_cast<Output>(
        reference::code_of<Rounding>(sum, factors.at(window.size()), output_zero_point, least, most)));
  }
  std::vector<kernels::average_line> lines(factors.size());
  std::set<std::size_t> counts;
  for (const auto& window : p.windows(image)) counts.insert(window.size());
  for (const std::size_t taps : counts)
    lines[taps] = kernels::average_line::through<Rounding, Activation, Output>(
        {taps, zero_point, factors[taps], output_zero_point, {least, most}});
  for (const auto& path : kernels::average_pooling_paths<Activation, Output, Rounding>) {
    if (!path.available()) continue;
    std::vector<Output> result(expected.size());
    const kernels::average_pooling_arguments<Activation, Output> call{.window = p.window(),
                                                                      .channels = static_cast<std::size_t>(p.channels),
                                                                      .activations = image.data(),
                                                                      .activation_zero_point = zero_point,
                                                                      .outputs = result.data(),
                                                                      .factors = factors.data(),
                                                                      .output_zero_point = output_zero_point,
                                                                      .output_codes = {least, most}};
    path.run(call, p.rows() / 3, p.rows());
    path.run(call, 0, p.rows() / 3);
    ASSERT_EQ(result, expected) << path.name;
    auto call_by_lines = call;
    call_by_lines.lines = lines.data();
    std::ranges::fill(result, Output{99});
    path.run(call_by_lines, p.rows() / 3, p.rows());
    path.run(call_by_lines, 0, p.rows() / 3);
    ASSERT_EQ(result, expected) << path.name << ", by lines";
  }
}

template <class Activation, class Output, class Rounding>
void expect_exact_averages(const problem& p, random_codes& random) {
  expect_exact_averages<Activation, Output, Rounding>(p, random, random_image<Activation>(p, random));
}

TEST(pooling, counts_and_compares_taps_inside_the_image_only) {
  // The row -5 -7 -3, under windows of two with padding before: greatest -5 -5 -3, averages -5 -6 -5.
  const std::vector<s8> image{-5, -7, -3};
  const problem p{{1, 1}, {.image = 3, .kernel = 2, .before = 1}, 1, 1};
  const std::vector<dyadic> factors{{0, 0}, {1 << 30, 30}, {1 << 30, 31}};
  std::vector<s8> greatest(3), average(3);
  kernels::max_pooling_paths<s8>.back().run({p.window(), 1, image.data(), greatest.data()}, 0, 1);
  kernels::average_pooling_paths<s8, s8, half_to_even>.back().run(
      {p.window(), 1, image.data(), 0, average.data(), factors.data(), 0, {-128, 127}}, 0, 1);
  EXPECT_EQ(greatest, (std::vector<s8>{-5, -5, -3}));
  EXPECT_EQ(average, (std::vector<s8>{-5, -6, -5}));
}

TEST(max_pooling, is_exact_for_random_shapes) {
  random_codes random(1);
  for (int i = 0; i < 300; ++i) {
    expect_exact_maxima<u8>(random_problem(random), random);
    expect_exact_maxima<s8>(random_problem(random), random);
    expect_exact_maxima<s16>(random_problem(random), random);
  }
}

TEST(average_pooling, is_exact_for_random_shapes_types_and_roundings) {
  random_codes random(2);
  for (int i = 0; i < 100; ++i) {
    expect_exact_averages<u8, u8, half_to_even>(random_problem(random), random);
    expect_exact_averages<u8, s8, half_up>(random_problem(random), random);
    expect_exact_averages<s8, u8, half_away_from_zero>(random_problem(random), random);
    expect_exact_averages<s8, s8, toward_zero>(random_problem(random), random);
    expect_exact_averages<s16, s8, bitwright::floor>(random_problem(random), random);
    expect_exact_averages<s16, s16, gemmlowp_double>(random_problem(random), random);
  }
}

TEST(pooling, is_exact_for_all_numbers_of_channels_up_to_more_than_twice_a_vector) {
  random_codes random(4);
  for (std::int64_t channels = 1; channels <= 130; ++channels) {
    const problem p{{4, 2, 1, 1, 1, 0}, {3, 3, 2, 1, 1, 1}, 1, channels};
    expect_exact_maxima<u8>(p, random);
    expect_exact_maxima<s16>(p, random);
    expect_exact_averages<u8, u8, half_to_even>(p, random);
    expect_exact_averages<s16, s16, gemmlowp_double>(p, random);
  }
}

TEST(average_pooling, adds_more_of_the_greatest_codes_than_16_bits_hold) {
  random_codes random(5);
  const auto expect_exact_for = [&random]<class Code>(Code least, Code most) {
    for (const Code code : {least, most})
      for (const std::int64_t width : {16, 17, 129, 300}) {
        const problem p{{5, 5}, {width, width}, 1, 33};
        expect_exact_averages<Code, Code, half_to_even>(p, random,
                                                        std::vector<Code>(static_cast<std::size_t>(p.codes()), code));
      }
  };
  expect_exact_for(u8{0}, u8{255}), expect_exact_for(s8{-128}, s8{127});
}

TEST(average_pooling, of_the_whole_image_is_exact) {
  random_codes random(3);
  for (std::int64_t channels = 1; channels <= 40; ++channels)
    expect_exact_averages<u8, u8, half_to_even>({{4, 4}, {4, 4}, 2, channels}, random);
}

}  // namespace
}  // namespace bitwright
