// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/mixed_precision/gauss_newton_trace.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace bitwright {
namespace {

using sizes = std::vector<std::size_t>;
constexpr std::size_t samples = 5, inputs = 3, hidden = 4, classes = 3;

/// outputs = W2 tanh(W1 x) for five fixed samples x; 12 + 12 weights.
struct network {
  static double input(std::size_t sample, std::size_t i) {
    return std::sin(static_cast<double>(5 * sample + 2 * i + 1));
  }
  static double first(std::size_t h, std::size_t i) { return std::cos(static_cast<double>(3 * h + 7 * i)); }
  static double second(std::size_t c, std::size_t h) { return 2 * std::sin(static_cast<double>(4 * c + h + 2)); }

  void operator()(std::size_t sample, const cotangent_source<double>& cotangent_of, std::span<double> gradient) const {
    double activation[hidden], outputs[classes], cotangent[classes];
    for (std::size_t h = 0; h < hidden; ++h) {
      double sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) sum += first(h, i) * input(sample, i);
      activation[h] = std::tanh(sum);
    }
    for (std::size_t c = 0; c < classes; ++c) {
      outputs[c] = 0;
      for (std::size_t h = 0; h < hidden; ++h) outputs[c] += second(c, h) * activation[h];
    }
    cotangent_of(outputs, cotangent);
    for (std::size_t h = 0; h < hidden; ++h) {
      double back = 0;
      for (std::size_t c = 0; c < classes; ++c) {
        gradient[hidden * inputs + c * hidden + h] = cotangent[c] * activation[h];
        back += cotangent[c] * second(c, h);
      }
      for (std::size_t i = 0; i < inputs; ++i)
        gradient[h * inputs + i] = back * (1 - activation[h] * activation[h]) * input(sample, i);
    }
  }
};
const sizes layers{hidden * inputs, classes* hidden};

/// Tr(J_l' C J_l) averaged over the samples, J row by row from unit cotangents: the exact Gauss-Newton traces.
std::vector<double> exact_traces(bool cross_entropy) {
  std::vector<double> traces(2);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    std::vector<double> rows[classes], p(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      rows[c].resize(24);
      const cotangent_source<double> unit = [&](std::span<const double> outputs, std::span<double> cotangent) {
        double total = 0;
        for (const double output : outputs) total += std::exp(output);
        for (std::size_t i = 0; i < classes; ++i) p[i] = std::exp(outputs[i]) / total;
        for (std::size_t i = 0; i < classes; ++i) cotangent[i] = i == c;
      };
      network{}(sample, unit, rows[c]);
    }
    for (std::size_t i = 0; i < 24; ++i)
      for (std::size_t a = 0; a < classes; ++a)
        for (std::size_t b = 0; b < classes; ++b)
          traces[i / 12] += rows[a][i] * rows[b][i] / samples *
                            (cross_entropy ? (a == b) * p[a] - p[a] * p[b] : static_cast<double>(a == b));
  }
  return traces;
}

trace_options exactly(std::size_t probes, std::uint64_t seed = 0) {
  return {.relative_tolerance = 0, .maximum_probes = probes, .seed = seed};
}

template <class Cotangent>
void expect_unbiased_and_covering(const std::vector<double>& exact) {
  // 300 trials of 64 probes. 1.998 standard errors (Student's t, 63 degrees of freedom) cover 95 %, of 300 with a
  // standard deviation of 0.0126: [0.90, 0.99] leaves 4 and 3 of them. The mean of all trials has its own standard
  // error, 5 of which it passes once in 1.7 million times.
  constexpr int trials = 300;
  sample_mean mean[2];
  int covered[2] = {};
  for (std::uint64_t seed = 0; seed < trials; ++seed) {
    const trace_report report = gauss_newton_traces<double>(network{}, samples, Cotangent{}, layers, exactly(64, seed));
    for (std::size_t layer = 0; layer < 2; ++layer) {
      mean[layer].add(report.layers[layer].trace);
      covered[layer] +=
          std::abs(report.layers[layer].trace - exact[layer]) <= 1.998 * report.layers[layer].standard_error;
    }
  }
  for (std::size_t layer = 0; layer < 2; ++layer) {
    EXPECT_NEAR(mean[layer].mean(), exact[layer], 5 * mean[layer].standard_error()) << layer;
    EXPECT_GE(covered[layer], 0.90 * trials) << layer;
    EXPECT_LE(covered[layer], 0.99 * trials) << layer;
  }
}

TEST(gauss_newton_traces, are_unbiased_for_cross_entropy_and_their_intervals_cover) {
  expect_unbiased_and_covering<cross_entropy_cotangent>(exact_traces(true));
}

TEST(gauss_newton_traces, are_unbiased_for_squared_error_and_their_intervals_cover) {
  expect_unbiased_and_covering<squared_error_cotangent>(exact_traces(false));
}

TEST(gauss_newton_traces, of_one_linear_output_are_exact_from_one_probe) {
  // f = w1 x1 + w2 x2 + b with x = (3, 4) and half the squared error: G = (3, 4, 1)(3, 4, 1)'.
  const auto backward = [](std::size_t, const cotangent_source<float>& cotangent_of, std::span<float> gradient) {
    float output = 0.5f, cotangent = 0;
    cotangent_of(std::span(&output, 1), std::span(&cotangent, 1));
    gradient[0] = 3 * cotangent;
    gradient[1] = 4 * cotangent;
    gradient[2] = cotangent;
  };
  const trace_report report =
      gauss_newton_traces<float>(backward, 1, squared_error_cotangent{}, sizes{2, 1}, exactly(1));
  EXPECT_EQ(report.layers[0].trace, 25);
  EXPECT_EQ(report.layers[1].trace, 1);
  EXPECT_EQ(report.products, 1u);
}

/// A thread for each piece of work.
struct threads {
  template <class Work>
  void parallel_for(std::size_t count, Work&& work) const {
    std::vector<std::thread> running;
    for (std::size_t i = 0; i < count; ++i) running.emplace_back([&work, i] { work(i); });
    for (std::thread& thread : running) thread.join();
  }
};

TEST(gauss_newton_traces, are_the_same_bit_by_bit_on_any_number_of_threads) {
  const auto serial = gauss_newton_traces<double>(network{}, samples, cross_entropy_cotangent{}, layers, exactly(37));
  const auto parallel =
      gauss_newton_traces<double>(network{}, samples, cross_entropy_cotangent{}, layers, exactly(37), threads{});
  for (std::size_t layer = 0; layer < 2; ++layer) {
    EXPECT_EQ(serial.layers[layer].trace, parallel.layers[layer].trace);
    EXPECT_EQ(serial.layers[layer].standard_error, parallel.layers[layer].standard_error);
    EXPECT_EQ(parallel.layers[layer].probes, 37u);
  }
}

TEST(gauss_newton_traces, have_a_larger_maximum_by_default_than_estimators_whose_probes_cost_more) {
  const trace_options unreachable{.relative_tolerance = 0};
  const auto sketched = gauss_newton_traces<double>(network{}, samples, cross_entropy_cotangent{}, layers, unreachable);
  EXPECT_EQ(sketched.products, 8192u);
  EXPECT_EQ(sketched.stop, trace_stop::maximum);
  const auto product = [](std::span<const double> direction, std::span<double> result) {
    result[0] = direction[1];
    result[1] = direction[0];
  };
  EXPECT_EQ(hessian_traces<double>(product, sizes{2}, unreachable).products, 256u);
}

TEST(gauss_newton_traces, draw_every_sample) {
  std::vector<int> drawn(samples);
  const auto backward = [&](std::size_t sample, const cotangent_source<double>& cotangent_of,
                            std::span<double> gradient) {
    ++drawn[sample];
    network{}(sample, cotangent_of, gradient);
  };
  gauss_newton_traces<double>(backward, samples, cross_entropy_cotangent{}, layers, exactly(1000));
  // 200 each, with a standard deviation of sqrt(1000 * 0.2 * 0.8) = 12.6.
  for (const int times : drawn) EXPECT_NEAR(times, 200, 64);
}

TEST(gauss_newton_traces, name_probe_sample_and_layer_of_a_gradient_that_is_not_finite) {
  int calls = 0;
  const auto forgets = [&](std::size_t, const cotangent_source<double>&, std::span<double> gradient) {
    gradient[0] = 1;
    if (++calls <= 4) gradient[1] = 1;
  };
  EXPECT_EQ(reference::refusal([&] {
              gauss_newton_traces<double>(forgets, 1, squared_error_cotangent{}, sizes{1, 1});
            }),
            "gauss_newton_traces: squared norm of the gradient of probe 4, sample 0, layer 1 is nan, expected a finite "
            "number");
  EXPECT_THROW(gauss_newton_traces<double>(forgets, 0, squared_error_cotangent{}, sizes{1, 1}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
