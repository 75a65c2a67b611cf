// SPDX-License-Identifier: MIT
// Sensitivities of activations: the same metrics, with curvature by activations and activations in place of weights.
#include <bitwright/mixed_precision/gauss_newton_trace.hpp>
#include <bitwright/mixed_precision/output_divergence_metric.hpp>
#include <bitwright/mixed_precision/quadratic_form_metric.hpp>
#include <bitwright/mixed_precision/sensitivity_metric.hpp>
#include <bitwright/mixed_precision/sensitivity_table.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bitwright {
namespace {

/// Activations a = (1, 2), then b = (a1 + a2, a2) = (3, 2), then the output b1 + 2 b2 = 7, which is the target: the loss
/// is (output - 7)^2 / 2. By b the output's derivative is (1, 2), by a it is (1, 3).
const std::vector<float> activations{1, 2, 3, 2};
const std::vector<std::size_t> sizes{2, 2};
float output(float b1, float b2) { return b1 + 2 * b2; }
float output_with(std::size_t layer, std::span<const float> values) {
  return layer == 0 ? output(values[0] + values[1], values[1]) : output(values[0], values[1]);
}

/// One sample's backward pass, which leaves the derivatives by activations instead of those by weights.
void backward(std::size_t, const cotangent_source<double>& cotangent_of, std::span<double> gradient) {
  const double outputs[] = {7};
  double u = 0;
  cotangent_of(outputs, std::span(&u, 1));
  gradient[0] = u;
  gradient[1] = 3 * u;
  gradient[2] = u;
  gradient[3] = 2 * u;
}

/// Steps of 3 at 2 bits, -3, 0 and 3: a becomes (0, 3) and b (3, 3). Steps of 1 at 3 bits lose nothing.
const auto make_quantizer = [](std::size_t, int bits, std::span<const float>) {
  return uniform<>::symmetric({-3, 3}, bits);
};
const std::vector<int> bits{2, 3};

std::vector<double> omegas(auto&& metric) {
  std::vector<double> result;
  for (const auto& row : make_sensitivity_table(metric, sizes, bits, activations, make_quantizer))
    for (const sensitivity_cell& cell : row) result.push_back(cell.estimate.omega);
  return result;
}

TEST(activation_sensitivity, is_the_mean_trace_by_activations_times_their_squared_error) {
  // Traces 1 + 9 and 1 + 4; squared errors 1 + 1 and 0 + 1.
  const auto traces = gauss_newton_traces<double>(backward, 1, squared_error_cotangent{}, sizes);
  EXPECT_EQ(omegas(mean_trace_metric{traces.layers}), (std::vector<double>{10.0 / 2 * 2, 0, 5.0 / 2 * 1, 0}));
}

TEST(activation_sensitivity, as_a_quadratic_form_is_the_loss_itself_where_the_output_is_linear) {
  // H is g g' with g = (1, 3) in a's block and (1, 2) in b's.
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    const double along_a = direction[0] + 3 * direction[1], along_b = direction[2] + 2 * direction[3];
    const double image[] = {along_a, 3 * along_a, along_b, 2 * along_b};
    std::ranges::copy(image, result.begin());
  };
  quadratic_form_metric<double, decltype(product)> metric(product, sizes);
  // The output is 9 for the quantized a, 3 + 2 * 3, and for the quantized b: (9 - 7)^2 / 2.
  EXPECT_EQ(omegas(metric), (std::vector<double>{2, 0, 2, 0}));
}

TEST(activation_sensitivity, as_output_divergence_runs_the_network_from_there) {
  // Two classes, the output and 0, for two samples that are alike. KL(softmax(7, 0) || softmax(9, 0)) =
  // p (7 - 9) + log((1 + e^9) / (1 + e^7)) with p = e^7 / (1 + e^7).
  const auto forward = [](std::size_t layer, std::span<const float> values, std::span<float> outputs) {
    for (std::size_t sample = 0; sample < 2; ++sample) {
      outputs[2 * sample] = output_with(layer, values);
      outputs[2 * sample + 1] = 0;
    }
  };
  output_divergence_metric metric({7, 0, 7, 0}, 2, forward);
  const double divergence = -2 / (1 + std::exp(-7)) + std::log((1 + std::exp(9)) / (1 + std::exp(7)));
  const std::vector<double> found = omegas(metric);
  EXPECT_NEAR(found[0], divergence, 1e-14);  // A few roundings of numbers below 10: 2^-53 * 10 each.
  EXPECT_EQ(found[1], 0);
  EXPECT_NEAR(found[2], divergence, 1e-14);
  EXPECT_EQ(found[3], 0);
}

}  // namespace
}  // namespace bitwright
