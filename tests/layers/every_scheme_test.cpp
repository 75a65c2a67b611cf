// SPDX-License-Identifier: MIT
// A layer with the weights of every scheme against the floats that the scheme restores, multiplied exactly. Other layers
// with weights take the same integers and maps.
#include "exact_rounding.hpp"
#include "random_codes.hpp"
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/quantizers/additive_power_of_two.hpp>
#include <bitwright/quantizers/binary.hpp>
#include <bitwright/quantizers/breakpoints.hpp>
#include <bitwright/quantizers/codebook.hpp>
#include <bitwright/quantizers/fixed_point.hpp>
#include <bitwright/quantizers/k_means.hpp>
#include <bitwright/quantizers/learned_bases.hpp>
#include <bitwright/quantizers/logarithmic.hpp>
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/quantizers/power_of_two.hpp>
#include <bitwright/quantizers/term.hpp>
#include <bitwright/quantizers/ternary.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

constexpr std::size_t outputs = 19, inputs = 45, rows = 7;
constexpr affine_scale input_map{0.02f, 7}, output_map{0.05f, 3};

std::vector<float> gaussian_weights() {
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> values(outputs * inputs);
  for (float& value : values) value = normal(generator);
  return values;
}

const std::vector<float> weights = gaussian_weights();

std::vector<float> restored_weights(const auto& fitted) {
  using code = typename std::remove_cvref_t<decltype(fitted)>::code_type;
  std::vector<code> codes(weights.size());
  std::vector<float> values(weights.size());
  fitted.quantize(weights, codes);
  fitted.dequantize(codes, values);
  return values;
}

/// The whole number that a float is of a scale. It may lie `error` beside it.
std::int64_t multiple_of(float scale, float value, double error) {
  const auto whole = static_cast<std::int64_t>(std::llround(double{value} / scale));
  if (error == 0) {
    EXPECT_EQ(static_cast<float>(double{scale} * static_cast<double>(whole)), value);
  } else {
    EXPECT_LE(std::abs(double{scale} * static_cast<double>(whole) - value), error * (1 + 0x1p-20));
  }
  return whole;
}

/// The codes of a linear layer with those floats as weights, from whole numbers in 64 bits.
std::vector<std::int16_t> exact_outputs(std::span<const float> floats, std::span<const affine_scale> maps,
                                        const std::vector<std::uint8_t>& input, std::span<const double> errors) {
  std::vector<std::int16_t> codes;
  for (std::size_t m = 0; m < rows; ++m)
    for (std::size_t n = 0; n < outputs; ++n) {
      const float scale = maps[maps.size() == 1 ? 0 : n].scale;
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < inputs; ++k)
        sum += (input[m * inputs + k] - input_map.zero_point) *
               multiple_of(scale, floats[n * inputs + k], errors[maps.size() == 1 ? 0 : n]);
      const dyadic factor = dyadic::nearest(double{input_map.scale} * scale / double{output_map.scale});
      codes.push_back(static_cast<std::int16_t>(
          reference::code_of<half_to_even>(sum, factor, output_map.zero_point, -32768, 32767)));
    }
  return codes;
}

/// What a quantizer's integers are off by, as they say; codes with a map are exact.
template <class Q>
double stated_error(const Q& q) {
  if constexpr (affine_weight_quantizer<Q>)
    return 0;
  else
    return integer_levels_of(q).error;
}

/// `fit` makes a channel's quantizer, whose levels are on a grid or near one.
template <class Granularity, class Fit>
void expect_exact(Granularity granularity, Fit fit, bool on_a_grid) {
  const auto fitted = fit_slices(tensor_view<const float>(weights, {outputs, inputs}), granularity, fit);
  std::vector<double> errors;
  for (const auto& q : fitted.quantizers()) {
    errors.push_back(stated_error(q));
    EXPECT_TRUE(!on_a_grid || errors.back() == 0);
  }
  const quantized_weights quantized = quantize_weights(fitted, weights);
  const auto input = reference::narrowed<std::uint8_t>(reference::random_codes(1).many(rows * inputs, 0, 255));
  const auto expected = exact_outputs(restored_weights(fitted), quantized.maps, input, errors);
  for (const auto& path : kernels::gemm_paths<std::uint8_t, std::int16_t, half_to_even>) {
    if (!path.available()) continue;
    const linear<std::uint8_t, std::int16_t> layer(
        {.input = input_map, .weights = quantized.codes, .weight_maps = quantized.maps, .output = output_map},
        path.name);
    std::vector<std::int16_t> output(rows * outputs);
    std::vector<std::byte> workspace(layer.workspace_bytes());
    layer.run(input, output, workspace);
    ASSERT_EQ(output, expected) << path.name;
  }
}

template <class Fit>
void expect_exact_in_both_granularities(Fit fit, bool on_a_grid = true) {
  expect_exact(per_tensor{}, fit, on_a_grid);
  expect_exact(per_channel{}, fit, on_a_grid);
}

TEST(every_scheme, of_uniform_codes_is_exact) {
  for (const int bits : {2, 3, 4, 8})
    expect_exact_in_both_granularities(
        [bits](auto values) { return uniform<dynamic_bits, std::int8_t>::symmetric(range_of(values), bits); });
  expect_exact_in_both_granularities([](auto values) { return uniform<8, std::uint8_t>::affine(range_of(values)); });
  expect_exact_in_both_granularities([](auto) { return fixed_point<1, 7>(); });
}

TEST(every_scheme, of_powers_of_two_is_exact) {
  for (const int bits : {2, 3, 4}) {
    expect_exact_in_both_granularities([bits](auto values) { return power_of_two::symmetric(range_of(values), bits); });
    expect_exact_in_both_granularities(
        [bits](auto values) { return logarithmic<>::symmetric(range_of(values), bits); });
  }
  expect_exact_in_both_granularities(
      [](auto values) { return logarithmic<base_two, most_significant_bit>::of_uniform_codes(range_of(values), 8); });
}

TEST(every_scheme, of_additive_powers_of_two_is_exact) {
  expect_exact_in_both_granularities([](auto values) { return additive_power_of_two<3>::symmetric(range_of(values)); });
  expect_exact_in_both_granularities([](auto values) { return additive_power_of_two<4>::symmetric(range_of(values)); });
  expect_exact_in_both_granularities([](auto values) { return additive_power_of_two<5>::symmetric(range_of(values)); });
  expect_exact_in_both_granularities([](auto values) { return additive_power_of_two<6>::symmetric(range_of(values)); });
}

TEST(every_scheme, of_signs_and_zeros_is_exact) {
  expect_exact_in_both_granularities([](auto values) { return binary::fit(values); });
  expect_exact_in_both_granularities([](auto values) { return ternary::optimal(values); });
}

TEST(every_scheme, of_small_floats_is_exact) {
  expect_exact_in_both_granularities([](auto values) { return fp4_e2m1::symmetric(range_of(values)); });
  expect_exact_in_both_granularities([](auto values) { return fp6_e2m3::symmetric(range_of(values)); });
}

TEST(every_scheme, of_terms_is_exact) {
  expect_exact_in_both_granularities([](auto values) { return term<>::symmetric(range_of(values), 7, {8, 16}); });
  expect_exact_in_both_granularities([](auto values) {
    return term<binary_digits>::symmetric(range_of(values), 8, {8, 24});
  });
}

TEST(every_scheme, of_levels_anywhere_is_as_near_as_its_grid_says) {
  expect_exact_in_both_granularities([](auto values) { return normal_float4(range_of(values).limit()); }, false);
  expect_exact_in_both_granularities([](auto values) { return codebook<16>(k_means(values, 16)); }, false);
  expect_exact_in_both_granularities([](auto values) { return learned_bases::fit(values, 2); }, false);
  expect_exact_in_both_granularities([](auto values) { return search_breakpoints(values, 3); }, false);
  expect_exact_in_both_granularities(
      [](auto values) { return logarithmic<base_sqrt_two>::symmetric(range_of(values), 4); }, false);
}

}  // namespace
}  // namespace bitwright
