// SPDX-License-Identifier: MIT
#include "fashion_mnist/float_pass.hpp"

#include "fashion_mnist/batch_norm_between.hpp"
#include "fashion_mnist/folded_network.hpp"
#include "fashion_mnist/network.hpp"
#include <bitwright/core/executor.hpp>

#include <gtest/gtest.h>

#include <random>
#include <span>
#include <vector>

namespace fashion_mnist {
namespace {

using values = std::vector<double>;

values draw(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  values result(count);
  for (double& value : result) value = normal(random);
  return result;
}

/// Products without a bias.
struct nothing_between {
  void forward(const node&, std::span<double>) const {}
  void backward(const node&, std::span<double>) const {}
};

/// The definition: a sum over the window and the input channels of the group.
double convolved(const node& layer, const values& in, const values& weights, std::size_t image, std::size_t y,
                 std::size_t x, std::size_t channel) {
  const std::size_t group_size = layer.in_channels / layer.groups;
  const std::size_t group = channel / (layer.channels / layer.groups);
  double sum = 0;
  for (std::size_t ky = 0; ky < layer.kernel; ++ky)
    for (std::size_t kx = 0; kx < layer.kernel; ++kx)
      for (std::size_t c = 0; c < group_size; ++c) {
        const std::size_t row = y * layer.stride + ky - layer.padding, column = x * layer.stride + kx - layer.padding;
        if (row >= layer.in_size || column >= layer.in_size) continue;  // Left of 0 wraps around to a large number.
        const std::size_t pixel = (image * layer.in_size + row) * layer.in_size + column;
        sum += in[pixel * layer.in_channels + group * group_size + c] *
               weights[((channel * layer.kernel + ky) * layer.kernel + kx) * group_size + c];
      }
  return sum;
}

TEST(float_pass, convolves_as_the_definition_does) {
  for (const std::size_t kernel : {1u, 3u, 5u})
    for (const std::size_t stride : {1u, 2u, 3u})
      for (const bool depthwise : {false, true}) {
        network net(4, 3);
        const network::window filter{.kernel = kernel, .stride = stride};
        const node& layer = net[depthwise ? net.depthwise("layer", 0, filter) : net.convolution("layer", 0, 2, filter)];
        const std::size_t images = 2;
        const values in = draw(images * layer.inputs_per_image(), 1), weights = draw(layer.weights(), 2);
        float_pass<double> run(net, images);
        nothing_between between;
        const auto out = run.forward(in, weights, between, [](std::size_t, std::span<double>) {});
        ASSERT_EQ(out.size(), images * layer.outputs_per_image());
        for (std::size_t i = 0; i < out.size(); ++i) {
          const std::size_t pixel = i / layer.channels, row = pixel / layer.size;
          const double expected =
              convolved(layer, in, weights, row / layer.size, row % layer.size, pixel % layer.size, i % layer.channels);
          // Sums of at most 75 products of about 1, in another order: 75 * 75 * 2^-53 < 1e-12.
          EXPECT_NEAR(out[i], std::max(expected, 0.0), 1e-12) << kernel << stride << depthwise;
        }
      }
}

TEST(float_pass, adds_branches_and_averages_pixels) {
  network net(2, 1);
  net.global_average_pooling("mean", net.residual_add("sum", 0, 0));
  float_pass<double> run(net, 2);
  nothing_between between;
  const values pixels{1, 2, 3, 4, -1, -1, -1, 8};  // Twice that, negatives cut off: 2 4 6 8 and 0 0 0 16.
  const auto out = run.forward(pixels, values{}, between, [](std::size_t, std::span<double>) {});
  EXPECT_EQ(values(out.begin(), out.end()), (values{5, 4}));
}

/// A node of each kind, a window that leaves the image, strides, and two ways to most outputs.
network small_network() {
  network net(5, 2);
  const std::size_t first = net.convolution("first", 0, 4, {.kernel = 3});
  const std::size_t half = net.convolution("half", first, 3, {.kernel = 3, .stride = 2});
  const std::size_t depthwise = net.depthwise("depthwise", half, {.kernel = 3});
  const std::size_t pointwise = net.convolution("pointwise", depthwise, 3, {}, false);
  const std::size_t sum = net.residual_add("sum", half, pointwise);
  const std::size_t smaller = net.depthwise("smaller", sum, {.kernel = 3, .stride = 2});
  net.linear("classes", net.global_average_pooling("pooling", smaller), 3);
  return net;
}

/// Moves each parameter by 1e-6 either way. The loss is about 1, its rounding a few 1e-16, so the quotient is good to
/// 1e-15 / 2e-6 = 5e-10 and the cut-off third derivative times 1e-12 / 6: within 1e-7 where that is below 6e5. Behind
/// a batch norm of a dozen values it reaches 1e5.
template <class Loss>
void expect_gradient(std::span<double> parameters, std::span<const double> gradient, Loss loss) {
  ASSERT_EQ(parameters.size(), gradient.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double kept = parameters[i], step = 1e-6;
    parameters[i] = kept + step;
    const double after = loss();
    parameters[i] = kept - step;
    const double before = loss();
    parameters[i] = kept;
    EXPECT_NEAR(gradient[i], (after - before) / (2 * step), 1e-7) << i;
  }
}

const std::vector<std::uint8_t> labels{0, 2, 1};

TEST(backward, of_the_folded_network_is_the_quotient_of_small_differences) {
  const network net = small_network();
  values weights = draw(net.weights(), 3);
  const values biases = draw(net.weighted_channels(), 4), pixels = draw(3 * net.input().outputs_per_image(), 5);
  bitwright::serial_executor pool;
  const auto loss_and_gradient = [&](std::span<double> gradient) {
    return loss_gradient<double>(net, weights, biases, pixels, labels, pool, gradient);
  };
  values gradient(net.weights()), unused(net.weights());
  loss_and_gradient(gradient);
  expect_gradient(weights, gradient, [&] { return loss_and_gradient(unused); });
}

TEST(backward, of_training_is_the_quotient_of_small_differences) {
  const network net = small_network();
  values weights = draw(net.weights(), 6), gamma = draw(net.weighted_channels(), 7);
  values beta = draw(net.weighted_channels(), 8);
  const values pixels = draw(3 * net.input().outputs_per_image(), 9);
  float_pass<double> run(net, 3);
  batch_norm_between<double> norms(net);
  norms.gamma = gamma;
  norms.beta = beta;
  values cotangent(9), gradient(net.weights());
  const auto loss = [&] {
    const auto outputs = run.forward(pixels, weights, norms, [](std::size_t, std::span<double>) {});
    return cross_entropy<double>(outputs, labels, cotangent);
  };
  loss();
  run.backward(cotangent, weights, norms, std::span(gradient));
  expect_gradient(weights, gradient, loss);
  expect_gradient(beta, norms.beta_gradient, loss);
  expect_gradient(gamma, norms.gamma_gradient, loss);
}

}  // namespace
}  // namespace fashion_mnist
