// SPDX-License-Identifier: MIT
/// \file
/// A Hessian-vector product: the curvature H of a loss, seen through what it does to a direction v of weight space.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {

/// The types in which a loss may hold its weights.
template <class Scalar>
concept weight_scalar = std::same_as<Scalar, float> || std::same_as<Scalar, double>;

/// `product(direction, result)` writes H v into `result`. Both spans hold the weights of all layers, one layer after
/// the other; `result` is NaN before the call, so an element left unwritten is found out. H is symmetric and does not
/// change from call to call: the same samples, batch-norm statistics frozen.
template <class Product, class Scalar>
concept hessian_vector_product =
    weight_scalar<Scalar> && std::invocable<Product&, std::span<const Scalar>, std::span<Scalar>>;

/// `gradient(weights, result)` writes the loss's gradient at `weights` into `result`, both of the same size.
template <class Gradient, class Scalar>
concept gradient_function =
    weight_scalar<Scalar> && std::invocable<Gradient&, std::span<const Scalar>, std::span<Scalar>>;

/// sqrt(sum x^2) in double, relative to the largest |x|: 1e-170 squared is not taken for 0. NaN and infinity show.
template <weight_scalar Scalar>
double euclidean_norm(std::span<const Scalar> values) {
  double largest = 0;
  for (const double value : values)
    if (!(std::abs(value) <= largest)) largest = std::abs(value);
  if (largest == 0 || !std::isfinite(largest)) return largest;
  double sum = 0;
  for (const double value : values) sum += (value / largest) * (value / largest);
  return largest * std::sqrt(sum);
}

/// How many gradients `product` has cost so far; 0 where it does not count them.
template <class Product>
std::size_t gradients_of(const Product& product) {
  if constexpr (requires {
                  { product.gradients() } -> std::convertible_to<std::size_t>;
                })
    return product.gradients();
  else
    return 0;
}

/// Makes a Hessian-vector product from a gradient function g, two gradients a product:
///   H v = (g(w + h v) - g(w - h v)) / (2 h) + O(h^2),   h = c eps^(1/3) |w| / |v|,
/// the step at which rounding (eps |w| / (h |v|)) and truncation ((h |v| / |w|)^2) balance; c in [1, 3] serves smooth
/// networks: relative error about 1e-4 in float and 1e-10 in double. A ReLU network is not smooth: every unit that
/// changes sign within the step adds a jump, and with millions of units H v is then mostly that. Give such a network a
/// gradient in double and c = 1e-5, a step in which next to no unit changes sign; rounding is then still about 1e-7.
/// Degenerate cases: |w| counts as 1 where all weights are zero; a zero direction gives zero and costs no gradient.
template <weight_scalar Scalar, gradient_function<Scalar> Gradient>
class central_difference {
 public:
  /// `weights` is kept as a view and must outlive this object. Throws invalid_argument for empty or non-finite weights
  /// and for a `step_factor` (c) that is not positive and finite.
  central_difference(std::span<const Scalar> weights, Gradient gradient, double step_factor = 2)
      : weights_(weights), gradient_(std::move(gradient)), moved_(weights.size()), behind_(weights.size()) {
    require(!weights.empty(), "central_difference: weights.size()", weights.size(), "at least 1");
    require(step_factor > 0 && std::isfinite(step_factor), "central_difference: step_factor", step_factor,
            "a positive finite number");
    const double norm = euclidean_norm(weights);
    require(std::isfinite(norm), "central_difference: norm of the weights", norm, "a finite number");
    length_ =
        step_factor * std::cbrt(static_cast<double>(std::numeric_limits<Scalar>::epsilon())) * (norm == 0 ? 1 : norm);
  }

  /// Writes H v for v = `direction`. Throws invalid_argument for sizes other than the weights', for a direction whose
  /// norm is not finite or whose step underflows, and for a gradient with NaN or infinity.
  void operator()(std::span<const Scalar> direction, std::span<Scalar> result) {
    require(direction.size() == weights_.size(), "central_difference: direction.size()", direction.size(),
            "that of the weights, ", weights_.size());
    require(result.size() == weights_.size(), "central_difference: result.size()", result.size(),
            "that of the weights, ", weights_.size());
    const double norm = euclidean_norm(direction);
    require(std::isfinite(norm), "central_difference: norm of the direction", norm, "a finite number");
    if (norm == 0) {
      std::ranges::fill(result, Scalar{0});
      return;
    }
    const double step = length_ / norm;
    require(std::isnormal(step), "central_difference: step", step, "a number that neither overflows nor underflows");
    gradient_at(-step, direction, behind_);
    gradient_at(step, direction, result);
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = static_cast<Scalar>((static_cast<double>(result[i]) - static_cast<double>(behind_[i])) / (2 * step));
  }

  /// How many gradients all products so far have cost.
  std::size_t gradients() const { return gradients_; }

 private:
  void gradient_at(double step, std::span<const Scalar> direction, std::span<Scalar> result) {
    for (std::size_t i = 0; i < moved_.size(); ++i)
      moved_[i] = static_cast<Scalar>(static_cast<double>(weights_[i]) + step * static_cast<double>(direction[i]));
    std::ranges::fill(result, std::numeric_limits<Scalar>::quiet_NaN());
    gradient_(std::span<const Scalar>(moved_), result);
    ++gradients_;
    for (std::size_t i = 0; i < result.size(); ++i)
      if (!std::isfinite(result[i])) [[unlikely]]
        fail("central_difference: gradient[" + std::to_string(i) + "]", result[i], "a finite number");
  }

  std::span<const Scalar> weights_;
  Gradient gradient_;
  std::vector<Scalar> moved_, behind_;
  double length_ = 0;
  std::size_t gradients_ = 0;
};

/// `central_difference(weights, gradient)` takes the scalar from any contiguous range of weights.
template <std::ranges::contiguous_range Weights, class Gradient>
central_difference(const Weights&, Gradient, double = 2)
    -> central_difference<std::remove_cv_t<std::ranges::range_value_t<Weights>>, Gradient>;

}  // namespace bitwright
