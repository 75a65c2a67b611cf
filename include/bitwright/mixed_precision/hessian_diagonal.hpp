// SPDX-License-Identifier: MIT
/// \file
/// The diagonal of the Hessian entry by entry, and its Frobenius norm, from the same probes.
///
///   H_ii = E[z_i (H z)_i],   |H|_F^2 = E[|H z|^2],   z Rademacher
///
/// An entry's sample has the variance sum_{j != i} H_ij^2: much for one entry, little for the mean of many.
/// (Bekas, Kokiopoulou and Saad 2007.)
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {

/// Means of `probes` samples, and their standard errors: infinite, that is unknown, for one probe.
struct hessian_diagonal {
  std::vector<sample_mean> entries;  ///< H_ii: entries[i].mean(), entries[i].standard_error().
  sample_mean squared_norm;          ///< |H|_F^2
};

/// Makes a product for each probe. Memory: two vectors of the weights' size, and three doubles for each weight.
/// Throws invalid_argument for no weights or probes, and for a product with NaN or infinity, naming the probe.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
hessian_diagonal estimate_hessian_diagonal(Product&& product, std::size_t weights, std::size_t probes,
                                           std::uint64_t seed = 0) {
  require(weights > 0, "estimate_hessian_diagonal: weights", weights, "at least 1");
  require(probes > 0, "estimate_hessian_diagonal: probes", probes, "at least 1");
  hessian_diagonal result{std::vector<sample_mean>(weights), {}};
  std::vector<Scalar> direction(weights), image(weights);
  for (std::size_t probe = 0; probe < probes; ++probe) {
    rademacher_probe(seed, probe).fill(std::span(direction));
    multiply_probe<Scalar>(product, direction, image, std::span(&weights, 1), probe);
    for (std::size_t i = 0; i < weights; ++i)
      result.entries[i].add(static_cast<double>(direction[i]) * static_cast<double>(image[i]));
    result.squared_norm.add(dot_product<Scalar>(image, image));
  }
  return result;
}

}  // namespace bitwright
