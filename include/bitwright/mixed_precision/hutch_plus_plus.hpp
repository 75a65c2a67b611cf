// SPDX-License-Identifier: MIT
/// \file
/// Hutch++: the trace over the range of a sketch exactly, and the trace of the rest by Hutchinson's estimator.
///
///   Tr(H) = tr(Q' H Q) + Tr(P H P),   Q an orthonormal basis of H Z, P = 1 - Q Q'
///
/// Probes of the rest are independent of Q and of each other, so their standard error is a sample's.
/// (Meyer, Musco, Musco and Woodruff 2021.)
#pragma once

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

/// The estimate: `sketch` steps of two products each, then a product for each probe of the rest. Without a sketch it is
/// Hutchinson's estimator. Memory: one vector of the weights' size for each step of the sketch, and two more.
template <weight_scalar Scalar>
class hutch_plus_plus {
 public:
  hutch_plus_plus(std::size_t weights, std::uint64_t seed, std::size_t sketch)
      : weights_(weights), seed_(seed), sketch_(sketch), direction_(weights), image_(weights) {}

  /// How many products the next step costs at most.
  std::size_t next_cost() const { return steps_ < sketch_ ? 2 : 1; }

  /// Returns how many products it has cost.
  template <hessian_vector_product<Scalar> Product>
  std::size_t step(Product& product) {
    const std::size_t number = steps_++;
    rademacher_probe(seed_, number).fill(std::span(direction_));
    if (number >= sketch_) basis_.project_out(direction_);
    multiply_probe<Scalar>(product, direction_, image_, std::span(&weights_, 1), number);
    if (number >= sketch_) {
      rest_.add(dot_product<Scalar>(direction_, image_));
      return 1;
    }
    const double length = euclidean_norm<Scalar>(image_);
    basis_.project_out(image_);
    if (basis_.append(image_, rounding_of<Scalar>(length)) == 0) {
      sketch_ = steps_;  // The range is complete.
      return 1;
    }
    const std::span<const Scalar> added = basis_[basis_.size() - 1];
    multiply_probe<Scalar>(product, added, image_, std::span(&weights_, 1), number);
    inside_ += dot_product<Scalar>(added, image_);
    return 2;
  }

  /// Nothing is known before the sketch is complete.
  trace_estimate estimate() const {
    return {.trace = inside_ + rest_.mean(),
            .standard_error = rest_.standard_error(),
            .weights = weights_,
            .probes = rest_.count()};
  }

 private:
  std::size_t weights_;
  std::uint64_t seed_;
  std::size_t sketch_, steps_ = 0;
  std::vector<Scalar> direction_, image_;
  orthonormal_basis<Scalar> basis_;
  double inside_ = 0;  // tr(Q' H Q)
  sample_mean rest_;
};

}  // namespace bitwright
