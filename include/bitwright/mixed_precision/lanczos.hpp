// SPDX-License-Identifier: MIT
/// \file
/// The Lanczos process: an orthonormal basis Q of the space of v, Hv, H^2 v, ..., in which H is tridiagonal, T = Q' H
/// Q.
///
///   H q_j = beta_{j-1} q_{j-1} + alpha_j q_j + beta_j q_{j+1}
///
/// Extreme eigenvalues of T soon approach those of H. Every new vector is made orthogonal to all earlier ones, not only
/// to the two that the recurrence names: otherwise rounding brings converged eigenvalues back as ghosts. (Golub and Van
/// Loan, Matrix Computations, chapter 10.)
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/tridiagonal_eigenvalues.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// An eigenvalue of T as an approximation of one of H.
struct ritz_value {
  double value;
  double residual;    ///< How far it is at most from an eigenvalue of H: |beta_m v_m| for T's eigenvector v.
  double weight;      ///< v_1^2: the part of the start vector's square that lies along it. All weights sum to 1.
  std::size_t index;  ///< Its place in ascending order.
};

/// The process from one start vector, a step at a time. Memory: a vector of the weights' size for each step.
template <weight_scalar Scalar>
class lanczos {
 public:
  /// Starts in the direction of `start`, less what lies in the space of `avoided`, which must outlive this object.
  lanczos(std::vector<Scalar> start, const orthonormal_basis<Scalar>& avoided) : avoided_(&avoided) {
    const double length = euclidean_norm<Scalar>(start);
    avoided.project_out(start);
    coupling_ = euclidean_norm<Scalar>(start);
    if (coupling_ <= rounding_of<Scalar>(length)) coupling_ = 0;
    next_ = std::move(start);
  }

  /// Whether the space has no further direction: it is invariant, and T's eigenvalues are H's.
  bool exhausted() const { return coupling_ == 0; }
  std::size_t steps() const { return diagonal_.size(); }

  /// One product. Does nothing when exhausted. Throws invalid_argument for a product with NaN or infinity.
  template <hessian_vector_product<Scalar> Product>
  void step(Product& product) {
    if (exhausted()) return;
    if (steps() > 0) off_diagonal_.push_back(coupling_);
    basis_.append(std::move(next_));
    next_.assign(basis_[steps()].size(), std::numeric_limits<Scalar>::quiet_NaN());
    product(basis_[steps()], std::span<Scalar>(next_));
    const double length = euclidean_norm<Scalar>(next_);
    require(std::isfinite(length), "lanczos: norm of the product", length, "a finite number");
    largest_ = std::max(largest_, length);
    avoided_->project_out(next_);
    diagonal_.push_back(basis_.project_out(next_).back());
    coupling_ = euclidean_norm<Scalar>(next_);
    if (coupling_ <= rounding_of<Scalar>(largest_)) coupling_ = 0;
  }

  /// All Ritz values, ascending.
  std::vector<ritz_value> ritz_values() const {
    std::vector<std::vector<double>> rows(2, std::vector<double>(steps()));
    if (steps() > 0) rows[0].front() = rows[1].back() = 1;
    const tridiagonal_eigenvalues eigen = diagonalize(diagonal_, off_diagonal_, std::move(rows));
    std::vector<ritz_value> result;
    for (std::size_t i = 0; i < steps(); ++i)
      result.push_back({.value = eigen.values[i],
                        .residual = coupling_ * std::abs(eigen.rows[1][i]),
                        .weight = eigen.rows[0][i] * eigen.rows[0][i],
                        .index = i});
    return result;
  }

  /// The approximate eigenvectors of H, Q V, that belong to some of the Ritz values.
  std::vector<std::vector<Scalar>> ritz_vectors(std::span<const ritz_value> which) const {
    std::vector<std::vector<double>> identity(steps(), std::vector<double>(steps()));
    for (std::size_t i = 0; i < steps(); ++i) identity[i][i] = 1;
    const tridiagonal_eigenvalues eigen = diagonalize(diagonal_, off_diagonal_, std::move(identity));
    std::vector<std::vector<Scalar>> vectors;
    for (const ritz_value& ritz : which) {
      vectors.emplace_back(next_.size());
      for (std::size_t j = 0; j < steps(); ++j)
        add_multiple<Scalar>(vectors.back(), eigen.rows[j][ritz.index], basis_[j]);
    }
    return vectors;
  }

 private:
  const orthonormal_basis<Scalar>* avoided_;
  orthonormal_basis<Scalar> basis_;
  std::vector<Scalar> next_;  // Not yet of length 1: its length is coupling_.
  double coupling_ = 0, largest_ = 0;
  std::vector<double> diagonal_, off_diagonal_;
};

}  // namespace bitwright
