// SPDX-License-Identifier: MIT
/// \file
/// The eigenvalues of the Hessian that are largest in magnitude, with their signs, multiplicities and error bounds.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/lanczos.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {

/// An eigenvalue, and how far it is at most from a true one, but for the error of the products themselves.
struct eigenvalue_estimate {
  double value = 0;
  double error_bound = 0;
};

/// What a progress callback is told after every product.
struct eigenvalue_progress {
  std::size_t products;          ///< Done so far.
  std::size_t maximum_products;  ///< At most so many will be done.
  std::size_t found;             ///< Eigenvalues that are within the tolerance.
};

/// Which eigenvalues are sought, and when the search stops.
struct eigenvalue_options {
  std::size_t count = 1;
  double relative_tolerance = 1e-3;  ///< Of the error bound, relative to the eigenvalue.
  std::size_t maximum_products = 256;
  std::uint64_t seed = 0;
  /// Called after every product where it is set; false cancels.
  std::function<bool(const eigenvalue_progress&)> progress = nullptr;
};

/// Why the search for eigenvalues stopped.
enum class eigenvalue_stop { converged, maximum_products, cancelled };

/// The eigenvalues, largest magnitude first. Unless `stop` is converged some may be missing or less exact than asked
/// for.
struct eigenvalue_report {
  std::vector<eigenvalue_estimate> values;
  std::size_t products = 0;
  std::size_t gradients = 0;  ///< Where the product counts them.
  eigenvalue_stop stop = eigenvalue_stop::converged;
  std::uint64_t seed = 0;
};

/// A direction in general position: entries in (-1, 1), a hash of (seed, number, index).
template <weight_scalar Scalar>
std::vector<Scalar> random_direction(std::size_t weights, std::uint64_t seed, std::uint64_t number) {
  std::vector<Scalar> direction(weights);
  const std::uint64_t key = mix_bits(mix_bits(seed) ^ number);
  for (std::size_t i = 0; i < weights; ++i)
    direction[i] = static_cast<Scalar>(std::ldexp(static_cast<double>(mix_bits(key ^ mix_bits(i)) >> 11), -52) - 1);
  return direction;
}

/// The state of top_eigenvalues: what is known, what is locked, and one sweep after the other.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
class eigenvalue_search {
 public:
  eigenvalue_search(Product& product, std::size_t weights, const eigenvalue_options& options)
      : product_(product), weights_(weights), count_(std::min(options.count, weights)), options_(options) {
    report_.seed = options.seed;
  }

  eigenvalue_report run() {
    const std::size_t gradients_before = gradients_of(product_);
    while (locked_.size() < weights_ && sweep()) continue;
    report_.gradients = gradients_of(product_) - gradients_before;
    return std::move(report_);
  }

 private:
  /// Whether another sweep is needed.
  bool sweep() {
    const std::size_t missing = count_ - report_.values.size();
    lanczos<Scalar> space(random_direction<Scalar>(weights_, options_.seed, sweeps_++), locked_);
    const std::vector<ritz_value> largest = advance(space, std::max<std::size_t>(missing, 1));
    const bool complete = report_.stop == eigenvalue_stop::converged;
    // A sweep that only looks for what the others may have missed counts when it is complete and finds it.
    if (largest.empty() || (missing == 0 && !(complete && is_larger(largest.front())))) return false;
    keep(largest);
    if (!complete) return false;
    for (std::vector<Scalar>& vector : space.ritz_vectors(largest)) {
      locked_.project_out(vector);
      locked_.append(std::move(vector));
    }
    return true;
  }

  /// Steps until the `wanted` largest Ritz values are good enough, and returns them; all of them where the space ends.
  std::vector<ritz_value> advance(lanczos<Scalar>& space, std::size_t wanted) {
    // Fewer steps may have met an eigenvalue that is not the largest.
    constexpr std::size_t least_steps = 8;
    std::vector<ritz_value> largest;
    while (!space.exhausted()) {
      if (report_.products == options_.maximum_products) {
        report_.stop = eigenvalue_stop::maximum_products;
        break;
      }
      space.step(product_);
      ++report_.products;
      largest = space.ritz_values();
      std::ranges::stable_sort(largest, std::ranges::greater(), [](const ritz_value& r) { return std::abs(r.value); });
      if (!space.exhausted()) largest.resize(std::min(largest.size(), wanted));
      const auto good = static_cast<std::size_t>(std::ranges::count_if(largest, [&](const ritz_value& ritz) {
        return ritz.residual <= options_.relative_tolerance * std::abs(ritz.value);
      }));
      if (options_.progress &&
          !options_.progress({report_.products, options_.maximum_products, std::min(count_, locked_.size() + good)})) {
        report_.stop = eigenvalue_stop::cancelled;
        break;
      }
      if (space.steps() >= least_steps && good >= wanted) break;
    }
    return largest;
  }

  bool is_larger(const ritz_value& ritz) const {
    return std::abs(ritz.value) > std::abs(report_.values.back().value) * (1 + options_.relative_tolerance);
  }

  void keep(const std::vector<ritz_value>& found) {
    // A residual within the unlocked space; what the locked vectors lack adds to it.
    for (const ritz_value& ritz : found)
      report_.values.push_back({ritz.value, std::hypot(ritz.residual, locked_error_)});
    for (const ritz_value& ritz : found) locked_error_ = std::hypot(locked_error_, ritz.residual);
    std::ranges::stable_sort(report_.values, std::ranges::greater(),
                             [](const eigenvalue_estimate& eigenvalue) { return std::abs(eigenvalue.value); });
    report_.values.resize(std::min(report_.values.size(), count_));
  }

  Product& product_;
  std::size_t weights_, count_, sweeps_ = 0;
  const eigenvalue_options& options_;
  orthonormal_basis<Scalar> locked_;
  double locked_error_ = 0;
  eigenvalue_report report_;
};

/// Finds min(count, weights) eigenvalues by Lanczos sweeps. One start vector meets one vector of an eigenspace only, so
/// what a sweep has found is locked, and another sweeps the rest of the space: an eigenvalue that occurs twice is found
/// twice, and the search ends with a sweep that finds nothing larger than what is known.
/// Memory: a vector of the weights' size for each product of a sweep and each locked vector.
/// Throws invalid_argument for a count, tolerance or maximum of 0, and for a product with NaN or infinity.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
eigenvalue_report top_eigenvalues(Product&& product, std::size_t weights, const eigenvalue_options& options = {}) {
  require(weights > 0, "top_eigenvalues: weights", weights, "at least 1");
  require(options.count > 0, "top_eigenvalues: count", options.count, "at least 1");
  require(options.relative_tolerance > 0 && std::isfinite(options.relative_tolerance),
          "top_eigenvalues: relative_tolerance", options.relative_tolerance, "a positive finite number");
  require(options.maximum_products > 0, "top_eigenvalues: maximum_products", options.maximum_products, "at least 1");
  return eigenvalue_search<Scalar, std::remove_reference_t<Product>>(product, weights, options).run();
}

}  // namespace bitwright
