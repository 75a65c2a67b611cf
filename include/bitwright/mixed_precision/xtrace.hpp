// SPDX-License-Identifier: MIT
/// \file
/// XTrace: the trace of a symmetric matrix from k probes and 2 k products, each probe used for the range of the matrix
/// and for the rest, by leaving it out once.
///
///   t_i = tr(Q_i' H Q_i) + z_i' (1 - Q_i Q_i') H (1 - Q_i Q_i') z_i,   Q_i an orthonormal basis of H z_j, j != i
///
/// Every t_i is unbiased, as z_i is independent of Q_i; the estimate is their mean. They are not independent of each
/// other, so the deviation of their mean is a rule of thumb, and a little too small. (Epperly, Tropp and Webber 2024.)
#pragma once

#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/rademacher_probe.hpp>
#include <bitwright/mixed_precision/square_matrix.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {

/// The estimate, a probe (two products) at a time. With Q of all probes, Q_i Q_i' = Q (1 - s_i s_i') Q', where s_i is
/// the direction of Q that only H z_i reaches; so all that is kept of a probe are its coordinates.
/// Memory: one vector of the weights' size for each probe, and two more.
template <weight_scalar Scalar>
class xtrace {
 public:
  xtrace(std::size_t weights, std::uint64_t seed) : weights_(weights), seed_(seed), probe_(weights) {}

  /// How many products the next step costs at most.
  std::size_t next_cost() const { return 2; }

  /// Returns how many products it has cost.
  template <hessian_vector_product<Scalar> Product>
  std::size_t step(Product& product) {
    const std::size_t number = columns_.size();
    std::vector<Scalar> image(weights_);
    fill_probe(number);
    multiply_probe<Scalar>(product, probe_, image, std::span(&weights_, 1), number);
    const double length = euclidean_norm<Scalar>(image);
    columns_.push_back({.image = basis_.project_out(image), .probe = basis_.coordinates(probe_)});
    const double rest = basis_.append(image, rounding_of<Scalar>(length));
    if (rest == 0) return 1;  // H z adds nothing to the range: as it is, the trace over it is exact.
    columns_.back().image.push_back(rest);
    pivots_.push_back(number);
    multiply_probe<Scalar>(product, basis_[basis_.size() - 1], image, std::span(&weights_, 1), number);
    add_direction(basis_.coordinates(image));
    return 2;
  }

  trace_estimate estimate() const {
    sample_mean samples;
    const std::vector<std::vector<double>> own = own_directions();
    for (std::size_t i = 0; i < columns_.size(); ++i) samples.add(leave_out(columns_[i], own[i]));
    return {.trace = samples.mean(),
            .standard_error = samples.standard_error(),
            .weights = weights_,
            .probes = samples.count(),
            .heuristic = true};
  }

 private:
  /// A probe in the coordinates of Q: H z (zero beyond its end) and z.
  struct column {
    std::vector<double> image, probe;
  };

  void fill_probe(std::size_t number) { rademacher_probe(seed_, number).fill(std::span(probe_)); }

  /// Q has grown by a vector q: `image` are the coordinates of H q, and every probe gets one along q.
  void add_direction(const std::vector<double>& image) {
    const std::size_t last = basis_.size() - 1;
    restricted_.grow();
    for (std::size_t i = 0; i <= last; ++i) restricted_(i, last) = restricted_(last, i) = image[i];
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      fill_probe(i);
      columns_[i].probe.push_back(dot_product<Scalar>(basis_[last], probe_));
    }
  }

  /// s_i for every probe; zero for one whose image lies in the span of the others'.
  std::vector<std::vector<double>> own_directions() const {
    const std::size_t rank = pivots_.size();
    square_matrix upper(rank);
    for (std::size_t k = 0; k < rank; ++k)
      for (std::size_t row = 0; row <= k; ++row) upper(row, k) = columns_[pivots_[k]].image[row];
    const square_matrix inverse = upper_inverse(upper);
    std::vector<std::vector<double>> own(columns_.size(), std::vector<double>(rank));
    for (std::size_t k = 0; k < rank; ++k) {
      std::vector<double>& direction =
          own[pivots_[k]];  // Row k of the inverse is orthogonal to every other pivot's image.
      for (std::size_t i = k; i < rank; ++i) direction[i] = inverse(k, i);
      const double length = euclidean_norm<double>(direction);
      for (double& entry : direction) entry /= length;
      if (reached_by_another(direction)) direction.assign(rank, 0);
    }
    return own;
  }

  /// Whether the image of a probe that added nothing to the range lies partly along `direction`.
  bool reached_by_another(const std::vector<double>& direction) const {
    for (std::size_t i = 0, next = 0; i < columns_.size(); ++i) {
      if (next < pivots_.size() && pivots_[next] == i) {
        ++next;
        continue;
      }
      double along = 0;
      for (std::size_t k = 0; k < columns_[i].image.size(); ++k) along += columns_[i].image[k] * direction[k];
      if (std::abs(along) > rounding_of<Scalar>(euclidean_norm<double>(columns_[i].image))) return true;
    }
    return false;
  }

  /// t_i, given s_i.
  double leave_out(const column& probe, const std::vector<double>& own) const {
    double trace = 0, along = 0, rest = 0;
    for (std::size_t k = 0; k < own.size(); ++k) along += own[k] * probe.probe[k];
    std::vector<double> inside(own.size());  // Q_i Q_i' z_i
    for (std::size_t k = 0; k < own.size(); ++k) {
      inside[k] = probe.probe[k] - along * own[k];
      trace += restricted_(k, k);
      if (k < probe.image.size()) rest += probe.image[k] * (probe.probe[k] - 2 * inside[k]);
    }
    return trace - restricted_.quadratic_form(own) + rest + restricted_.quadratic_form(inside);
  }

  std::size_t weights_;
  std::uint64_t seed_;
  std::vector<Scalar> probe_;
  orthonormal_basis<Scalar> basis_;  // Q
  square_matrix restricted_;         // Q' H Q
  std::vector<column> columns_;
  std::vector<std::size_t> pivots_;  // The probes whose images made Q grow.
};

}  // namespace bitwright
