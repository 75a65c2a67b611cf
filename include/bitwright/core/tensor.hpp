// SPDX-License-Identifier: MIT
/// \file
/// An owning, row-major tensor whose elements start on a cache line.
#pragma once

#include <bitwright/core/tensor_view.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <vector>

namespace bitwright {

/// Allocates on 64-byte boundaries: a cache line, and the widest vector register of any path.
template <class T>
struct aligned_allocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  aligned_allocator() = default;
  template <class Other>
  constexpr aligned_allocator(const aligned_allocator<Other>&) {}

  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), alignment)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, alignment); }

  friend constexpr bool operator==(aligned_allocator, aligned_allocator) { return true; }
};

/// A tensor that owns its elements; zero when made. Copying copies the elements.
template <class T>
class tensor {
 public:
  using value_type = T;

  tensor() : tensor(bitwright::shape{0}) {}

  /// Throws std::bad_alloc or std::length_error where memory cannot hold that many elements.
  explicit tensor(const bitwright::shape& extent) : values_(extent.elements()), shape_(extent) {}

  const bitwright::shape& shape() const { return shape_; }
  std::size_t size(std::size_t axis) const { return shape_[axis]; }

  /// All elements, in row-major order; the first is 64-byte aligned.
  std::span<T> values() { return values_; }
  std::span<const T> values() const { return values_; }

  tensor_view<T> view() { return {values_, shape_}; }
  tensor_view<const T> view() const { return {values_, shape_}; }
  operator tensor_view<T>() { return view(); }
  operator tensor_view<const T>() const { return view(); }

  /// The element at `indices`, one for each dimension. Bounds are asserted, not checked.
  template <std::integral... Indices>
  T& operator()(Indices... indices) {
    return view()(indices...);
  }
  template <std::integral... Indices>
  const T& operator()(Indices... indices) const {
    return view()(indices...);
  }

 private:
  std::vector<T, aligned_allocator<T>> values_;
  bitwright::shape shape_;
};

}  // namespace bitwright
