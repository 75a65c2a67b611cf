// SPDX-License-Identifier: MIT
/// \file
/// The trace of each layer's block of the Gauss-Newton matrix G = mean over samples of J' C J, by a sketch that costs
/// one sample's backward pass a probe. J is the derivative of the sample's outputs by the weights, C the curvature of
/// the loss at the outputs.
///
///   Tr(G_l) = E[|(J' u)_l|^2],   a sample drawn at random, u its output cotangent: E[u u'] = C
///
/// G is the Hessian without the network's own second derivative: semidefinite, equal to the Hessian where the outputs
/// are linear in the weights, and for trained networks within a factor of about two of it in every layer. No curvature
/// leaks from one layer into another's estimate, and none is negative. (Schraudolph 2002; Martens, JMLR 2020,
/// section 6.)
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/output_cotangent.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bitwright {

/// What a backward pass asks for what it sends back: `cotangent_of(outputs, cotangent)`, spans of one size.
template <weight_scalar Scalar>
using cotangent_source = std::function<void(std::span<const Scalar>, std::span<Scalar>)>;

/// `backward(sample, cotangent_of, gradient)` runs one sample forward, calls `cotangent_of(outputs, cotangent)` where
/// training would put the loss's gradient by the outputs, sends the cotangent back, and writes what arrives at the
/// weights of all layers into `gradient` (NaN before the call, so an element left unwritten is found out). The sample
/// alone must decide the outputs: batch-norm statistics frozen.
template <class Backward, class Scalar>
concept sample_backward = weight_scalar<Scalar> &&
    requires(Backward& backward, std::size_t sample, const cotangent_source<Scalar>& cotangent_of,
             std::span<Scalar> gradient) {
  backward(sample, cotangent_of, gradient);
};

/// How many probes are in flight at once, whatever the executor: so no result depends on it.
inline constexpr std::size_t sketch_round = 8;

/// Estimates the trace of every layer's Gauss-Newton block, averaged over `samples` samples. Probe number i draws its
/// sample and its signs from (seed, i); the standard error holds the chance of both. Layers and options are those of
/// hessian_traces, but the maximum by default is sketch_probes; products counts backward passes. With an executor that
/// runs in parallel, `backward` must allow calls from many threads at once; the result is the same bit by bit.
/// Memory: one vector of the weights' size for each probe in flight. Throws invalid_argument for bad options or sizes,
/// no samples, and a gradient with NaN or infinity, naming probe, sample and layer.
template <weight_scalar Scalar, sample_backward<Scalar> Backward, output_cotangent<Scalar> Cotangent,
          executor Executor = serial_executor>
trace_report gauss_newton_traces(Backward&& backward, std::size_t samples, const Cotangent& cotangent,
                                 std::span<const std::size_t> layer_sizes, const trace_options& given = {},
                                 Executor&& pool = {}) {
  const trace_options options = checked_trace_options("gauss_newton_traces", given, sketch_probes);
  require(samples > 0, "gauss_newton_traces: samples", samples, "at least 1");
  const std::size_t weights = count_weights("gauss_newton_traces", layer_sizes), layers = layer_sizes.size();
  trace_samples estimates(layer_sizes);

  const auto draw_sample = [&](std::size_t probe) { return mix_bits(mix_bits(options.seed) + probe) % samples; };
  std::vector<double> norms(sketch_round * layers);  // Of the round's probes, a row each.
  const auto sketch = [&](std::size_t probe, std::span<double> squared_norms) {
    const rademacher_probe signs(options.seed, probe);
    std::vector<Scalar> gradient(weights, std::numeric_limits<Scalar>::quiet_NaN());
    const cotangent_source<Scalar> source = [&](std::span<const Scalar> outputs, std::span<Scalar> result) {
      cotangent(outputs, signs, result);
    };
    backward(draw_sample(probe), source, std::span<Scalar>(gradient));
    for (std::size_t layer = 0, first = 0; layer < layers; first += layer_sizes[layer++]) {
      squared_norms[layer] = 0;
      for (const double value : std::span(gradient).subspan(first, layer_sizes[layer]))
        squared_norms[layer] += value * value;
    }
  };

  std::size_t probes = 0;
  std::optional<trace_stop> stop;
  while (!stop) {
    const std::size_t round = std::min(sketch_round, *options.maximum_probes - probes);
    pool.parallel_for(round, [&](std::size_t i) { sketch(probes + i, std::span(norms).subspan(i * layers, layers)); });
    for (std::size_t i = 0; i < round; ++i, ++probes)
      for (std::size_t layer = 0; layer < layers; ++layer) {
        const double norm = norms[i * layers + layer];
        if (!std::isfinite(norm)) [[unlikely]]
          fail("gauss_newton_traces: squared norm of the gradient of probe " + std::to_string(probes) + ", sample " +
                   std::to_string(draw_sample(probes)) + ", layer " + std::to_string(layer),
               norm, "a finite number");
        estimates.add(layer, norm);
      }
    stop = estimates.decide(probes, options);
  }
  return {.layers = estimates.estimates(), .products = probes, .stop = *stop, .seed = options.seed};
}

}  // namespace bitwright
