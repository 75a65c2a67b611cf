// SPDX-License-Identifier: MIT
/// \file
/// An orthonormal basis of a subspace of weight space, grown vector by vector.
#pragma once

#include <bitwright/mixed_precision/hessian_vector_product.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {

/// a'b, summed in double.
template <weight_scalar Scalar>
double dot_product(std::span<const Scalar> a, std::span<const Scalar> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// target += factor * source.
template <weight_scalar Scalar>
void add_multiple(std::span<Scalar> target, double factor, std::span<const Scalar> source) {
  for (std::size_t i = 0; i < target.size(); ++i)
    target[i] = static_cast<Scalar>(static_cast<double>(target[i]) + factor * static_cast<double>(source[i]));
}

/// Vectors of one dimension, each of length 1 and orthogonal to the others.
template <weight_scalar Scalar>
class orthonormal_basis {
 public:
  std::size_t size() const { return vectors_.size(); }
  std::span<const Scalar> operator[](std::size_t i) const { return vectors_[i]; }

  /// The coordinates of `vector`: its products with all basis vectors.
  std::vector<double> coordinates(std::span<const Scalar> vector) const {
    std::vector<double> result;
    for (const std::vector<Scalar>& basis : vectors_) result.push_back(dot_product<Scalar>(basis, vector));
    return result;
  }

  /// Takes out of `vector` what lies in the basis, and returns its coordinates. Done twice, as once leaves what
  /// cancellation lost: twice is enough (Giraud, Langou and Rozloznik 2005).
  std::vector<double> project_out(std::span<Scalar> vector) const {
    std::vector<double> taken(size());
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 0; i < size(); ++i) {
        const double part = dot_product<Scalar>(vectors_[i], vector);
        add_multiple<Scalar>(vector, -part, vectors_[i]);
        taken[i] += part;
      }
    return taken;
  }

  /// Adds the direction of a `vector` that project_out has been through, and returns its length; a vector whose length
  /// is no more than `negligible` is not added, and the length returned is 0.
  double append(std::vector<Scalar> vector, double negligible = 0) {
    const double length = euclidean_norm<Scalar>(vector);
    if (!(length > negligible)) return 0;
    for (Scalar& value : vector) value = static_cast<Scalar>(static_cast<double>(value) / length);
    vectors_.push_back(std::move(vector));
    return length;
  }

 private:
  std::vector<std::vector<Scalar>> vectors_;
};

/// What is left of a vector of length `length` after projection, where nothing but rounding should be left.
template <weight_scalar Scalar>
constexpr double rounding_of(double length) {
  return 16 * static_cast<double>(std::numeric_limits<Scalar>::epsilon()) * length;
}

}  // namespace bitwright
