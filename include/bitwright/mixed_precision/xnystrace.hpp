// SPDX-License-Identifier: MIT
/// \file
/// XNysTrace: the trace of a semidefinite matrix from k probes and k products, by Nystrom approximations that leave
/// each probe out once.
///
///   t_i = tr(N_i) + z_i' (A - N_i) z_i,   N_i = Y (Z' Y)^-1 Y' without probe i,   Y = A Z,   A = H + shift
///
/// With M = Z'Y and G = Y'Y the whole family follows from k x k matrices:
///   t_i = tr(M^-1 G) - (M^-1 G M^-1)_ii / (M^-1)_ii + 1 / (M^-1)_ii - shift n.
/// The shift keeps M definite in spite of rounding; its trace, shift n, is known and taken off again. As with XTrace
/// the t_i are unbiased but not independent, and the standard error is a rule of thumb. (Epperly, Tropp and Webber
/// 2024.)
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/square_matrix.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bitwright {

/// The estimate, a probe (one product) at a time. Memory: one vector of the weights' size for each probe, and one more.
template <weight_scalar Scalar>
class xnystrace {
 public:
  xnystrace(std::size_t weights, std::uint64_t seed) : weights_(weights), seed_(seed), probe_(weights) {}

  /// How many products the next step costs at most.
  std::size_t next_cost() const { return 1; }

  /// Returns how many products it has cost.
  template <hessian_vector_product<Scalar> Product>
  std::size_t step(Product& product) {
    const std::size_t last = images_.size();
    rademacher_probe(seed_, last).fill(std::span(probe_));
    images_.emplace_back(weights_);
    multiply_probe<Scalar>(product, probe_, images_[last], std::span(&weights_, 1), last);
    largest_ = std::max(largest_, euclidean_norm<Scalar>(images_[last]));
    for (square_matrix* matrix : {&probes_, &mixed_, &squares_}) matrix->grow();
    for (std::size_t i = 0; i <= last; ++i) {
      squares_(i, last) = squares_(last, i) = dot_product<Scalar>(images_[i], images_[last]);
      mixed_(last, i) = dot_product<Scalar>(probe_, images_[i]);
    }
    for (std::size_t i = 0; i <= last; ++i) {
      const rademacher_probe probe(seed_, i);
      probe.fill(std::span(probe_));
      mixed_(i, last) = dot_product<Scalar>(probe_, images_[last]);
      probes_(i, last) = probes_(last, i) = probe.product(rademacher_probe(seed_, last), weights_);
    }
    return 1;
  }

  /// Throws invalid_argument where no shift up to the matrix's own size makes it definite on the probes.
  trace_estimate estimate() const {
    if (largest_ == 0)
      return {.trace = 0, .standard_error = 0, .weights = weights_, .probes = images_.size(), .heuristic = true};
    // Large enough for k x k rounding, small enough to add nothing to the deviation: shift sqrt(2 n) = 1.4e-7 |H|.
    const double size = static_cast<double>(weights_);
    for (double shift = 1e-7 * largest_ / std::sqrt(size); shift <= largest_; shift *= 10)
      if (const std::optional<square_matrix> upper = cholesky(shifted(mixed_, probes_, shift)))
        return leave_each_out(upper_inverse(*upper), shift);
    fail("xnystrace: smallest eigenvalue on the probes", -largest_, "a semidefinite Hessian: none below 0");
  }

 private:
  /// The symmetric part of `matrix`, plus shift times `other`.
  static square_matrix shifted(const square_matrix& matrix, const square_matrix& other, double shift) {
    square_matrix sum(matrix.size());
    for (std::size_t i = 0; i < sum.size(); ++i)
      for (std::size_t j = 0; j < sum.size(); ++j) sum(i, j) = (matrix(i, j) + matrix(j, i)) / 2 + shift * other(i, j);
    return sum;
  }

  /// `inverse` is R^-1 with R'R = M, so M^-1 = R^-1 R^-T.
  trace_estimate leave_each_out(const square_matrix& inverse, double shift) const {
    const std::size_t count = images_.size();
    const square_matrix both = shifted(mixed_, probes_, shift / 2);
    const square_matrix gram = shifted(squares_, both, 2 * shift);  // (Y + shift Z)'(Y + shift Z)
    double trace = 0;
    std::vector<double> column(count), row(count), corrections;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) column[j] = inverse(j, i);
      trace += gram.quadratic_form(column);  // tr(M^-1 G) = sum over columns c of R^-1 of c' G c
      std::ranges::fill(row, 0);             // Row i of M^-1
      for (std::size_t j = 0; j < count; ++j)
        for (std::size_t k = std::max(i, j); k < count; ++k) row[j] += inverse(i, k) * inverse(j, k);
      corrections.push_back((1 - gram.quadratic_form(row)) / row[i]);
    }
    sample_mean samples;
    for (const double correction : corrections) samples.add(trace + correction - shift * static_cast<double>(weights_));
    return {.trace = samples.mean(),
            .standard_error = samples.standard_error(),
            .weights = weights_,
            .probes = count,
            .heuristic = true};
  }

  std::size_t weights_;
  std::uint64_t seed_;
  std::vector<Scalar> probe_;
  std::vector<std::vector<Scalar>> images_;  // The columns of H Z.
  double largest_ = 0;
  square_matrix probes_, mixed_, squares_;  // Z'Z, Z'HZ and (HZ)'HZ
};

}  // namespace bitwright
