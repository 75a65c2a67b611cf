// SPDX-License-Identifier: MIT
/// \file
/// Granularity: which elements of a tensor share one set of quantization parameters. Such a set of elements is a slice.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

namespace bitwright {

/// Where a slice's elements lie in a row-major tensor: `blocks` blocks of `length` elements, the first at `offset`,
/// each `stride` after the one before.
struct slice {
  std::size_t offset;
  std::size_t length;
  std::size_t blocks = 1;
  std::size_t stride = 0;

  constexpr std::size_t elements() const { return blocks * length; }
};

/// Divides tensors into slices: `count(shape)` of them, numbered from 0, `at(shape, index)` says where. Together they
/// hold every element once.
template <class Granularity>
concept granularity = requires(const Granularity& g, const shape& extent, std::size_t index) {
  { g.count(extent) } -> std::convertible_to<std::size_t>;
  { g.at(extent, index) } -> std::same_as<slice>;
};

/// One slice: the whole tensor.
struct per_tensor {
  constexpr std::size_t count(const shape&) const { return 1; }
  constexpr slice at(const shape& extent, std::size_t) const { return {0, extent.elements()}; }
};

/// One slice for each index of one dimension; weights keep their output channels in dimension 0.
struct per_channel {
  std::size_t axis = 0;

  /// Throws invalid_argument unless the shape has the dimension `axis`.
  constexpr std::size_t count(const shape& extent) const {
    require(axis < extent.rank(), "per_channel: axis", axis, "a dimension of the shape ", extent);
    return extent[axis];
  }
  constexpr slice at(const shape& extent, std::size_t channel) const {
    std::size_t outer = 1, inner = 1;
    for (std::size_t i = 0; i < axis; ++i) outer *= extent[i];
    for (std::size_t i = axis + 1; i < extent.rank(); ++i) inner *= extent[i];
    return {channel * inner, inner, outer, extent[axis] * inner};
  }
};

/// One slice for each run of `size` elements inside dimension 0, so that no group spans two output channels; the last
/// group of a channel holds what remains. Source: Q-BERT (Shen et al., AAAI 2020), section 3.2.
struct per_group {
  std::size_t size;

  /// Throws invalid_argument for groups of size 0, or a shape without dimensions.
  constexpr std::size_t count(const shape& extent) const {
    require(size > 0, "per_group: size", size, "at least 1");
    require(extent.rank() > 0, "per_group: shape", extent, "at least one dimension");
    return channels(extent) * groups(extent);
  }
  constexpr slice at(const shape& extent, std::size_t index) const {
    const std::size_t channel = index / groups(extent), first = index % groups(extent) * size;
    return {channel * channel_elements(extent) + first, std::min(size, channel_elements(extent) - first)};
  }

 private:
  // A vector is a single channel: its groups run along it.
  static constexpr std::size_t channels(const shape& extent) { return extent.rank() == 1 ? 1 : extent[0]; }
  static constexpr std::size_t channel_elements(const shape& extent) {
    return channels(extent) == 0 ? 0 : extent.elements() / channels(extent);
  }
  // Not (elements + size - 1) / size: that sum overflows for the largest sizes.
  constexpr std::size_t groups(const shape& extent) const {
    return channel_elements(extent) / size + (channel_elements(extent) % size != 0);
  }
};

static_assert(granularity<per_tensor> && granularity<per_channel> && granularity<per_group>);

}  // namespace bitwright
