// SPDX-License-Identifier: MIT
/// \file
/// Any quantizer per tensor, per channel or per group: one quantizer for each slice of a tensor.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {

/// The elements of a slice, in order, in memory of their own.
template <class T>
std::vector<std::remove_const_t<T>> gather(std::span<T> values, const slice& part) {
  std::vector<std::remove_const_t<T>> gathered;
  gathered.reserve(part.elements());
  for (std::size_t block = 0; block < part.blocks; ++block) {
    const auto source = values.subspan(part.offset + block * part.stride, part.length);
    gathered.insert(gathered.end(), source.begin(), source.end());
  }
  return gathered;
}

/// Puts gathered elements back where their slice lies.
template <class T>
void scatter(std::span<const T> gathered, const slice& part, std::span<T> values) {
  for (std::size_t block = 0; block < part.blocks; ++block)
    std::ranges::copy(gathered.subspan(block * part.length, part.length),
                      values.subspan(part.offset + block * part.stride, part.length).begin());
}

/// A quantizer made of quantizers: slice i of the tensor goes through quantizer i, which sees its slice whole.
template <quantizer Q, granularity Granularity>
class sliced {
 public:
  using code_type = typename Q::code_type;

  /// Throws invalid_argument unless there is one quantizer for each slice that `division` makes of the shape.
  sliced(const shape& extent, Granularity division, std::vector<Q> quantizers)
      : shape_(extent), division_(division), quantizers_(std::move(quantizers)) {
    require(quantizers_.size() == division.count(extent), "sliced: quantizers.size()", quantizers_.size(),
            "the number of slices, ", division.count(extent));
  }

  /// The most that any slice's code costs; 0 for a tensor without slices.
  int bits() const {
    int most = 0;
    for (const Q& q : quantizers_) most = std::max(most, static_cast<int>(q.bits()));
    return most;
  }

  const bitwright::shape& shape() const { return shape_; }
  const Granularity& division() const { return division_; }

  /// One for each slice, in the order of the granularity.
  std::span<const Q> quantizers() const { return quantizers_; }

  /// Throws invalid_argument unless both spans hold as many elements as the shape.
  void quantize(std::span<const float> values, std::span<code_type> codes) const {
    require_elements(values.size(), "sliced::quantize: values.size()");
    require_elements(codes.size(), "sliced::quantize: codes.size()");
    apply(values, codes, [](const Q& q, auto from, auto to) { q.quantize(from, to); });
  }

  /// Throws invalid_argument unless both spans hold as many elements as the shape.
  void dequantize(std::span<const code_type> codes, std::span<float> values) const {
    require_elements(codes.size(), "sliced::dequantize: codes.size()");
    require_elements(values.size(), "sliced::dequantize: values.size()");
    apply(codes, values, [](const Q& q, auto from, auto to) { q.dequantize(from, to); });
  }

 private:
  void require_elements(std::size_t size, std::string_view argument) const {
    require(size == shape_.elements(), argument, size, "the product of the shape ", shape_);
  }

  template <class From, class To, class Transform>
  void apply(std::span<const From> from, std::span<To> to, Transform transform) const {
    for (std::size_t i = 0; i < quantizers_.size(); ++i) {
      const slice part = division_.at(shape_, i);
      if (part.blocks == 1) {
        transform(quantizers_[i], from.subspan(part.offset, part.length), to.subspan(part.offset, part.length));
        continue;
      }
      const std::vector<From> source = gather(from, part);
      std::vector<To> target(source.size());
      transform(quantizers_[i], std::span<const From>(source), std::span<To>(target));
      scatter(std::span<const To>(target), part, to);
    }
  }

  bitwright::shape shape_;
  Granularity division_;
  std::vector<Q> quantizers_;
};

/// Fits one quantizer to each slice of `values`: `fit(std::span<const float>)` returns the slice's quantizer.
///
///     fit_slices(weights, per_channel{}, [](auto slice) { return uniform<4>::symmetric(range_of(slice)); })
template <granularity Granularity, std::invocable<std::span<const float>> Fit>
requires quantizer<std::invoke_result_t<Fit&, std::span<const float>>>
auto fit_slices(tensor_view<const float> values, Granularity division, Fit fit) {
  using fitted = std::invoke_result_t<Fit&, std::span<const float>>;
  std::vector<fitted> quantizers;
  const std::size_t count = division.count(values.shape());
  quantizers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const slice part = division.at(values.shape(), i);
    if (part.blocks == 1)
      quantizers.push_back(std::invoke(fit, values.values().subspan(part.offset, part.length)));
    else
      quantizers.push_back(std::invoke(fit, std::span<const float>(gather(values.values(), part))));
  }
  return sliced<fitted, Granularity>(values.shape(), division, std::move(quantizers));
}

}  // namespace bitwright
