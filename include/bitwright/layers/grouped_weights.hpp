// SPDX-License-Identifier: MIT
/// \file
/// Weights in groups of 32 along the inputs, with a scale for each group and possibly a zero point, as language models
/// are published in.
///
///     value[n][k] = scale[n][g] * (code[n][k] - zero_point[n][g])      g = k / 32
///
/// where the zero point is 8 for four_bit_groups and 0 for eight_bit_groups. Blocks of ggml's Q4_0 and Q8_0 become such
/// weights without loss.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/quantizers/uniform.hpp>
#include <bitwright/storage/block.hpp>
#include <bitwright/storage/packing_order.hpp>
#include <bitwright/storage/q4_0.hpp>
#include <bitwright/storage/q8_0.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {

using kernels::eight_bit_groups;
using kernels::four_bit_groups;
using kernels::four_bit_groups_with_zero_points;
using kernels::group_format;

static_assert(kernels::group_size == block_values);

/// Codes, scales and zero points of a format, as a file or a quantizer gives them.
template <group_format Format>
struct grouped_weights {
  tensor<std::int8_t> codes;              ///< Outputs x inputs, from Format::codes.
  std::vector<std::uint16_t> scales;      ///< Outputs x groups, as fp16 has them; finite, of either sign.
  std::vector<std::uint8_t> zero_points;  ///< Outputs x groups, from 0 to 16, for the format that has them; else none.

  /// Throws invalid_argument naming what does not match, or is no code, no finite scale or no zero point. `name` is what
  /// errors begin with.
  void check(const std::string& name) const {
    const shape& extent = codes.shape();
    require(extent.rank() == 2 && extent.elements() > 0, name + ".codes.shape()", extent,
            "outputs x inputs, no dimension of 0");
    require(extent[1] % block_values == 0, name + ".codes.shape()[1]", extent[1], "a multiple of ", block_values);
    const std::size_t groups = extent.elements() / block_values;
    require(scales.size() == groups, name + ".scales.size()", scales.size(), "one for each group, ", groups);
    require(zero_points.size() == (Format::has_zero_points ? groups : 0), name + ".zero_points.size()",
            zero_points.size(), Format::has_zero_points ? "one for each group, " : "none of this format, ",
            Format::has_zero_points ? groups : 0);
    const auto at = [](std::size_t i) { return '[' + std::to_string(i) + ']'; };
    for (std::size_t i = 0; i < extent.elements(); ++i)
      if (!Format::codes.contains(codes.values()[i]))
        fail(name + ".codes" + at(i), int{codes.values()[i]}, std::array{Format::codes.min, Format::codes.max});
    for (std::size_t i = 0; i < groups; ++i)
      if (!std::isfinite(fp16().dequantize(scales[i])))
        fail(name + ".scales" + at(i), fp16().dequantize(scales[i]), "a finite number");
    for (std::size_t i = 0; i < zero_points.size(); ++i)
      if (zero_points[i] > 16) fail(name + ".zero_points" + at(i), int{zero_points[i]}, "[0, 16]");
  }

  /// The value of weight k of output n.
  float value(std::size_t n, std::size_t k) const {
    const std::size_t inputs = codes.shape()[1], group = (n * inputs + k) / block_values;
    const std::int32_t zero_point = Format::has_zero_points ? zero_points[group] : Format::zero_point;
    return fp16().dequantize(scales[group]) * static_cast<float>(codes.values()[n * inputs + k] - zero_point);
  }
};

/// The weights that blocks of ggml's Q4_0 or Q8_0 hold, row after row of `inputs` of them, the very same.
/// Throws invalid_argument unless inputs is a multiple of 32 and the blocks make whole rows, for scales that are not
/// finite, and for no blocks.
template <class Block>
requires std::same_as<Block, q4_0_block> || std::same_as<Block, q8_0_block>
auto weights_of_blocks(std::span<const Block> blocks, std::size_t inputs) {
  using format = std::conditional_t<std::same_as<Block, q4_0_block>, four_bit_groups, eight_bit_groups>;
  require(inputs > 0 && inputs % block_values == 0, "weights_of_blocks: inputs", inputs, "a multiple of ",
          block_values);
  const std::size_t row = inputs / block_values;
  require(!blocks.empty() && blocks.size() % row == 0, "weights_of_blocks: blocks.size()", blocks.size(),
          "a multiple of inputs / 32, ", row);
  grouped_weights<format> weights{tensor<std::int8_t>({blocks.size() / row, inputs}), {}, {}};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::int8_t* const codes = weights.codes.values().data() + i * block_values;
    if constexpr (std::same_as<Block, q4_0_block>)
      ggml_halves::unpack_group(blocks[i].codes.data(), 4, reinterpret_cast<std::uint8_t*>(codes));
    else
      std::ranges::copy(blocks[i].codes, codes);
    weights.scales.push_back(static_cast<std::uint16_t>(blocks[i].scale.bytes[0] | blocks[i].scale.bytes[1] << 8));
  }
  weights.check("weights_of_blocks: weights");
  return weights;
}

/// Codes of a group between its least and its greatest value, and 0: scale = (max - min) / 15, rounded to fp16, by the
/// nearest code. Throws invalid_argument for a NaN or an infinity, and for a scale beyond 65504.
inline void quantize_group(std::span<const float, block_values> values,
                           grouped_weights<four_bit_groups_with_zero_points>& weights, std::size_t group) {
  const range seen = join(range_of(values), {0, 0});
  const auto wanted = static_cast<float>((double{seen.max} - double{seen.min}) / 15);
  weights.scales[group] = fp16().quantize(wanted);
  const float scale = fp16().dequantize(weights.scales[group]);
  require(std::isfinite(scale), "quantize_group: scale", wanted, "at most 65504");
  if (scale == 0) return;  // All values are less than half of fp16's least: codes and zero points are 0 already.
  const double zero_point = std::clamp(std::nearbyint(-double{seen.min} / double{scale}), 0.0, 15.0);
  weights.zero_points[group] = static_cast<std::uint8_t>(zero_point);
  const uniform<4, std::uint8_t> codes({scale, weights.zero_points[group]}, four_bit_groups::codes);
  std::array<std::uint8_t, block_values> fields;
  codes.quantize(values, fields);
  std::ranges::copy(fields, weights.codes.values().begin() + static_cast<std::ptrdiff_t>(group * block_values));
}

/// Float weights, outputs x inputs, quantized group by group: to Q4_0, to Q8_0, or by quantize_group.
/// Throws invalid_argument unless inputs is a multiple of 32 and no dimension 0, for a NaN or an infinity, and for scales
/// beyond fp16.
template <group_format Format>
grouped_weights<Format> quantize_groups(tensor_view<const float> weights) {
  const shape& extent = weights.shape();
  require(extent.rank() == 2 && extent.elements() > 0 && extent[1] % block_values == 0,
          "quantize_groups: weights.shape()", extent, "outputs x inputs, the latter a multiple of ", block_values);
  const std::size_t groups = extent.elements() / block_values;
  if constexpr (Format::has_zero_points) {
    grouped_weights<Format> quantized{tensor<std::int8_t>(extent), std::vector<std::uint16_t>(groups),
                                      std::vector<std::uint8_t>(groups)};
    for (std::size_t i = 0; i < groups; ++i)
      quantize_group(weights.values().subspan(i * block_values).template first<block_values>(), quantized, i);
    return quantized;
  } else {
    std::vector<std::conditional_t<Format::bits == 4, q4_0_block, q8_0_block>> blocks(groups);
    quantize_blocks(weights.values(), std::span(blocks));
    return weights_of_blocks(std::span(std::as_const(blocks)), extent[1]);
  }
}

}  // namespace bitwright
