// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/mixed_precision/hessian_trace.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

using sizes = std::vector<std::size_t>;

/// The product with a dense row-major matrix.
struct dense {
  std::vector<double> matrix;
  void operator()(std::span<const double> direction, std::span<double> result) const {
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = std::inner_product(direction.begin(), direction.end(),
                                     matrix.begin() + static_cast<std::ptrdiff_t>(i * result.size()), 0.0);
  }
};

trace_options exactly(std::size_t probes, std::uint64_t seed = 0) {
  return {.relative_tolerance = 0, .maximum_probes = probes, .seed = seed};
}

TEST(hessian_traces, of_a_diagonal_hessian_are_exact_from_one_probe) {
  const auto product = [](std::span<const float> direction, std::span<float> result) {
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<float>(i + 1) * direction[i];
  };
  const trace_report report = hessian_traces<float>(product, sizes{60, 40}, exactly(1));
  EXPECT_EQ(report.layers[0].trace, 1830);  // 60 * 61 / 2
  EXPECT_EQ(report.layers[1].trace, 3220);  // 100 * 101 / 2 - 1830
  EXPECT_EQ(report.layers[1].mean_trace(), 80.5);
  EXPECT_EQ(report.layers[0].standard_error, std::numeric_limits<double>::infinity());  // Unknown from one sample.
  EXPECT_EQ(report.products, 1u);
}

TEST(hessian_traces, of_three_parabolas_are_their_curvatures) {
  // 4 x^2, x^2 and x^2 / 10, a layer each.
  const std::vector<double> weights{0.5, -1, 2};
  central_difference product(weights, [](std::span<const double> w, std::span<double> gradient) {
    gradient[0] = 8 * w[0];
    gradient[1] = 2 * w[1];
    gradient[2] = 0.2 * w[2];
  });
  const trace_report report = hessian_traces<double>(product, sizes{1, 1, 1});
  // h |v| / |w| = 2 eps^(1/3) = 1.2e-5, so rounding is at most eps / 1.2e-5 = 2e-11 of a curvature times |w| sqrt 3
  // = 4.
  EXPECT_NEAR(report.layers[0].trace, 8, 1e-9);
  EXPECT_NEAR(report.layers[1].trace, 2, 1e-9);
  EXPECT_NEAR(report.layers[2].trace, 0.2, 1e-9);
  EXPECT_EQ(report.stop, trace_stop::tolerance);
  EXPECT_EQ(report.products, 8u);
  EXPECT_EQ(report.gradients, 16u);
}

TEST(hessian_traces, sample_2_or_6_from_the_matrix_2_1_1_2) {
  int sixes = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const double sample = hessian_traces<double>(dense{{2, 1, 1, 2}}, sizes{2}, exactly(1, seed)).layers[0].trace;
    EXPECT_TRUE(sample == 2 || sample == 6) << sample;
    sixes += sample == 6;
  }
  EXPECT_NEAR(sixes, 50, 25);  // Five standard deviations of 100 fair coins.
}

TEST(hessian_traces, have_the_standard_error_of_their_samples) {
  // k of 16 samples are 6, the others 2: variance 16 k (16 - k) / 16^2 * 16 / 15, standard error its root over 4.
  const trace_estimate layer = hessian_traces<double>(dense{{2, 1, 1, 2}}, sizes{2}, exactly(16)).layers[0];
  const double k = (layer.trace - 2) * 16 / 4;
  EXPECT_EQ(k, std::round(k));
  EXPECT_NEAR(layer.standard_error, std::sqrt(k * (16 - k) / 15) / 4, 1e-14);
  EXPECT_EQ(layer.probes, 16u);
}

/// An indefinite Hessian of two coupled layers (4 and 8 weights): diagonal 1, -2, 3, ..., -12, cosines elsewhere.
dense indefinite_hessian() {
  dense hessian{std::vector<double>(144)};
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 12; ++j)
      hessian.matrix[i * 12 + j] = i == j ? (i % 2 == 0 ? 1.0 : -1.0) * static_cast<double>(i + 1)
                                          : std::cos(static_cast<double>(3 * (i + j) + i * j));
  return hessian;
}
constexpr double exact_traces[] = {1 - 2 + 3 - 4, 5 - 6 + 7 - 8 + 9 - 10 + 11 - 12};

TEST(hessian_traces, are_unbiased_and_their_intervals_cover_as_often_as_they_say) {
  // 400 trials of 30 probes. An interval of 2.045 standard errors (Student's t, 29 degrees of freedom) covers 95 %; the
  // count of 400 has the standard deviation sqrt(0.95 * 0.05 / 400) = 0.011, so [0.90, 0.99] leaves 4.6 and 3.7 of
  // them. The variance of a sample is 2 |offdiag H_ll|^2 + |H_l,other|^2: for both layers below 2 * 132, as |cos| <= 1,
  // and the mean of 12000 samples is within 5 * sqrt(264 / 12000) = 0.74 of the trace.
  constexpr int trials = 400;
  double mean[2] = {};
  int covered[2] = {};
  for (std::uint64_t seed = 0; seed < trials; ++seed) {
    const trace_report report = hessian_traces<double>(indefinite_hessian(), sizes{4, 8}, exactly(30, seed));
    for (std::size_t layer = 0; layer < 2; ++layer) {
      mean[layer] += report.layers[layer].trace / trials;
      covered[layer] +=
          std::abs(report.layers[layer].trace - exact_traces[layer]) <= 2.045 * report.layers[layer].standard_error;
    }
  }
  for (std::size_t layer = 0; layer < 2; ++layer) {
    EXPECT_NEAR(mean[layer], exact_traces[layer], 0.74) << layer;
    EXPECT_GE(covered[layer], 0.90 * trials) << layer;
    EXPECT_LE(covered[layer], 0.99 * trials) << layer;
  }
}

TEST(hessian_traces, stop_at_the_tolerance_but_never_before_eight_probes) {
  const trace_report loose = hessian_traces<double>(indefinite_hessian(), sizes{12}, {.absolute_tolerance = 1e9});
  EXPECT_EQ(loose.products, 8u);
  EXPECT_EQ(loose.stop, trace_stop::tolerance);
  const trace_report relative =
      hessian_traces<double>(indefinite_hessian(), sizes{12}, {.relative_tolerance = 0.3, .maximum_probes = 5000});
  EXPECT_EQ(relative.stop, trace_stop::tolerance);
  EXPECT_LE(relative.layers[0].standard_error, 0.3 * std::abs(relative.layers[0].trace));
  const trace_report strict = hessian_traces<double>(indefinite_hessian(), sizes{12}, exactly(20));
  EXPECT_EQ(strict.products, 20u);
  EXPECT_EQ(strict.stop, trace_stop::maximum);
}

TEST(hessian_traces, repeat_bit_by_bit_for_a_seed_and_differ_between_seeds) {
  const auto trace = [](std::uint64_t seed) {
    return hessian_traces<double>(indefinite_hessian(), sizes{12}, exactly(20, seed)).layers[0].trace;
  };
  EXPECT_EQ(trace(1), trace(1));
  EXPECT_NE(trace(1), trace(2));
}

TEST(hessian_traces, tell_their_progress_and_can_be_cancelled) {
  std::vector<std::size_t> told;
  trace_options options = exactly(100);
  options.progress = [&](const trace_progress& progress) {
    EXPECT_EQ(progress.maximum_probes, 100u);
    EXPECT_EQ(progress.open_layers, 2u);
    told.push_back(progress.probes);
    return progress.probes < 3;
  };
  const trace_report report = hessian_traces<double>(indefinite_hessian(), sizes{4, 8}, options);
  EXPECT_EQ(told, (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(report.stop, trace_stop::cancelled);
  EXPECT_EQ(report.layers[1].probes, 3u);
}

TEST(hessian_traces, name_probe_and_layer_of_a_product_that_is_not_finite) {
  int calls = 0;
  const auto breaks = [&](std::span<const double> direction, std::span<double> result) {
    std::ranges::copy(direction, result.begin());
    if (++calls == 3) result[5] = std::numeric_limits<double>::quiet_NaN();
  };
  EXPECT_EQ(refusal([&] {
              hessian_traces<double>(breaks, sizes{4, 1, 3});
            }),
            "hessian_vector_product: result of probe 2 in layer 2 is nan, expected a finite number");
  const auto forgets = [](std::span<const double>, std::span<double> result) { result[0] = 1; };
  EXPECT_EQ(refusal([&] {
              hessian_traces<double>(forgets, sizes{1, 1});
            }),
            "hessian_vector_product: result of probe 0 in layer 1 is nan, expected a finite number");
}

TEST(hessian_traces, refuse_bad_sizes_and_options_by_name) {
  const dense product{{1}};
  const auto with = [&](const trace_options& options, const sizes& layers = {1}) {
    return refusal([&] { hessian_traces<double>(product, layers, options); });
  };
  EXPECT_EQ(with({}, {}), "hessian_traces: layer_sizes.size() is 0, expected at least 1");
  EXPECT_EQ(with({}, {1, 0}), "hessian_traces: layer_sizes[1] is 0, expected at least 1 and a sum that fits memory");
  EXPECT_EQ(with({}, {1, ~std::size_t{0}}),
            "hessian_traces: layer_sizes[1] is 18446744073709551615, expected at least 1 and a sum that fits memory");
  EXPECT_EQ(with({.maximum_probes = 0}), "hessian_traces: maximum_probes is 0, expected at least 1");
  EXPECT_EQ(with({.relative_tolerance = -1}),
            "hessian_traces: relative_tolerance is -1, expected a finite number of at least 0");
  EXPECT_EQ(with({.absolute_tolerance = std::numeric_limits<double>::quiet_NaN()}),
            "hessian_traces: absolute_tolerance is nan, expected a finite number of at least 0");
}

}  // namespace
}  // namespace bitwright
