// SPDX-License-Identifier: MIT
/// \file
/// The trace of each layer's block of the Hessian, with a standard error, by Hutchinson's estimator.
///
///   Tr(H_l) = E[z_l' (H z)_l],   z Rademacher: E[z z'] = 1
///
/// One product serves all layers. The variance of a layer's sample, 2 |offdiag H_ll|^2 + sum_{j != l} |H_lj|^2, holds
/// what leaks in from the other layers; on a diagonal Hessian it is zero. (Hutchinson 1990; HAWQ-V2, Dong et al. 2020.)
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bitwright {

/// The product of probe number `probe`, refused by probe and layer where it is not finite. `result` is H times
/// `direction`.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
void multiply_probe(Product& product, std::span<const Scalar> direction, std::span<Scalar> result,
                    std::span<const std::size_t> layer_sizes, std::size_t probe) {
  std::ranges::fill(result, std::numeric_limits<Scalar>::quiet_NaN());
  product(direction, result);
  for (std::size_t layer = 0, first = 0; layer < layer_sizes.size(); first += layer_sizes[layer++])
    for (const Scalar value : result.subspan(first, layer_sizes[layer]))
      if (!std::isfinite(value)) [[unlikely]]
        fail("hessian_vector_product: result of probe " + std::to_string(probe) + " in layer " + std::to_string(layer),
             value, "a finite number");
}

/// Estimates the trace of every layer's block of the Hessian. Layer l is a block of layer_sizes[l] consecutive weights.
/// Stops after at least `least_probes` probes, when every layer is within the tolerance, or at the maximum; never
/// because a mean has ceased to change, which happens by luck long before the mean is right. The same seed gives the
/// same result, bit by bit, wherever the product does. Memory: two vectors of the weights' size. Throws
/// invalid_argument for bad options or sizes, and for a product with NaN or infinity, naming probe and layer.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
trace_report hessian_traces(Product&& product, std::span<const std::size_t> layer_sizes,
                            const trace_options& given = {}) {
  const trace_options options = checked_trace_options("hessian_traces", given, hessian_probes);
  std::vector<Scalar> direction(count_weights("hessian_traces", layer_sizes)), result(direction.size());
  trace_samples samples(layer_sizes);
  const std::size_t gradients_before = gradients_of(product);

  std::size_t probes = 0;
  std::optional<trace_stop> stop;
  for (; !stop; stop = samples.decide(probes, options)) {
    rademacher_probe(options.seed, probes).fill(std::span(direction));
    multiply_probe<Scalar>(product, direction, result, layer_sizes, probes++);
    for (std::size_t layer = 0, first = 0; layer < layer_sizes.size(); first += layer_sizes[layer++]) {
      double sample = 0;
      for (std::size_t i = first; i < first + layer_sizes[layer]; ++i)
        sample += static_cast<double>(direction[i]) * static_cast<double>(result[i]);
      samples.add(layer, sample);
    }
  }
  return {.layers = samples.estimates(),
          .products = probes,
          .gradients = gradients_of(product) - gradients_before,
          .stop = *stop,
          .seed = options.seed};
}

}  // namespace bitwright
