// SPDX-License-Identifier: MIT
/// \file
/// The trace of each layer's block of the Hessian by probes that only some layers share: a pilot finds out which layers
/// disturb each other, and those are kept apart.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/layer_groups.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/square_matrix.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bitwright {

/// The traces of all layers, and which layers shared probes.
struct grouped_trace_report {
  trace_report traces;
  layer_groups groups;
};

/// Probes that are zero outside a group of layers, and what the product makes of them.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
class group_probes {
 public:
  group_probes(Product& product, std::span<const std::size_t> layer_sizes, std::uint64_t seed)
      : product_(product),
        sizes_(layer_sizes),
        seed_(seed),
        direction_(count_weights("group_probes", layer_sizes)),
        image_(direction_.size()) {
    for (std::size_t first = 0; const std::size_t size : sizes_) {
      first_.push_back(first);
      first += size;
    }
  }

  /// Multiplies probe number `probe`, restricted to `group`.
  void multiply(std::span<const std::size_t> group, std::size_t probe) {
    std::ranges::fill(direction_, Scalar{0});
    for (const std::size_t layer : group)
      rademacher_probe(seed_, probe).fill(part(std::span(direction_), layer), first_[layer]);
    multiply_probe<Scalar>(product_, direction_, image_, sizes_, probe);
  }

  /// z_l'(H z)_l of the last product.
  double sample(std::size_t layer) const {
    return dot_product<Scalar>(part(std::span(direction_), layer), part(std::span(image_), layer));
  }

  /// |(H z)_l|^2 of the last product: for a group of one layer j, an estimate of |H_lj|^2.
  double squared_image(std::size_t layer) const {
    const auto image = part(std::span(image_), layer);
    return dot_product<Scalar>(image, image);
  }

 private:
  template <class T>
  std::span<T> part(std::span<T> whole, std::size_t layer) const {
    return whole.subspan(first_[layer], sizes_[layer]);
  }

  Product& product_;
  std::span<const std::size_t> sizes_;
  std::uint64_t seed_;
  std::vector<Scalar> direction_, image_;
  std::vector<std::size_t> first_;
};

/// Estimates what hessian_traces does, with fewer products where layers of very different curvature are coupled. The
/// pilot is a product for each layer, which tells all |H_lj|^2 and how large the trace is; groups are formed so that
/// few probes are expected in all; then every group that has an incomplete layer gets a probe in turn. The pilot
/// decides about the groups and enters no estimate, so the estimates are unbiased. Options are those of hessian_traces,
/// with maximum_probes for the products in all, the pilot's included.
/// Memory: two vectors of the weights' size. Throws invalid_argument as hessian_traces does, and for a maximum that
/// leaves nothing after the pilot.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
grouped_trace_report grouped_hessian_traces(Product&& product, std::span<const std::size_t> layer_sizes,
                                            const trace_options& given = {}) {
  const trace_options options = checked_trace_options("grouped_hessian_traces", given, hessian_probes);
  const std::size_t layers = layer_sizes.size(), gradients_before = gradients_of(product);
  require(*options.maximum_probes > layers, "grouped_hessian_traces: maximum_probes", *options.maximum_probes,
          "more than the pilot takes, one for each layer: ", layers);
  group_probes<Scalar, std::remove_reference_t<Product>> probes(product, layer_sizes, options.seed);
  trace_samples samples(layer_sizes);
  std::size_t products = 0;
  std::optional<trace_stop> stop;

  square_matrix coupling(layers);
  std::vector<double> tolerances(layers);
  for (std::size_t layer = 0; layer < layers && !stop; ++layer) {
    probes.multiply(std::span(&layer, 1), products++);
    for (std::size_t other = 0; other < layers; ++other) coupling(other, layer) = probes.squared_image(other);
    // A trace that is lost in its own deviation, sqrt(2) |H_ll|, is not known to be small.
    const double size = std::max(std::abs(probes.sample(layer)), std::sqrt(2 * coupling(layer, layer)));
    const double relative = options.relative_tolerance > 0 ? options.relative_tolerance : 0.01;
    tolerances[layer] = std::max({relative * size, options.absolute_tolerance, std::numeric_limits<double>::min()});
    stop = samples.decide(products, options);
  }
  layer_groups groups;
  if (!stop) groups = group_layers(coupling, tolerances);
  while (!stop)
    for (const std::vector<std::size_t>& group : groups) {
      if (std::ranges::all_of(group, [&](std::size_t layer) { return samples.complete(layer, options); })) continue;
      probes.multiply(group, products++);
      for (const std::size_t layer : group) samples.add(layer, probes.sample(layer));
      stop = samples.decide(products, options);
      if (stop) break;
    }
  return {.traces = {.layers = samples.estimates(),
                     .products = products,
                     .gradients = gradients_of(product) - gradients_before,
                     .stop = *stop,
                     .seed = options.seed},
          .groups = std::move(groups)};
}

}  // namespace bitwright
