// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/shift_add_linear.hpp>
#include <bitwright/quantizers/additive_power_of_two.hpp>
#include <bitwright/quantizers/logarithmic.hpp>
#include <bitwright/quantizers/power_of_two.hpp>
#include <bitwright/quantizers/term.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::narrowed;
using reference::random_codes;
using reference::refusal;
using s16 = std::int16_t;

/// Runs a plan on its own workspace.
template <class Output = std::uint8_t, class Plan>
std::vector<Output> outputs_of(const Plan& layer, const std::vector<std::uint8_t>& input) {
  std::vector<Output> output(input.size() / layer.input_size() * layer.output_size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  layer.run(input, output, workspace);
  return output;
}

/// Two outputs of three inputs, in values: y0 = 0.5 x0 - x1 + 1, y1 = 0.25 (7 x0 + 1024 x2) - 0.5.
struct small_layer {
  term_list terms = term_list::of(tensor_view<const s16>(weights, {2, 3}));
  std::vector<affine_scale> maps{{0.5f}, {0.25f}};
  std::vector<float> bias{1, -0.5f};

  shift_add_linear<>::description description() const {
    return {.input = {0.5f, 10}, .weights = terms, .weight_maps = maps, .bias = bias, .output = {0.25f, 4}};
  }

 private:
  static constexpr s16 weights[6] = {1, -2, 0, 7, 0, 1024};
};

TEST(shift_add_linear, gives_the_codes_worked_out_by_hand) {
  // x = (2, 0.5, 0): y0 = 1 - 0.5 + 1 = 1.5 is code 4 + 6; y1 = 0.25 * 14 - 0.5 = 3 is code 4 + 12.
  const shift_add_linear<> layer(small_layer().description());
  EXPECT_EQ(layer.input_size(), 3u);
  EXPECT_EQ(layer.output_size(), 2u);
  EXPECT_EQ(outputs_of(layer, {14, 11, 10}), (std::vector<std::uint8_t>{10, 16}));
  // 1024 / 4 * 0.5 - 0.5 = 127.5 is code 514, clamped.
  EXPECT_EQ(outputs_of(layer, {10, 10, 11}), (std::vector<std::uint8_t>{8, 255}));
  EXPECT_TRUE(outputs_of(layer, {}).empty());
}

TEST(shift_add_linear, counts_its_term_operations) {
  const shift_add_linear<> layer(small_layer().description());
  EXPECT_EQ(layer.term_operations(), 1u + 1 + 2 + 1);  // 7 is 8 - 1.
  EXPECT_EQ(layer.multiply_accumulates(), 6u);
}

TEST(shift_add_linear, takes_a_path_by_name) {
  for (const auto& path : kernels::shift_add_paths<std::uint8_t, std::uint8_t, half_to_even>)
    if (path.available()) {
      const shift_add_linear<> layer(small_layer().description(), path.name);
      EXPECT_EQ(layer.path(), path.name);
      EXPECT_EQ(outputs_of(layer, {14, 11, 10}), (std::vector<std::uint8_t>{10, 16}));
    }
  EXPECT_THROW(shift_add_linear<>(small_layer().description(), "abacus"), invalid_argument);
}

TEST(shift_add_linear, stays_valid_when_its_description_is_gone_and_when_copied_or_moved) {
  auto first = std::make_unique<shift_add_linear<>>(small_layer().description());
  shift_add_linear<> copy = *first;
  first.reset();
  const shift_add_linear<> moved = std::move(copy);
  EXPECT_EQ(outputs_of(moved, {14, 11, 10}), (std::vector<std::uint8_t>{10, 16}));
}

TEST(shift_add_linear, runs_without_exceptions) {
  const shift_add_linear<> layer(small_layer().description());
  static_assert(noexcept(layer.run({}, {}, {})));
}

/// What both layers make of the same weights, 37 outputs of 90 inputs, and of 50 rows.
template <class Encoding>
void expect_the_bits_of_linear(const quantized_weights& weights, Encoding encoding) {
  random_codes random(1);
  const auto input = narrowed<std::uint8_t>(random.many(50 * 90, 0, 255));
  const std::vector<float> bias = narrowed<float>(random.many(37, -3, 3));
  const affine_scale in{0.0123f, 37}, out{0.05f, 90};
  const linear<> products(
      {.input = in, .weights = weights.codes, .weight_maps = weights.maps, .bias = bias, .output = out});
  const term_weights terms = terms_of(weights, encoding);
  const shift_add_linear<> shifts(
      {.input = in, .weights = terms.terms, .weight_maps = terms.maps, .bias = bias, .output = out});
  const auto expected = outputs_of(products, input);
  EXPECT_EQ(outputs_of(shifts, input), expected);
  EXPECT_EQ(outputs_of(shifts, {input.begin(), input.begin() + 3 * 90}),
            std::vector<std::uint8_t>(expected.begin(), expected.begin() + 3 * 37));
}

std::vector<float> bell_shaped_weights() {
  random_codes random(2);
  std::vector<float> values;
  for (int i = 0; i < 37 * 90; ++i) {
    std::int64_t sum = 0;
    for (int j = 0; j < 12; ++j) sum += random.between(-1000, 1000);
    values.push_back(static_cast<float>(sum) * 1e-4f);
  }
  return values;
}

template <class Q, class Encoding = non_adjacent>
void expect_the_bits_of_linear_for(const Q& tensor_wide, Encoding encoding = {}) {
  const std::vector<float> values = bell_shaped_weights();
  expect_the_bits_of_linear(quantize_weights(sliced<Q, per_tensor>({37, 90}, {}, {tensor_wide}), values), encoding);
  expect_the_bits_of_linear(
      quantize_weights(sliced<Q, per_channel>({37, 90}, {}, std::vector<Q>(37, tensor_wide)), values), encoding);
}

TEST(shift_add_linear, gives_the_bits_of_linear_for_schemes_of_one_term_and_of_a_few) {
  expect_the_bits_of_linear_for(power_of_two::symmetric({-1, 1}, 4));
  expect_the_bits_of_linear_for(logarithmic<>::symmetric({-1, 1}, 4));
  expect_the_bits_of_linear_for(additive_power_of_two<4>::symmetric({-1, 1}));
  expect_the_bits_of_linear_for(uniform<8, std::int8_t>::symmetric({-1, 1}));
  expect_the_bits_of_linear_for(uniform<8, std::int8_t>::affine({-0.3f, 1}));
}

TEST(shift_add_linear, gives_the_bits_of_linear_for_term_quantized_weights) {
  // 8 bits overshoot to 128, which linear's codes hold after they are moved; and never to -128 at once, as 1 is added.
  expect_the_bits_of_linear_for(term<>::symmetric({-1, 1}, 7, {8, 16}));
  expect_the_bits_of_linear_for(term<hese>::symmetric({-1, 1}, 7, {8, 12}), hese{});
  expect_the_bits_of_linear_for(term<binary_digits>::symmetric({-1, 1}, 8, {8, 24}), binary_digits{});
}

TEST(shift_add_linear, takes_overshoots_that_8_bits_do_not_hold) {
  // One term a weight: -127, 127 and 5 become -128, 128 and 4. With inputs 1, 3 and 10, that is 296 of 0.5.
  const term<> q(uniform<dynamic_bits, s16>({0.5f, 0}, {-127, 127}), {1, 1});
  tensor<s16> codes({1, 3});
  q.quantize(std::vector<float>{-63.5f, 63.5f, 2.5f}, codes.values());
  const term_list terms = term_list::of(codes);
  EXPECT_THROW(terms.decoded(), invalid_argument);
  const affine_scale map = q.map(), one{1};
  const shift_add_linear<std::uint8_t, s16> layer(
      {.input = one, .weights = terms, .weight_maps = {&map, 1}, .output = {0.5f}});
  EXPECT_EQ(outputs_of<s16>(layer, {1, 3, 10}), std::vector<s16>{-128 + 3 * 128 + 40});
  EXPECT_EQ(layer.term_operations(), 3u);
}

TEST(shift_add_linear, gives_the_same_bits_on_one_thread_and_on_two) {
  random_codes random(3);
  tensor<s16> weights({19, 30});
  std::ranges::copy(narrowed<s16>(random.many(19 * 30, -500, 500)), weights.values().begin());
  const term_list terms = term_list::of(weights);
  const affine_scale map{0.01f};
  const shift_add_linear<> layer(
      {.input = {0.1f, 128}, .weights = terms, .weight_maps = {&map, 1}, .output = {0.5f, 128}});
  const auto input = narrowed<std::uint8_t>(random.many(100 * 30, 0, 255));
  const auto expected = outputs_of(layer, input);
  std::vector<std::uint8_t> output(expected.size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  reference::two_threads pool;
  layer.run(input, output, workspace, pool);
  EXPECT_EQ(output, expected);
  EXPECT_EQ(pool.pieces, 3u);  // 100 rows, 48 a piece.
}

/// One output of `count` equal weights with all scales 1.
shift_add_linear<std::uint8_t, std::int32_t> long_layer(std::size_t count, s16 weight, float bias) {
  const term_list terms = term_list::of(tensor_view<const s16>(std::vector<s16>(count, weight), {1, count}));
  const affine_scale one{1};
  return shift_add_linear<std::uint8_t, std::int32_t>(
      {.input = one, .weights = terms, .weight_maps = {&one, 1}, .bias = {&bias, 1}, .output = one});
}

TEST(shift_add_linear, accumulates_to_the_very_edge_of_32_bits_and_refuses_one_more) {
  // 514 * 16384 * 255 is 2147450880, 32768 below 2^31.
  EXPECT_EQ(outputs_of<std::int32_t>(long_layer(514, 16384, 32767), std::vector<std::uint8_t>(514, 255)),
            std::vector<std::int32_t>{2147483647});
  EXPECT_EQ(
      refusal([] { long_layer(514, 16384, 32768); }),
      "shift_add_linear: the accumulator's extreme in output channel 0 is 2147483648, expected at most 2147483647 "
      "for every input: fewer weights or smaller ones");
  EXPECT_EQ(refusal([] { long_layer(515, -16384, 0); }),
            "shift_add_linear: the accumulator's extreme in output channel 0 is -2151628800, expected at least "
            "-2147483648 for every input: fewer weights or smaller ones");
}

/// How the small layer is refused after `change` to its parts or its description.
template <class Change>
std::string refusal_after(Change change) {
  return refusal([&] {
    small_layer parts;
    shift_add_linear<>::description description = parts.description();
    change(parts, description);
    shift_add_linear<> layer(description);
  });
}

TEST(shift_add_linear, refuses_what_does_not_match_by_name) {
  EXPECT_EQ(refusal_after([](auto& parts, auto&) {
              parts.terms = term_list::of(tensor<s16>({0, 3}));
            }),
            "shift_add_linear: weights.shape() is [0, 3], expected no dimension of 0");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.weight_maps = {}; }),
            "shift_add_linear: weight_maps.size() is 0, expected 1 or the number of output channels, 2");
  EXPECT_EQ(refusal_after([](auto& parts, auto& d) { d.bias = std::span<const float>(parts.bias).first(1); }),
            "shift_add_linear: bias.size() is 1, expected 0 or the number of output channels, 2");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.maps[1].zero_point = 3; }),
            "shift_add_linear: weight_maps[1].zero_point is 3, expected 0: terms are of code - zero_point");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.maps[1].scale = -1; }),
            "shift_add_linear: weight_maps[1].scale is -1, expected a positive, finite, normal number");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.input.zero_point = 256; }),
            "shift_add_linear: input.zero_point is 256, expected a code of its type, [0, 255]");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.output_codes = {5, 15};
            }),
            "shift_add_linear: output.zero_point is 4, expected one of the output_codes, [5, 15]");
}

}  // namespace
}  // namespace bitwright
