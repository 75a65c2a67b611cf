// SPDX-License-Identifier: MIT
/// \file
/// Batch norm as training has it: by the mean and the variance of the images that go through together.
///
///     y = gamma x' + beta,   x' = (x - mean) / sqrt(variance + epsilon)
///
/// Source: Ioffe and Szegedy, ICML 2015. The images are a chunk of the batch that a step of descent sees, as in
/// Hoffer et al., NeurIPS 2017: chunks need nothing from each other, and a small one regularises.
#pragma once

#include "network.hpp"
#include "trained_network.hpp"

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace fashion_mnist {

/// Stands between a layer's products and its ReLU in a float_pass. All vectors hold all nodes' channels.
template <class Scalar>
struct batch_norm_between {
  explicit batch_norm_between(const network& graph)
      : mean(graph.weighted_channels()),
        variance(graph.weighted_channels()),
        gamma_gradient(graph.weighted_channels()),
        beta_gradient(graph.weighted_channels()),
        normalized(graph.weighted_channels()) {}

  std::span<const Scalar> gamma, beta;                ///< Of the network as it is now. Set before forward.
  std::vector<Scalar> mean, variance;                 ///< What forward met; the variance divides by the count.
  std::vector<Scalar> gamma_gradient, beta_gradient;  ///< What backward found.
  std::vector<std::vector<Scalar>> normalized;        ///< x', at each node's first channel.

  void forward(const node& layer, std::span<Scalar> values) {
    const std::size_t channels = layer.channels;
    const std::span<const Scalar> g = layer.channels_in(gamma), b = layer.channels_in(beta);
    if (!layer.batch_norm) {
      for (std::size_t i = 0; i < values.size(); i += channels)
        for (std::size_t c = 0; c < channels; ++c) values[i + c] += b[c];
      return;
    }
    const auto count = static_cast<double>(values.size() / channels);
    const std::span<Scalar> m = layer.channels_in(std::span(mean)), v = layer.channels_in(std::span(variance));
    sum_channels(layer, values.size(), [&](std::size_t i, std::size_t) { return values[i]; });
    for (std::size_t c = 0; c < channels; ++c) m[c] = static_cast<Scalar>(sums_[c] / count);
    sum_channels(layer, values.size(),
                 [&](std::size_t i, std::size_t c) { return (values[i] - m[c]) * (values[i] - m[c]); });
    for (std::size_t c = 0; c < channels; ++c) v[c] = static_cast<Scalar>(sums_[c] / count);

    std::vector<Scalar>& x = normalized[layer.first_channel];
    x.resize(values.size());
    set_inverse_deviation(layer);
    for (std::size_t i = 0; i < values.size(); i += channels)
      for (std::size_t c = 0; c < channels; ++c) {
        x[i + c] = (values[i + c] - m[c]) * inverse_deviation_[c];
        values[i + c] = g[c] * x[i + c] + b[c];
      }
  }

  /// dL/dx = gamma / sqrt(variance + epsilon) * (dL/dy - mean(dL/dy) - x' mean(x' dL/dy)).
  void backward(const node& layer, std::span<Scalar> gradient) {
    const std::size_t channels = layer.channels;
    const std::span<Scalar> for_beta = layer.channels_in(std::span(beta_gradient));
    sum_channels(layer, gradient.size(), [&](std::size_t i, std::size_t) { return gradient[i]; });
    for (std::size_t c = 0; c < channels; ++c) for_beta[c] = static_cast<Scalar>(sums_[c]);
    if (!layer.batch_norm) return;

    const std::span<Scalar> for_gamma = layer.channels_in(std::span(gamma_gradient));
    const std::vector<Scalar>& x = normalized[layer.first_channel];
    sum_channels(layer, gradient.size(), [&](std::size_t i, std::size_t) { return gradient[i] * x[i]; });
    for (std::size_t c = 0; c < channels; ++c) for_gamma[c] = static_cast<Scalar>(sums_[c]);

    const std::span<const Scalar> g = layer.channels_in(gamma);
    const auto count = static_cast<Scalar>(gradient.size() / channels);
    set_inverse_deviation(layer);
    for (std::size_t i = 0; i < gradient.size(); i += channels)
      for (std::size_t c = 0; c < channels; ++c)
        gradient[i + c] =
            g[c] * inverse_deviation_[c] * (gradient[i + c] - (for_beta[c] + x[i + c] * for_gamma[c]) / count);
  }

 private:
  // sums_[c] = sum of term(i, c) over the values i of channel c: an image's as Scalar, the images' in double.
  template <class Term>
  void sum_channels(const node& layer, std::size_t size, Term term) {
    sums_.assign(layer.channels, 0);
    for (std::size_t image = 0; image < size; image += layer.outputs_per_image()) {
      image_sums_.assign(layer.channels, 0);
      for (std::size_t i = image; i < image + layer.outputs_per_image(); i += layer.channels)
        for (std::size_t c = 0; c < layer.channels; ++c) image_sums_[c] += term(i + c, c);
      for (std::size_t c = 0; c < layer.channels; ++c) sums_[c] += static_cast<double>(image_sums_[c]);
    }
  }

  void set_inverse_deviation(const node& layer) {
    inverse_deviation_.clear();
    for (const Scalar v : layer.channels_in(std::span(variance)))
      inverse_deviation_.push_back(1 / std::sqrt(v + static_cast<Scalar>(batch_norm_epsilon)));
  }

  std::vector<double> sums_;
  std::vector<Scalar> image_sums_, inverse_deviation_;
};

}  // namespace fashion_mnist
