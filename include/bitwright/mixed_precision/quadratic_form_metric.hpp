// SPDX-License-Identifier: MIT
/// \file
/// The quadratic form d'H d / 2, d = Q(W) - W in one layer: the second-order term of the loss itself, by one product
/// for each cell of the table, with no assumption on how d lies to H.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/layer_block.hpp>
#include <bitwright/mixed_precision/orthonormal_basis.hpp>
#include <bitwright/mixed_precision/sensitivity.hpp>
#include <bitwright/mixed_precision/sensitivity_metric.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bitwright {

/// The metric d'H_ll d / 2. There is no chance in it; its standard error is 0. Where the curvature along d is negative
/// the loss does not grow by the quadratic term, but nor does the layer come free: Omega is then its size,
/// `at_noise_floor`.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
class quadratic_form_metric {
 public:
  /// `product` and `layer_sizes` must outlive this object.
  quadratic_form_metric(Product& product, std::span<const std::size_t> layer_sizes)
      : product_(product), layer_sizes_(layer_sizes) {}

  /// One product, or none where nothing is changed. Throws invalid_argument for a layer that is not there, for spans
  /// that do not have its size, and for a product with NaN or infinity.
  sensitivity operator()(std::size_t layer, std::span<const float> original, std::span<const float> quantized) {
    layer_block<Scalar, Product> block(product_, layer_sizes_, layer);
    require(original.size() == block.size(), "quadratic_form_metric: original.size()", original.size(),
            "the layer's size, ", block.size());
    require(quantized.size() == block.size(), "quadratic_form_metric: quantized.size()", quantized.size(),
            "the layer's size, ", block.size());
    std::vector<Scalar> change(block.size()), image(block.size());
    for (std::size_t i = 0; i < change.size(); ++i)
      change[i] = static_cast<Scalar>(quantized[i]) - static_cast<Scalar>(original[i]);
    if (euclidean_norm<Scalar>(change) == 0) return {};
    block(change, image);
    const double half = dot_product<Scalar>(change, image) / 2;
    require(std::isfinite(half), "quadratic_form_metric: quadratic form", half, "a finite number");
    return {.omega = std::abs(half), .at_noise_floor = half < 0};
  }

 private:
  Product& product_;
  std::span<const std::size_t> layer_sizes_;
};

}  // namespace bitwright
