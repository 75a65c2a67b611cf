// SPDX-License-Identifier: MIT
/// \file
/// Deflation: the part of each layer's trace that a few directions of weight space carry, taken out of the estimate and
/// computed exactly.
///
/// With Q an orthonormal basis and P = 1 - Q Q',  H = Q Q'H + P H Q Q' + P H P.  The products H Q give layer l's share
/// of the trace of the first two terms,
///
///   sum_j 2 q_jl'(H q_j)_l - sum_ij (q_i'H q_j) q_il'q_jl,   q_jl: layer l's part of q_j,
///
/// and only that of P H P is left to chance. Q spans the Krylov space of one random direction, which holds what is
/// extreme in H's spectrum at the price of one product a vector.
#pragma once

#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// Q, and the share of every layer's trace that is known by it.
/// Memory: a vector of the weights' size for each direction, and two more.
template <weight_scalar Scalar>
class hessian_deflation {
 public:
  /// Makes `directions` products, or fewer where the Krylov space ends before. None leaves everything to chance.
  template <hessian_vector_product<Scalar> Product>
  hessian_deflation(Product&& product, std::span<const std::size_t> layer_sizes, std::size_t directions,
                    std::uint64_t seed)
      : layer_sizes_(layer_sizes.begin(), layer_sizes.end()), known_(layer_sizes.size()) {
    std::vector<Scalar> next(count_weights("hessian_deflation", layer_sizes));
    rademacher_probe(mix_bits(~seed), 0).fill(std::span(next));  // Independent of the probes of the rest.
    for (double length = 0; basis_.size() < directions; length = euclidean_norm<Scalar>(next)) {
      if (basis_.size() > 0) basis_.project_out(next);
      if (basis_.append(next, rounding_of<Scalar>(length)) == 0) break;
      multiply_probe<Scalar>(product, basis_[basis_.size() - 1], next, layer_sizes, basis_.size() - 1);
      add_known(next);
    }
  }

  /// Each of them has cost a product.
  std::size_t directions() const { return basis_.size(); }

  /// A layer's share of Tr(Q Q'H + P H Q Q').
  double known(std::size_t layer) const { return known_[layer]; }

  /// How far the product is from that of a symmetric matrix: the part of all H q_j that lies along q_i, i < j - 1,
  /// where the recurrence of a symmetric matrix leaves nothing, relative to all of it. Rounding only for an exact
  /// product.
  double asymmetry() const { return images_ == 0 ? 0 : std::sqrt(astray_ / images_); }

  /// vector <- P vector.
  void project(std::span<Scalar> vector) const { basis_.project_out(vector); }

 private:
  void add_known(std::span<const Scalar> image) {
    const std::span<const Scalar> last = basis_[basis_.size() - 1];
    const std::vector<double> products = basis_.coordinates(image);
    images_ += dot_product<Scalar>(image, image);
    for (std::size_t i = 0; i + 2 < products.size(); ++i) astray_ += products[i] * products[i];
    for (std::size_t layer = 0, first = 0; layer < known_.size(); first += layer_sizes_[layer++]) {
      const auto part = [&](std::span<const Scalar> whole) { return whole.subspan(first, layer_sizes_[layer]); };
      known_[layer] += 2 * dot_product<Scalar>(part(last), part(image));
      for (std::size_t i = 0; i < products.size(); ++i)
        known_[layer] -=
            (i + 1 < products.size() ? 2 : 1) * products[i] * dot_product<Scalar>(part(basis_[i]), part(last));
    }
  }

  std::vector<std::size_t> layer_sizes_;
  std::vector<double> known_;
  orthonormal_basis<Scalar> basis_;
  double astray_ = 0, images_ = 0;
};

/// Estimates what hessian_traces does, after `directions` products that take the extremes of the spectrum out of the
/// estimate. Where a few eigenvalues of the whole network hold most of its curvature, as they do in trained networks,
/// that is most of the variance, and of what leaks from layer to layer. Options are those of hessian_traces, with
/// maximum_probes for the products in all. Estimates are unbiased: the probes are independent of the directions.
/// The product must be that of a matrix. A central difference over a step in which ReLUs change sign is not: the
/// directions seek out its deviations, so an asymmetry above 1 % makes the estimates `heuristic`. Gradients in double
/// with a step factor of 1e-5 cross next to no kink.
/// Memory: a vector of the weights' size for each direction, and three more. Throws invalid_argument as hessian_traces
/// does, and for a maximum that leaves nothing after the directions.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
trace_report deflated_hessian_traces(Product&& product, std::span<const std::size_t> layer_sizes,
                                     const trace_options& given = {}, std::size_t directions = 16) {
  const trace_options options = checked_trace_options("deflated_hessian_traces", given, hessian_probes);
  require(*options.maximum_probes > directions, "deflated_hessian_traces: maximum_probes", *options.maximum_probes,
          "more than the directions, ", directions);
  const std::size_t gradients_before = gradients_of(product);
  const hessian_deflation<Scalar> known(product, layer_sizes, directions, options.seed);
  std::vector<Scalar> probe(count_weights("deflated_hessian_traces", layer_sizes)), direction, image(probe.size());
  trace_samples samples(layer_sizes);

  std::size_t products = known.directions();
  std::optional<trace_stop> stop;
  for (; !stop; stop = samples.decide(products, options)) {
    const std::size_t number = products++;
    rademacher_probe(options.seed, number).fill(std::span(probe));
    direction = probe;
    known.project(direction);
    multiply_probe<Scalar>(product, direction, image, layer_sizes, number);
    known.project(image);
    for (std::size_t layer = 0, first = 0; layer < layer_sizes.size(); first += layer_sizes[layer++]) {
      const auto part = [&](std::span<const Scalar> whole) { return whole.subspan(first, layer_sizes[layer]); };
      samples.add(layer, known.known(layer) + dot_product<Scalar>(part(probe), part(image)));
    }
  }
  std::vector<trace_estimate> estimates = samples.estimates();
  for (trace_estimate& estimate : estimates) estimate.heuristic = known.asymmetry() > 0.01;
  return {.layers = std::move(estimates),
          .products = products,
          .gradients = gradients_of(product) - gradients_before,
          .stop = *stop,
          .seed = options.seed};
}

}  // namespace bitwright
