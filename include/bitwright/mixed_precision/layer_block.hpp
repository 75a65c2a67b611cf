// SPDX-License-Identifier: MIT
/// \file
/// One layer's own block of the Hessian, as a Hessian-vector product of that layer's weights alone.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// H_ll v: the direction is zero in all other layers, and what the product says about them is left out.
/// top_eigenvalues of it rank layers as HAWQ does (Dong et al., ICCV 2019): by the largest eigenvalue of each block.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
class layer_block {
 public:
  /// `product` is kept as a reference and must outlive this object.
  /// Throws invalid_argument for a layer that is not there or sizes that are 0.
  layer_block(Product& product, std::span<const std::size_t> layer_sizes, std::size_t layer)
      : product_(product), direction_(count_weights("layer_block", layer_sizes)), result_(direction_.size()) {
    require(layer < layer_sizes.size(), "layer_block: layer", layer, "less than the number of layers, ",
            layer_sizes.size());
    first_ =
        std::accumulate(layer_sizes.begin(), layer_sizes.begin() + static_cast<std::ptrdiff_t>(layer), std::size_t{0});
    size_ = layer_sizes[layer];
  }

  /// How many weights the layer has.
  std::size_t size() const { return size_; }
  std::size_t gradients() const { return gradients_of(product_); }

  /// Throws invalid_argument for spans that do not have the layer's size.
  void operator()(std::span<const Scalar> direction, std::span<Scalar> result) {
    require(direction.size() == size_, "layer_block: direction.size()", direction.size(), "the layer's size, ", size_);
    require(result.size() == size_, "layer_block: result.size()", result.size(), "the layer's size, ", size_);
    std::ranges::copy(direction, direction_.begin() + static_cast<std::ptrdiff_t>(first_));
    std::ranges::fill(result_, std::numeric_limits<Scalar>::quiet_NaN());
    product_(std::span<const Scalar>(direction_), std::span<Scalar>(result_));
    std::ranges::copy(std::span(result_).subspan(first_, size_), result.begin());
  }

 private:
  Product& product_;
  std::vector<Scalar> direction_, result_;
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace bitwright
