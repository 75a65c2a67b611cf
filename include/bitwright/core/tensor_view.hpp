// SPDX-License-Identifier: MIT
/// \file
/// A shape of up to five dimensions, and a non-owning, row-major view of a tensor.
#pragma once

#include <bitwright/core/error.hpp>

#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <type_traits>

namespace bitwright {

/// The sizes of a tensor's dimensions, outermost first. A shape without dimensions is that of one value.
class shape {
 public:
  static constexpr std::size_t maximum_rank = 5;

  constexpr shape() = default;

  /// Throws invalid_argument for more than five dimensions, or more elements than a std::size_t counts.
  constexpr shape(std::initializer_list<std::size_t> sizes)
      : shape(std::span<const std::size_t>(sizes.begin(), sizes.size())) {}
  constexpr explicit shape(std::span<const std::size_t> sizes) : rank_(sizes.size()) {
    require(sizes.size() <= maximum_rank, "shape: dimensions", sizes.size(), "at most 5");
    for (std::size_t axis = 0; axis < rank_; ++axis) {
      sizes_[axis] = sizes[axis];
      require(sizes[axis] == 0 || elements_ <= std::numeric_limits<std::size_t>::max() / sizes[axis], "shape: sizes",
              sizes, "fewer elements than overflow a std::size_t");
      elements_ *= sizes[axis];
    }
  }

  constexpr std::size_t rank() const { return rank_; }

  /// The size of one dimension. Bounds are asserted, not checked.
  constexpr std::size_t operator[](std::size_t axis) const {
    assert(axis < rank_);
    return sizes_[axis];
  }
  constexpr const std::size_t* begin() const { return sizes_.data(); }
  constexpr const std::size_t* end() const { return sizes_.data() + rank_; }

  /// The number of elements: the product of all sizes.
  constexpr std::size_t elements() const { return elements_; }

  friend constexpr bool operator==(const shape&, const shape&) = default;

 private:
  std::array<std::size_t, maximum_rank> sizes_{};
  std::size_t rank_ = 0;
  std::size_t elements_ = 1;
};

/// A row-major block of memory seen as a tensor. Copying a view copies no element.
template <class T>
class tensor_view {
 public:
  using value_type = std::remove_cv_t<T>;

  /// Throws invalid_argument unless `values` has as many elements as `extent`.
  constexpr tensor_view(std::span<T> values, const bitwright::shape& extent) : values_(values), shape_(extent) {
    require(values.size() == extent.elements(), "tensor_view: values.size()", values.size(),
            "the product of the shape ", extent);
  }

  /// A view of mutable elements is a view of constant ones.
  template <std::same_as<value_type> Mutable>
  requires std::is_const_v<T>
  constexpr tensor_view(const tensor_view<Mutable>& other) : values_(other.values()), shape_(other.shape()) {}

  constexpr const bitwright::shape& shape() const { return shape_; }
  constexpr std::size_t size(std::size_t axis) const { return shape_[axis]; }

  /// All elements, in row-major order.
  constexpr std::span<T> values() const { return values_; }

  /// The element at `indices`, one for each dimension. Bounds are asserted, not checked.
  template <std::integral... Indices>
  constexpr T& operator()(Indices... indices) const {
    assert(sizeof...(Indices) == shape_.rank());
    std::size_t offset = 0, axis = 0;
    ((assert(static_cast<std::size_t>(indices) < shape_[axis]),
      offset = offset * shape_[axis++] + static_cast<std::size_t>(indices)),
     ...);
    return values_[offset];
  }

  /// The part at `index` of the outermost dimension: one rank less, still contiguous.
  constexpr tensor_view operator[](std::size_t index) const {
    assert(shape_.rank() > 0 && index < shape_[0]);
    const bitwright::shape inner(std::span<const std::size_t>(shape_.begin() + 1, shape_.end()));
    return {values_.subspan(index * inner.elements(), inner.elements()), inner};
  }

 private:
  std::span<T> values_;
  bitwright::shape shape_;
};

}  // namespace bitwright
