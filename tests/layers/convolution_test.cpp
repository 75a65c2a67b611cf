// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/layers/convolution.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using reference::refusal;

template <class Activation, class Output>
std::vector<Output> outputs_of(const convolution<Activation, Output>& layer, const std::vector<Activation>& input) {
  std::vector<Output> output(input.size() / layer.input_size() * layer.output_size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  layer.run(input, output, workspace);
  return output;
}

/// One channel, the weights 1 2 3 in a row, all scales 1.
struct row_layer {
  std::array<std::int8_t, 3> codes{1, 2, 3};
  affine_scale map{1};
  float bias = 10;

  convolution<>::description description() const {
    return {.input = {1, 4},
            .image = {1, 3},
            .weights = tensor_view<const std::int8_t>(codes, {1, 1, 3, 1}),
            .weight_maps = {&map, 1},
            .bias = {&bias, 1},
            .padding = {.left = 1, .right = 1},
            .output = {1}};
  }
};

TEST(convolution, gives_the_codes_worked_out_by_hand) {
  // The values 0 1 2, padded by the value 0, under 1 2 3 and a bias of 10: 13 18 15. A second image of 2 0 0: 14 12 10.
  const row_layer parts;
  const convolution<> layer(parts.description());
  EXPECT_EQ(layer.output_image(), (height_width{1, 3}));
  EXPECT_EQ(outputs_of(layer, {4, 5, 6}), (std::vector<std::uint8_t>{13, 18, 15}));
  EXPECT_EQ(outputs_of(layer, {4, 5, 6, 6, 4, 4}), (std::vector<std::uint8_t>{13, 18, 15, 14, 12, 10}));
  // The middle window alone, and with taps two pixels apart: 0 * 2 + 2 * 3 around the first pixel.
  auto description = parts.description();
  description.padding = {};
  EXPECT_EQ(outputs_of(convolution<>(description), {4, 5, 6}), (std::vector<std::uint8_t>{18}));
  description.padding = {.left = 2, .right = 0};
  description.dilation = {1, 2};
  EXPECT_EQ(outputs_of(convolution<>(description), {4, 5, 6}), (std::vector<std::uint8_t>{16}));
}

TEST(convolution, stays_valid_when_copied_or_moved) {
  convolution<> first(row_layer().description());
  convolution<> copy = first;
  first = convolution<>(row_layer().description());
  const convolution<> moved = std::move(copy);
  EXPECT_EQ(outputs_of(moved, {4, 5, 6}), (std::vector<std::uint8_t>{13, 18, 15}));
}

/// 9x7 pixels, 2 groups of 5 channels, 6 outputs, 3x3 taps, stride 2 across, padding on three sides.
struct random_layer {
  random_layer() {
    random_codes random(1);
    codes = reference::narrowed<std::int8_t>(random.many(6 * 3 * 3 * 5, -128, 127));
    for (int n = 0; n < 6; ++n) {
      maps.push_back(
          {static_cast<float>(random.between(1, 1000)) * 1e-5f, static_cast<std::int32_t>(random.between(-128, 127))});
      bias.push_back(static_cast<float>(random.between(-1000, 1000)) * 1e-3f);
    }
    input = reference::narrowed<std::int8_t>(random.many(11 * 9 * 7 * 10, -128, 127));
  }

  convolution<std::int8_t, std::int16_t> plan(std::string_view path = {}) const {
    return convolution<std::int8_t, std::int16_t>({.input = in,
                                                   .image = {9, 7},
                                                   .weights = tensor_view<const std::int8_t>(codes, {6, 3, 3, 5}),
                                                   .weight_maps = maps,
                                                   .bias = bias,
                                                   .stride = {1, 2},
                                                   .padding = {.top = 2, .left = 1, .right = 1},
                                                   .groups = 2,
                                                   .output = out},
                                                  path);
  }

  /// The value of output n at (y, x) of image i in real numbers.
  double exact(int i, int y, int x, int n) const {
    double sum = double{bias[static_cast<std::size_t>(n)]};
    const affine_scale map = maps[static_cast<std::size_t>(n)];
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column)
        for (int c = 0; c < 5; ++c) {
          const int down = y + row - 2, across = 2 * x + column - 1;
          if (down < 0 || down >= 9 || across < 0 || across >= 7) continue;
          const int code = input[static_cast<std::size_t>(((i * 9 + down) * 7 + across) * 10 + n / 3 * 5 + c)];
          const int weight = codes[static_cast<std::size_t>(((n * 3 + row) * 3 + column) * 5 + c)];
          sum += double{in.scale} * (code - in.zero_point) * double{map.scale} * (weight - map.zero_point);
        }
    return sum;
  }

  std::vector<std::int8_t> codes, input;
  std::vector<affine_scale> maps;
  std::vector<float> bias;
  affine_scale in{0.0123f, 37}, out{0.0071f, -5};
};

TEST(convolution, differs_from_the_real_numbers_by_no_more_than_its_three_roundings) {
  // As in linear: s_out / 2 + s_in s_w / 2 + 2^-31 (|y| + s_in s_w). 16-bit codes do not clamp.
  const random_layer layer;
  const auto plan = layer.plan();
  ASSERT_EQ(plan.output_image(), (height_width{9, 4}));
  const auto output = outputs_of(plan, layer.input);
  std::size_t at = 0;
  for (int i = 0; i < 11; ++i)
    for (int y = 0; y < 9; ++y)
      for (int x = 0; x < 4; ++x)
        for (int n = 0; n < 6; ++n) {
          const double exact = layer.exact(i, y, x, n);
          const double result = double{layer.out.scale} * (output[at++] - layer.out.zero_point);
          const double step = double{layer.in.scale} * double{layer.maps[static_cast<std::size_t>(n)].scale};
          ASSERT_LE(std::abs(result - exact),
                    (double{layer.out.scale} + step) / 2 + 0x1p-31 * (std::abs(exact) + step) + 1e-12);
        }
}

TEST(convolution, gives_the_same_bits_on_one_thread_on_two_and_on_many_at_once) {
  const random_layer layer;
  const auto plan = layer.plan();
  const auto expected = outputs_of(plan, layer.input);
  std::vector<std::vector<std::int16_t>> results(3, std::vector<std::int16_t>(expected.size()));
  {
    std::vector<std::jthread> threads;
    for (auto& result : results)
      threads.emplace_back([&] {
        std::vector<std::byte> workspace(plan.workspace_bytes());
        reference::two_threads pool;
        plan.run(layer.input, result, workspace, pool);
        EXPECT_EQ(pool.pieces, 9u);  // 99 rows of 4 pixels, 12 a piece.
      });
  }
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

TEST(convolution, gives_each_piece_a_workspace_of_its_own) {
  // Scalar gathers a window of 3 x 3 x 10 codes, which it leaves behind: none is the code 77 alone.
  const random_layer layer;
  const auto plan = layer.plan("scalar");
  ASSERT_EQ(plan.workspace_bytes(), 64u * 90u);
  std::vector<std::byte> workspace(plan.workspace_bytes(), std::byte{77});
  std::vector<std::int16_t> output(11 * plan.output_size());
  plan.run(layer.input, output, workspace);
  const std::vector<std::byte> untouched(90, std::byte{77});
  for (std::size_t piece = 0; piece < 64; ++piece) {
    const bool touched = !std::ranges::equal(std::span(workspace).subspan(piece * 90, 90), untouched);
    EXPECT_EQ(touched, piece < 9) << piece;  // 99 rows of 4 pixels, 12 a piece.
  }
}

TEST(convolution, runs_without_exceptions) {
  const convolution<> layer(row_layer().description());
  static_assert(noexcept(layer.run({}, {}, {})));
}

template <class Change>
std::string refusal_after(Change change) {
  return refusal([&] {
    const row_layer parts;
    auto description = parts.description();
    change(description);
    convolution<> layer(description);
  });
}

TEST(convolution, refuses_shapes_that_do_not_match_by_name) {
  const std::vector<std::int8_t> codes(12);
  EXPECT_EQ(
      refusal_after([&](auto& d) {
        d.weights = tensor_view<const std::int8_t>(codes, {3, 4});
      }),
      "convolution: weights.shape() is [3, 4], expected outputs x kernel height x kernel width x input channels / "
      "groups");
  EXPECT_EQ(refusal_after([&](auto& d) {
              d.weights = tensor_view<const std::int8_t>({}, {1, 0, 3, 1});
            }),
            "convolution: weights.shape() is [1, 0, 3, 1], expected no dimension of 0");
  EXPECT_EQ(refusal_after([&](auto& d) { d.groups = 0; }),
            "convolution: groups is 0, expected a divisor of the output channels, 1");
  EXPECT_EQ(refusal_after([&](auto& d) { d.groups = 2; }),
            "convolution: groups is 2, expected a divisor of the output channels, 1");
}

TEST(convolution, refuses_windows_that_do_not_fit_by_name) {
  EXPECT_EQ(refusal_after([](auto& d) { d.stride = {0, 1}; }), "convolution: stride.height is 0, expected [1, 2^30)");
  EXPECT_EQ(refusal_after([](auto& d) { d.image = {1, 0}; }), "convolution: image.width is 0, expected [1, 2^30)");
  EXPECT_EQ(
      refusal_after([](auto& d) {
        d.dilation = {1, 3};
      }),
      "convolution: kernel width is 3, expected taps, with a dilation of 3, that fit the padded image of 5 pixels");
}

TEST(convolution, refuses_what_linear_refuses_in_its_own_name) {
  EXPECT_EQ(refusal_after([](auto& d) { d.input.zero_point = -1; }),
            "convolution: input.zero_point is -1, expected a code of its type, [0, 255]");
  EXPECT_EQ(refusal_after([](auto& d) { d.weight_maps = {}; }),
            "convolution: weight_maps.size() is 0, expected 1 or the number of output channels, 1");
}

}  // namespace
}  // namespace bitwright
