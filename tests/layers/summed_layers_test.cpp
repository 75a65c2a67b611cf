// SPDX-License-Identifier: MIT
// Layers of summed weights against sums of whole numbers, and against the floats that their weights stand for.
#include "guarded_memory.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/summed_layers.hpp>
#include <bitwright/quantizers/breakpoints.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::fence;
using reference::guarded_memory;
using reference::naive_convolution;
using reference::random_codes;
using reference::refusal;

/// A convolution, or a linear layer as its 1x1 case, with random levels, scales and biases.
struct summed_problem {
  naive_convolution shape;  ///< All but weights.
  summed_weights weights;
  std::vector<float> bias;
  std::vector<std::uint8_t> input;
  affine_scale in{0.0123f, 37}, out{0.31f, 5};

  summed_problem(const naive_convolution& of, std::size_t summands, std::uint32_t seed) : shape(of) {
    random_codes random(seed);
    const auto outputs = static_cast<std::size_t>(of.outputs);
    const std::int64_t count = of.outputs * inputs();
    for (std::size_t r = 0; r < summands; ++r) {
      // Levels of 16 values, of 4 and of any: packed narrow, narrower and not at all.
      const std::int64_t least = r % 3 == 0 ? -8 : r % 3 == 1 ? -1 : -128, most = r % 3 == 2 ? 127 : -1 - least;
      weight_summand summand{tensor<std::int8_t>({outputs, static_cast<std::size_t>(of.down.kernel),
                                                  static_cast<std::size_t>(of.across.kernel),
                                                  static_cast<std::size_t>(of.group_channels)}),
                             {}};
      std::ranges::copy(reference::narrowed<std::int8_t>(random.many(count, least, most)),
                        summand.levels.values().begin());
      for (std::size_t n = 0; n < outputs; ++n)
        summand.scales.push_back(n % 5 == 4 ? 0 : static_cast<float>(random.between(-500, 1000)) * 1e-4f);
      weights.summands.push_back(std::move(summand));
    }
    for (std::size_t n = 0; n < outputs; ++n) bias.push_back(static_cast<float>(random.between(-900, 900)) * 1e-2f);
    shape.activations =
        random.many(of.images * of.down.image * of.across.image * of.groups * of.group_channels, 0, 255);
    shape.activation_zero_point = in.zero_point;
    shape.weight_zero_points.assign(outputs, 0), shape.bias.assign(outputs, 0);
    input = reference::narrowed<std::uint8_t>(shape.activations);
  }

  std::int64_t inputs() const { return shape.down.kernel * shape.across.kernel * shape.group_channels; }

  /// The shift that leaves the greatest factor of output n 31 bits.
  int shift(std::size_t n) const {
    double greatest = 0;
    for (const weight_summand& summand : weights.summands) greatest = std::max(greatest, std::abs(factor(summand, n)));
    return greatest == 0 ? 31 : dyadic::nearest(greatest).shift;
  }
  double factor(const weight_summand& summand, std::size_t n) const {
    return double{in.scale} * double{summand.scales[n]} / double{out.scale};
  }

  /// Each output code, by the formula.
  std::vector<std::int16_t> expected() const {
    std::vector<naive_convolution> summands;
    for (const weight_summand& summand : weights.summands) {
      summands.push_back(shape);
      summands.back().weights.assign(summand.levels.values().begin(), summand.levels.values().end());
    }
    std::vector<std::int16_t> codes;
    for (std::int64_t image = 0; image < shape.images; ++image)
      for (std::int64_t y = 0; y < shape.down.windows(); ++y)
        for (std::int64_t x = 0; x < shape.across.windows(); ++x)
          for (std::int64_t n = 0; n < shape.outputs; ++n) {
            const auto at = static_cast<std::size_t>(n);
            auto sum =
                static_cast<std::int64_t>(std::nearbyint(std::ldexp(double{bias[at]} / double{out.scale}, shift(at))));
            for (std::size_t r = 0; r < summands.size(); ++r)
              sum += summands[r].accumulator(image, y, x, n) *
                     std::llround(std::ldexp(factor(weights.summands[r], at), shift(at)));
            const std::int64_t rounded = reference::divide(sum, shift(at), reference::direction::even_at_ties);
            codes.push_back(static_cast<std::int16_t>(std::clamp<std::int64_t>(rounded + out.zero_point, -999, 999)));
          }
    return codes;
  }

  summed_linear<std::uint8_t, std::int16_t> linear(std::string_view path = {}) const {
    summed_weights matrix;
    for (const weight_summand& summand : weights.summands) {
      tensor<std::int8_t> levels({static_cast<std::size_t>(shape.outputs), static_cast<std::size_t>(inputs())});
      std::ranges::copy(summand.levels.values(), levels.values().begin());
      matrix.summands.push_back({levels, summand.scales});
    }
    return summed_linear<std::uint8_t, std::int16_t>(
        {.input = in, .weights = matrix, .bias = bias, .output = out, .output_codes = {-999, 999}}, path);
  }

  summed_convolution<std::uint8_t, std::int16_t> convolution(std::string_view path = {}) const {
    const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
    return summed_convolution<std::uint8_t, std::int16_t>(
        {.input = in,
         .image = {size(shape.down.image), size(shape.across.image)},
         .weights = weights,
         .bias = bias,
         .stride = {size(shape.down.stride), size(shape.across.stride)},
         .padding = {.top = size(shape.down.before),
                     .bottom = size(shape.down.after),
                     .left = size(shape.across.before),
                     .right = size(shape.across.after)},
         .groups = size(shape.groups),
         .output = out,
         .output_codes = {-999, 999}},
        path);
  }
};

/// What a plan makes, in buffers at a page that nobody may touch.
std::vector<std::int16_t> guarded_run(const auto& layer, const std::vector<std::uint8_t>& input, fence side) {
  reference::fenced_call::is("a sum of layers, " + std::string(layer.path()));
  const guarded_memory<std::uint8_t> codes(input, side);
  const guarded_memory<std::int16_t> output(input.size() / layer.input_size() * layer.output_size(), side);
  const guarded_memory<std::byte> workspace(layer.workspace_bytes(), side);
  layer.run(codes.elements(), output.elements(), workspace.elements());
  EXPECT_TRUE(output.is_intact_around() && workspace.is_intact_around());
  return {output.elements().begin(), output.elements().end()};
}

TEST(summed_linear, is_exact_on_every_path) {
  for (const std::int64_t outputs : {1, 7, 16, 37})
    for (const std::int64_t summands : {1, 2, 4}) {
      const summed_problem problem({.images = 3 + 20 * summands, .group_channels = 90, .outputs = outputs},
                                   static_cast<std::size_t>(summands), static_cast<std::uint32_t>(outputs));
      const auto expected = problem.expected();
      for (const auto& path : kernels::gemm_paths<std::uint8_t, std::int32_t, half_to_even>) {
        if (!path.available()) continue;
        for (const fence side : {fence::before, fence::after})
          ASSERT_EQ(guarded_run(problem.linear(path.name), problem.input, side), expected) << path.name << outputs;
      }
    }
}

const std::vector<naive_convolution> convolutions = {
    {.down = {9, 3, 2, 1, 1, 0}, .across = {7, 3, 1, 1, 1, 1}, .images = 2, .group_channels = 5, .outputs = 18},
    {.down = {6, 2}, .across = {6, 2}, .images = 2, .groups = 2, .group_channels = 3, .outputs = 8},
    {.down = {8, 3, 1, 1, 1, 1}, .across = {8, 3, 1, 1, 1, 1}, .images = 3, .groups = 20, .outputs = 20}};

TEST(summed_convolution, is_exact_on_every_path) {
  for (const naive_convolution& shape : convolutions) {
    const summed_problem problem(shape, 2, 5);
    const auto expected = problem.expected();
    for (const auto& path : kernels::convolution_paths<std::uint8_t, std::int32_t, half_to_even>) {
      if (!path.available()) continue;
      for (const fence side : {fence::before, fence::after})
        ASSERT_EQ(guarded_run(problem.convolution(path.name), problem.input, side), expected) << path.name;
    }
  }
}

TEST(summed_linear, of_piecewise_linear_weights_is_the_floats_product_but_for_one_rounding) {
  // Half a step of the output. Beside that each of two factors is off by 2^-32 of the greater one, times accumulators of
  // at most 90 * 255 * 15: 2^-31 * 2^19 of 0.0123 * 0.02 / 0.31 is nothing here, and neither is the bias' last bit.
  random_codes random(3);
  std::vector<float> values;
  for (int i = 0; i < 37 * 90; ++i) values.push_back(std::ldexp(static_cast<float>(random.between(-999, 999)), -12));
  for (std::size_t i = 0; i < values.size(); i += 11) values[i] *= 4;
  const auto fitted = fit_slices(tensor_view<const float>(values, {37, 90}), per_channel{},
                                 [](auto channel) { return search_breakpoints(channel, 4); });
  std::vector<std::uint8_t> codes(values.size());
  std::vector<float> weights(values.size());
  fitted.quantize(values, codes);
  fitted.dequantize(codes, weights);
  const summed_weights sums = sum_weights(fitted, std::span(values));
  ASSERT_EQ(sums.summands.size(), 2u);
  const affine_scale in{0.0123f, 37}, out{0.31f, 5};
  const summed_linear<std::uint8_t, std::int16_t> layer({.input = in, .weights = sums, .output = out});
  const auto input = reference::narrowed<std::uint8_t>(random.many(50 * 90, 0, 255));
  const auto output = guarded_run(layer, input, fence::after);
  for (std::size_t m = 0; m < 50; ++m)
    for (std::size_t n = 0; n < 37; ++n) {
      double exact = 0;
      for (std::size_t k = 0; k < 90; ++k)
        exact += double{in.scale} * (input[m * 90 + k] - in.zero_point) * double{weights[n * 90 + k]};
      ASSERT_LE(std::abs(exact / double{out.scale} + out.zero_point - output[m * 37 + n]), 0.5 + 1e-6);
    }
}

TEST(summed_layers, give_the_same_bits_on_one_thread_and_on_two) {
  const summed_problem rows({.images = 200, .group_channels = 40, .outputs = 24}, 2, 9);
  const auto linear = rows.linear();
  const summed_problem images(convolutions[0], 2, 9);
  const auto convolution = images.convolution();
  const auto on_two = [](const auto& layer, const std::vector<std::uint8_t>& input) {
    std::vector<std::int16_t> output(input.size() / layer.input_size() * layer.output_size());
    std::vector<std::byte> workspace(layer.workspace_bytes());
    reference::two_threads pool;
    layer.run(input, output, workspace, pool);
    return output;
  };
  EXPECT_EQ(on_two(linear, rows.input), rows.expected());
  EXPECT_EQ(on_two(convolution, images.input), images.expected());
  static_assert(noexcept(linear.run({}, {}, {})));
}

TEST(summed_layers, are_copied_and_moved_freely_and_take_no_rows) {
  const summed_problem problem({.images = 4, .group_channels = 10, .outputs = 3}, 2, 2);
  auto layer = problem.linear();
  const auto copy = layer;
  const auto moved = std::move(layer);
  EXPECT_EQ(guarded_run(copy, problem.input, fence::after), problem.expected());
  EXPECT_EQ(guarded_run(moved, problem.input, fence::after), problem.expected());
  EXPECT_TRUE(guarded_run(copy, {}, fence::after).empty());
}

/// How a layer of 2 outputs x 3 inputs is refused after `change` to its weights or its description.
template <class Change>
std::string refusal_after(Change change) {
  return refusal([&] {
    summed_weights weights{{{tensor<std::int8_t>({2, 3}), {1, 1}}, {tensor<std::int8_t>({2, 3}), {1, 1}}}};
    summed_linear<>::description description{.input = {1, 0}, .weights = weights, .output = {1, 0}};
    change(weights, description);
    summed_linear<> layer(description);
  });
}

TEST(summed_layers, refuse_by_name_what_they_cannot_run) {
  EXPECT_EQ(refusal_after([](auto& weights, auto&) { weights.summands.clear(); }),
            "summed_linear: weights.summands.size() is 0, expected at least 1");
  EXPECT_EQ(refusal_after([](auto& weights, auto&) {
              weights.summands[1].levels = tensor<std::int8_t>({3, 2});
            }),
            "summed_linear: weights.shape() is [3, 2], expected that of all summands, [2, 3]");
  EXPECT_EQ(refusal_after([](auto& weights, auto&) { weights.summands[1].scales.pop_back(); }),
            "summed_linear: weights.scales.size() is 1, expected the number of output channels, 2");
  EXPECT_EQ(refusal_after(
                [](auto& weights, auto&) { weights.summands[1].scales[0] = std::numeric_limits<float>::quiet_NaN(); }),
            "summed_linear: weights.scales is nan, expected a finite number");
  EXPECT_EQ(refusal_after([](auto& weights, auto&) { weights.summands[0].scales[1] = 0x1p31f; }),
            "summed_linear: input.scale * weights.scales[1] / output.scale is 2147483648, expected [2^-32, 2^30)");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.output.zero_point = 256; }),
            "summed_linear: output.zero_point is 256, expected one of the output_codes, [0, 255]");
  const std::vector<float> bias{0, 1e12f};
  EXPECT_EQ(refusal_after([&](auto&, auto& d) { d.bias = bias; }),
            "summed_linear: bias[1] is 1e+12, expected at most 2^61 steps of 9.313225746154785e-10");
}

TEST(summed_layers, refuse_sums_that_could_exceed_62_bits) {
  // 66310 products of 127 and 255 are 2147449350, a little below 2^31, times multipliers of 2^30.
  const auto refusal_of = [](std::size_t summands) {
    weight_summand summand{tensor<std::int8_t>({1, 66310}), {1}};
    std::ranges::fill(summand.levels.values(), std::int8_t{127});
    const summed_weights weights{std::vector<weight_summand>(summands, summand)};
    return refusal([&] { summed_linear<>({.input = {1, 0}, .weights = weights, .output = {1, 0}}, "scalar"); });
  };
  EXPECT_EQ(refusal_of(2), "nothing was refused");
  EXPECT_EQ(refusal_of(3),
            "summed_linear: the sum's extreme in output channel 0 is 6917418546049843200, expected at most 2^62 for "
            "every input: fewer weights or a smaller bias");
}

}  // namespace
}  // namespace bitwright
