// SPDX-License-Identifier: MIT
/// \file
/// Weights as a plan takes them: 8-bit codes, and their maps to values for the tensor or for each output channel.
///
/// Two kinds of quantizers come to that. Those with a map, value = scale * (code - zero_point), keep their codes; wider
/// ones are moved into 8 bits together with the zero point, which changes no value. Those with a few levels anywhere have
/// them on a grid: see quantizers/integer_levels.hpp for what is exact. Kernels find by themselves that a tensor holds 16
/// integers or fewer, and pack it in 4 bits, or in 2 for 4 or fewer: so channels should share their levels, as those of
/// one scheme do, not have a codebook each.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/integer_levels.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {

/// A quantizer that integer kernels can follow: codes of at most 16 bits, and value = scale * (code - zero_point).
template <class Q>
concept affine_weight_quantizer = quantizer<Q> && std::integral<typename Q::code_type> &&
                                  (sizeof(typename Q::code_type) <= 2) &&
                                  requires(const Q& q) {
  { q.map() } -> std::same_as<affine_scale>;
};

/// What quantize_weights takes.
template <class Q>
concept weight_quantizer = affine_weight_quantizer<Q> || enumerable_quantizer<Q>;

/// The granularities whose maps a kernel can follow: one for the tensor, or one for each output channel.
template <class Granularity>
concept per_tensor_or_channel = std::same_as<Granularity, per_tensor> || std::same_as<Granularity, per_channel>;

/// Codes with the output channels in dimension 0, and one map for all of them or one for each.
struct quantized_weights {
  tensor<std::int8_t> codes;
  std::vector<affine_scale> maps;
};

/// A channel's codes in 8 bits: as they are where they and their zero point are within [-128, 127], else all moved by
/// the same number. Throws invalid_argument where they span more than 256 codes.
template <std::integral Code>
affine_scale byte_codes(std::span<const Code> codes, affine_scale map, std::span<std::int8_t> bytes) {
  constexpr code_range room = code_range::all_of<std::int8_t>();
  code_range used{map.zero_point, map.zero_point};
  for (const Code code : codes) used = {std::min<std::int32_t>(used.min, code), std::max<std::int32_t>(used.max, code)};
  require(used.size() <= room.size(), "quantize_weights: a channel's codes and zero point",
          std::array{used.min, used.max}, "at most 256 codes from the least to the greatest");
  const std::int32_t above = std::max(0, used.max - room.max), below = std::min(0, used.min - room.min);
  std::ranges::transform(codes, bytes.begin(),
                         [=](Code code) { return static_cast<std::int8_t>(code - above - below); });
  return {map.scale, map.zero_point - above - below};
}

/// A channel's levels. Throws invalid_argument as integer_levels_of does.
template <enumerable_quantizer Q>
affine_scale level_codes(const Q& q, std::span<const typename Q::code_type> codes, std::span<std::int8_t> bytes) {
  const integer_levels levels = integer_levels_of(q);
  std::ranges::transform(codes, bytes.begin(), [&levels](auto code) { return levels[code]; });
  return {levels.scale, 0};
}

/// The codes and maps that a quantizer per tensor, or per channel of dimension 0, gives the weights `values`.
/// Throws invalid_argument unless the quantizer was made for as many values, for channels along any other axis, for
/// codes of a channel that span more than 256 numbers, and as integer_levels_of does.
template <weight_quantizer Q, per_tensor_or_channel Granularity>
quantized_weights quantize_weights(const sliced<Q, Granularity>& fitted, std::span<const float> values) {
  if constexpr (std::same_as<Granularity, per_channel>)
    require(fitted.division().axis == 0, "quantize_weights: fitted.division().axis", fitted.division().axis,
            "0, the output channels");
  std::vector<typename Q::code_type> stored(fitted.shape().elements());
  fitted.quantize(values, stored);
  quantized_weights weights{tensor<std::int8_t>(fitted.shape()), {}};
  for (std::size_t i = 0; i < fitted.quantizers().size(); ++i) {
    const Q& channel = fitted.quantizers()[i];
    const slice part = fitted.division().at(fitted.shape(), i);
    const auto codes = std::span<const typename Q::code_type>(stored).subspan(part.offset, part.length);
    const std::span<std::int8_t> bytes = weights.codes.values().subspan(part.offset, part.length);
    if constexpr (affine_weight_quantizer<Q>)
      weights.maps.push_back(byte_codes(codes, channel.map(), bytes));
    else
      weights.maps.push_back(level_codes(channel, codes, bytes));
  }
  return weights;
}

}  // namespace bitwright
