// SPDX-License-Identifier: MIT
/// \file
/// The spectral density of the Hessian, how its eigenvalues are spread, by stochastic Lanczos quadrature.
///
///   sum_i f(lambda_i) / n  =  E[z' f(H) z] / n  ~  mean over probes of sum_k weight_k f(value_k)
///
/// with a probe's Ritz values and the squared first components of T's eigenvectors: a Gauss quadrature, exact for every
/// polynomial f of degree below twice the steps. (Ubaru, Chen and Saad 2017; PyHessian, Yao et al. 2020.)
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/lanczos.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <vector>

namespace bitwright {

/// A share of the eigenvalues near one value.
struct spectral_node {
  double value;
  double weight;  ///< All weights sum to 1.
};

/// The nodes of all probes.
struct spectral_density {
  std::vector<spectral_node> nodes;
  std::size_t products = 0;
  bool cancelled = false;

  /// mean over eigenvalues of f: f(x) = x gives the mean trace, f(x) = x^2 the squared Frobenius norm per weight.
  template <std::invocable<double> Function>
  double mean(Function&& f) const {
    double sum = 0;
    for (const spectral_node& node : nodes) sum += node.weight * f(node.value);
    return sum;
  }

  /// The density at x, in shares per unit of eigenvalue: every node a Gaussian of standard deviation `width`.
  double operator()(double x, double width) const {
    require(width > 0 && std::isfinite(width), "spectral_density: width", width, "a positive finite number");
    return mean([&](double value) { return std::exp(-0.5 * std::pow((x - value) / width, 2)); }) /
           (width * std::sqrt(2 * std::numbers::pi));
  }
};

/// How many probes, and how many Lanczos steps (products) for each; a probe whose space ends before is exact by then.
struct spectral_density_options {
  std::size_t probes = 8;
  std::size_t steps = 32;
  std::uint64_t seed = 0;
  /// Called with the products done and the most there can be; false cancels, and leaves the probes that are complete.
  std::function<bool(std::size_t products, std::size_t maximum_products)> progress = nullptr;
};

/// Throws invalid_argument for no weights, probes or steps, and for a product with NaN or infinity.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
spectral_density estimate_spectral_density(Product&& product, std::size_t weights,
                                           const spectral_density_options& options = {}) {
  require(weights > 0, "estimate_spectral_density: weights", weights, "at least 1");
  require(options.probes > 0, "estimate_spectral_density: probes", options.probes, "at least 1");
  require(options.steps > 0, "estimate_spectral_density: steps", options.steps, "at least 1");
  spectral_density density;
  const orthonormal_basis<Scalar> nothing_avoided;
  std::size_t complete = 0;
  for (; complete < options.probes && !density.cancelled; complete += !density.cancelled) {
    std::vector<Scalar> start(weights);
    rademacher_probe(options.seed, complete).fill(std::span(start));
    lanczos<Scalar> space(std::move(start), nothing_avoided);
    while (!space.exhausted() && space.steps() < options.steps && !density.cancelled) {
      space.step(product);
      ++density.products;
      density.cancelled = options.progress && !options.progress(density.products, options.probes * options.steps);
    }
    if (density.cancelled) break;
    for (const ritz_value& ritz : space.ritz_values()) density.nodes.push_back({ritz.value, ritz.weight});
  }
  for (spectral_node& node : density.nodes) node.weight /= static_cast<double>(complete);
  return density;
}

}  // namespace bitwright
