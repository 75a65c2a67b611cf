// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/layers/linear.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
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

/// Runs the plan on its own workspace.
template <class Activation, class Output, class Rounding>
std::vector<Output> outputs_of(const linear<Activation, Output, Rounding>& layer,
                               const std::vector<Activation>& input) {
  std::vector<Output> output(input.size() / layer.input_size() * layer.output_size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  layer.run(input, output, workspace);
  return output;
}

/// Two outputs of three inputs, in values: y0 = 0.5 x0 - x1 + 1, y1 = 0.25 (2 x0 + x2) - 0.5.
struct small_layer {
  // Not a list of its own: g++ 12 takes that for uninitialized.
  static constexpr std::int8_t weights[] = {1, -2, 0, 2, 0, 1};
  std::vector<std::int8_t> codes{std::begin(weights), std::end(weights)};
  std::vector<affine_scale> maps{{0.5f}, {0.25f}};
  std::vector<float> bias{1, -0.5f};

  linear<>::description description() const {
    return {.input = {0.5f, 10},
            .weights = tensor_view<const std::int8_t>(codes, {2, 3}),
            .weight_maps = maps,
            .bias = bias,
            .output = {0.25f, 4}};
  }
};

TEST(linear, gives_the_codes_worked_out_by_hand) {
  // x = (2, 0.5, -1): y0 = 1 - 0.5 + 1 = 1.5 is code 4 + 6; y1 = 0.25 * 3 - 0.5 = 0.25 is code 4 + 1.
  const linear<> layer(small_layer().description());
  EXPECT_EQ(layer.input_size(), 3u);
  EXPECT_EQ(layer.output_size(), 2u);
  EXPECT_EQ(outputs_of(layer, {14, 11, 8}), (std::vector<std::uint8_t>{10, 5}));
  // x = (0, 4, 0): y0 = -3 is code 4 - 12, clamped; y1 = -0.5 is code 2. A ReLU begins at the zero point.
  EXPECT_EQ(outputs_of(layer, {10, 18, 10}), (std::vector<std::uint8_t>{0, 2}));
  const small_layer rectified;
  auto description = rectified.description();
  description.output_codes = {4, 15};
  EXPECT_EQ(outputs_of(linear<>(description), {10, 18, 10}), (std::vector<std::uint8_t>{4, 4}));
}

TEST(linear, of_no_rows_gives_no_rows) { EXPECT_TRUE(outputs_of(linear<>(small_layer().description()), {}).empty()); }

TEST(linear, repeats_a_single_map_for_every_output) {
  small_layer one, each;
  one.maps = {{0.5f, 3}};
  each.maps = {{0.5f, 3}, {0.5f, 3}};
  EXPECT_EQ(outputs_of(linear<>(one.description()), {14, 11, 8}),
            outputs_of(linear<>(each.description()), {14, 11, 8}));
}

TEST(linear, stays_valid_when_its_description_is_gone_and_when_copied_or_moved) {
  auto first = std::make_unique<linear<>>(small_layer().description());
  linear<> copy = *first;
  first.reset();
  const linear<> moved = std::move(copy);
  EXPECT_EQ(outputs_of(moved, {14, 11, 8}), (std::vector<std::uint8_t>{10, 5}));
}

TEST(linear, takes_a_path_by_name) {
  EXPECT_EQ(linear<>(small_layer().description(), "scalar").path(), "scalar");
  for (const auto& path : kernels::gemm_paths<std::uint8_t, std::uint8_t, half_to_even>)
    if (path.available()) {
      EXPECT_EQ(outputs_of(linear<>(small_layer().description(), path.name), {14, 11, 8}),
                (std::vector<std::uint8_t>{10, 5}));
    }
  EXPECT_THROW(linear<>(small_layer().description(), "abacus"), invalid_argument);
}

TEST(linear, packs_weights_of_few_codes_in_fewer_bits) {
  const auto bytes_of = [](std::vector<std::int8_t> levels, std::string_view path) {
    std::vector<std::int8_t> codes(64 * 256);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = levels[i % levels.size()];
    const std::vector<affine_scale> maps{{0.5f}};
    return linear<>({.input = {0.5f, 10},
                     .weights = tensor_view<const std::int8_t>(codes, {64, 256}),
                     .weight_maps = maps,
                     .output = {0.25f, 4}},
                    path)
        .packed_bytes();
  };
  for (const std::string_view path : {"avx512_vnni", "avx2"})
    for (const auto& known : kernels::gemm_paths<std::uint8_t, std::uint8_t, half_to_even>) {
      if (known.name != path || !known.available()) continue;
      const std::size_t two = bytes_of({-1, 1}, path);
      EXPECT_EQ(bytes_of({-1, 0, 1}, path) - two, 64u * 256 / 8) << path;
      EXPECT_EQ(bytes_of({-2, -1, 0, 1, 2, 3, 4, 5, 6}, path) - two, 64u * 256 * 3 / 8) << path;
    }
}

TEST(linear, proves_its_accumulators_for_the_codes_that_inputs_hold) {
  // 255 * 127 * 70000 is above 2^31, 15 * 127 * 70000 is not.
  const std::vector<std::int8_t> codes(70000, 127);
  const std::vector<affine_scale> maps{{1}};
  linear<std::uint8_t, std::int32_t>::description layer{
      .input = {1}, .weights = tensor_view<const std::int8_t>(codes, {1, 70000}), .weight_maps = maps, .output = {1}};
  EXPECT_THROW((linear<std::uint8_t, std::int32_t>(layer)), invalid_argument);
  layer.input_codes = {0, 15};
  const linear<std::uint8_t, std::int32_t> plan(layer);
  EXPECT_EQ(outputs_of(plan, std::vector<std::uint8_t>(70000, 15)), std::vector<std::int32_t>{15 * 127 * 70000});
}

/// 37 outputs of 90 inputs with random codes, maps and biases, for any code types.
template <class Activation, class Output>
struct random_layer {
  explicit random_layer(std::uint32_t seed) {
    random_codes random(seed);
    codes = reference::narrowed<std::int8_t>(random.many(37 * 90, -128, 127));
    for (int n = 0; n < 37; ++n) {
      maps.push_back(
          {static_cast<float>(random.between(1, 1000)) * 1e-5f, static_cast<std::int32_t>(random.between(-128, 127))});
      bias.push_back(static_cast<float>(random.between(-1000, 1000)) * 1e-3f);
    }
    input = reference::narrowed<Activation>(
        random.many(200 * 90, std::numeric_limits<Activation>::min(), std::numeric_limits<Activation>::max()));
  }

  linear<Activation, Output> plan() const {
    return linear<Activation, Output>({.input = in,
                                       .weights = tensor_view<const std::int8_t>(codes, {37, 90}),
                                       .weight_maps = maps,
                                       .bias = bias,
                                       .output = out});
  }

  std::vector<std::int8_t> codes;
  std::vector<affine_scale> maps;
  std::vector<float> bias;
  std::vector<Activation> input;
  affine_scale in{0.0123f, 37}, out{0.0071f, -5};
};

TEST(linear, differs_from_the_real_numbers_by_no_more_than_its_three_roundings) {
  // Half a step of the output, half a step of the bias, and the dyadic's 2^-31 of what it multiplies, whose value is y
  // - output or y itself: together below s_out / 2 + s_in s_w / 2 + 2^-31 (|y| + s_in s_w). 16-bit codes do not clamp.
  const random_layer<std::uint8_t, std::int16_t> layer(1);
  const auto output = outputs_of(layer.plan(), layer.input);
  for (std::size_t m = 0; m < 200; ++m)
    for (std::size_t n = 0; n < 37; ++n) {
      double exact = double{layer.bias[n]};
      for (std::size_t k = 0; k < 90; ++k)
        exact += double{layer.in.scale} * (layer.input[m * 90 + k] - layer.in.zero_point) *
                 double{layer.maps[n].scale} * (layer.codes[n * 90 + k] - layer.maps[n].zero_point);
      const double result = double{layer.out.scale} * (output[m * 37 + n] - layer.out.zero_point);
      const double step = double{layer.in.scale} * double{layer.maps[n].scale};
      ASSERT_LE(std::abs(result - exact),
                (double{layer.out.scale} + step) / 2 + 0x1p-31 * (std::abs(exact) + step) + 1e-12);
    }
}

TEST(linear, gives_the_same_bits_on_one_thread_and_on_two) {
  const random_layer<std::int8_t, std::int8_t> layer(2);
  const auto plan = layer.plan();
  const auto expected = outputs_of(plan, layer.input);
  std::vector<std::int8_t> output(expected.size());
  std::vector<std::byte> workspace(plan.workspace_bytes());
  reference::two_threads pool;
  plan.run(layer.input, output, workspace, pool);
  EXPECT_EQ(output, expected);
  EXPECT_EQ(pool.pieces, 5u);  // 200 rows, 48 a piece.
}

TEST(linear, runs_on_many_threads_at_once) {
  const random_layer<std::uint8_t, std::int32_t> layer(3);
  const auto plan = layer.plan();
  const auto expected = outputs_of(plan, layer.input);
  std::vector<std::vector<std::int32_t>> results(4);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = outputs_of(plan, layer.input); });
  }
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

TEST(linear, runs_without_exceptions) {
  const linear<> layer(small_layer().description());
  static_assert(noexcept(layer.run({}, {}, {})));
}

/// One output of `count` equal weights with all scales 1, so that the outputs are the accumulators.
linear<std::uint8_t, std::int32_t> long_layer(std::size_t count, std::int8_t weight, float bias) {
  const std::vector<std::int8_t> codes(count, weight);
  const affine_scale one{1};
  return linear<std::uint8_t, std::int32_t>({.input = one,
                                             .weights = tensor_view<const std::int8_t>(codes, {1, count}),
                                             .weight_maps = {&one, 1},
                                             .bias = {&bias, 1},
                                             .output = one});
}

TEST(linear, accumulates_to_the_very_edge_of_32_bits) {
  // 66311 * 127 * 255 + 1912 = 2^31 - 1, and 65793 * -128 * 255 - 128 = -2^31.
  const std::vector<std::uint8_t> input(66311, 255);
  EXPECT_EQ(outputs_of(long_layer(66311, 127, 1912), input), std::vector<std::int32_t>{2147483647});
  const std::vector<std::uint8_t> shorter(65793, 255);
  EXPECT_EQ(outputs_of(long_layer(65793, -128, -128), shorter), std::vector<std::int32_t>{-2147483648});
}

TEST(linear, refuses_what_could_accumulate_one_more) {
  EXPECT_EQ(
      refusal([] { long_layer(66311, 127, 1913); }),
      "linear: the accumulator's extreme in output channel 0 is 2147483648, expected at most 2147483647 for every "
      "input: fewer weights or smaller codes");
  EXPECT_EQ(refusal([] { long_layer(65793, -128, -129); }),
            "linear: the accumulator's extreme in output channel 0 is -2147483649, expected at least -2147483648 for "
            "every input: fewer weights or smaller codes");
  // 66312 weights alone reach 2147514120. A bias that pulls the sum back may be added last.
  EXPECT_EQ(
      refusal([] { long_layer(66312, 127, -1000000); }),
      "linear: the accumulator's extreme in output channel 0 is 2147514120, expected at most 2147483647 for every "
      "input: fewer weights or smaller codes");
}

/// How the small layer is refused after `change` to its parts or its description.
template <class Change>
std::string refusal_after(Change change) {
  return refusal([&] {
    small_layer parts;
    linear<>::description description = parts.description();
    change(parts, description);
    linear<> layer(description);
  });
}

TEST(linear, refuses_shapes_that_do_not_match_by_name) {
  EXPECT_EQ(refusal_after([](auto& parts, auto& d) { d.weights = tensor_view<const std::int8_t>(parts.codes, {6}); }),
            "linear: weights.shape() is [6], expected outputs x inputs");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.weights = tensor_view<const std::int8_t>({}, {0, 3});
            }),
            "linear: weights.shape() is [0, 3], expected no dimension of 0");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.weight_maps = {}; }),
            "linear: weight_maps.size() is 0, expected 1 or the number of output channels, 2");
  EXPECT_EQ(refusal_after([](auto& parts, auto& d) { d.bias = std::span<const float>(parts.bias).first(1); }),
            "linear: bias.size() is 1, expected 0 or the number of output channels, 2");
}

TEST(linear, refuses_scales_and_zero_points_that_are_none_by_name) {
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.input.scale = 0; }),
            "linear: input.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.output.scale = std::numeric_limits<float>::quiet_NaN(); }),
            "linear: output.scale is nan, expected a positive, finite, normal number");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.maps[1].scale = -1; }),
            "linear: weight_maps[1].scale is -1, expected a positive, finite, normal number");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.input.zero_point = 256; }),
            "linear: input.zero_point is 256, expected a code of its type, [0, 255]");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.input_codes = {0, 256};
            }),
            "linear: input_codes is [0, 256], expected an interval within the input type, [0, 255]");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.input_codes = {0, 9};
            }),
            "linear: input.zero_point is 10, expected one of the input_codes, [0, 9]");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.maps[0].zero_point = -129; }),
            "linear: weight_maps[0].zero_point is -129, expected a code of its type, [-128, 127]");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.output_codes = {5, 15};
            }),
            "linear: output.zero_point is 4, expected one of the output_codes, [5, 15]");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.output_codes = {0, 256};
            }),
            "linear: output_codes is [0, 256], expected an interval within the output type, [0, 255]");
}

TEST(linear, refuses_biases_and_factors_that_no_integer_holds_by_channel) {
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.bias[1] = std::numeric_limits<float>::infinity(); }),
            "linear: bias[1] is inf, expected a finite number");
  EXPECT_EQ(
      refusal_after([](auto& parts, auto&) { parts.bias[1] = 1e9f; }),
      "linear: bias[1] is 1e+09, expected 32 bits of steps of 0.125, input.scale * weight_maps.scale: this channel "
      "needs a larger scale");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) {
              parts.maps[0].scale = 0x1p-34f;
              parts.bias[0] = 0;
            }),
            "linear: input.scale * weight_maps[0].scale / output.scale is 1.1641532182693481e-10, expected [2^-32, "
            "2^30)");
}

}  // namespace
}  // namespace bitwright
