// SPDX-License-Identifier: MIT
/// \file
/// The integers of a layer with weights, made once from its float description: biases at the accumulator's scale,
/// dyadic factors, and the proof that no input can overflow an accumulator.
///
///     factor[n] = input.scale * weight_maps[n].scale / output.scale
///     bias code = round_half_to_even(bias[n] / (input.scale * weight_maps[n].scale))
///
/// Source: Jacob et al. (CVPR 2018), sections 2.2 and 2.4; HAWQ-V3 (Yao et al., ICML 2021), section 3.1.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/weight_levels.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright {

/// Throws invalid_argument unless map and codes describe an output whose value 0 is a code, and fit `type`, all codes
/// of the output's type. `layer` is the name that errors begin with.
inline void require_valid_output(std::string_view layer, affine_scale map, code_range codes, code_range type) {
  const std::string name(layer);
  require_valid(map, name + ": output");
  require(codes.min <= codes.max && type.contains(codes), name + ": output_codes", std::array{codes.min, codes.max},
          "an interval within the output type, ", std::array{type.min, type.max});
  require(codes.contains(map.zero_point), name + ": output.zero_point", map.zero_point, "one of the output_codes, ",
          std::array{codes.min, codes.max});
}

/// Throws invalid_argument unless the map is valid and its zero point a code of the input's type.
inline void require_valid_input(const std::string& argument, affine_scale map, code_range type) {
  require_valid(map, argument);
  require(type.contains(map.zero_point), argument + ".zero_point", map.zero_point, "a code of its type, ",
          std::array{type.min, type.max});
}

/// The nearest dyadic to a factor made of scales; a refusal names the argument it was made for.
inline dyadic make_factor(const std::string& argument, double factor) {
  require(factor >= 0x1p-32 && factor < 0x1p30, argument, factor, "[2^-32, 2^30)");
  return dyadic::nearest(factor);
}

/// What the layer's float description becomes. Copies and moves freely: pointers into it are made on demand.
class weighted_sum_plan {
 public:
  /// `weights` has the output channels in dimension 0; `maps` one element or one for each of them; `bias` none or one
  /// for each. `input_codes` are those that inputs may hold, within `input_type`, all that their type can;
  /// `output_type` are those of the output's. Weights are codes of 8 bits, or integers of 16 where no kernel packs them.
  /// Throws invalid_argument naming the argument, for all that the members' comments exclude.
  template <kernels::one_of<std::int8_t, std::int16_t> Weight>
  weighted_sum_plan(std::string_view layer, affine_scale input, code_range input_codes, code_range input_type,
                    tensor_view<const Weight> weights, std::span<const affine_scale> maps, std::span<const float> bias,
                    affine_scale output, code_range output_codes, code_range output_type)
      : layer_(layer),
        outputs_(weights.size(0)),
        inputs_(weights.values().size() / std::max<std::size_t>(1, outputs_)),
        input_(input),
        input_codes_(input_codes),
        output_(output),
        output_codes_(output_codes) {
    if constexpr (sizeof(Weight) == 1) index_bits_ = kernels::index_bits_of(weights.values());
    require(weights.values().size() > 0, layer_ + ": weights.shape()", weights.shape(), "no dimension of 0");
    require_valid_input(layer_ + ": input", input, input_type);
    require(input_codes.min <= input_codes.max && input_type.contains(input_codes), layer_ + ": input_codes",
            std::array{input_codes.min, input_codes.max}, "an interval within the input type, ",
            std::array{input_type.min, input_type.max});
    require(input_codes.contains(input.zero_point), layer_ + ": input.zero_point", input.zero_point,
            "one of the input_codes, ", std::array{input_codes.min, input_codes.max});
    require_valid_output(layer_, output, output_codes, output_type);
    require(maps.size() == 1 || maps.size() == outputs_, layer_ + ": weight_maps.size()", maps.size(),
            "1 or the number of output channels, ", outputs_);
    require(bias.empty() || bias.size() == outputs_, layer_ + ": bias.size()", bias.size(),
            "0 or the number of output channels, ", outputs_);
    for (std::size_t n = 0; n < outputs_; ++n) {
      add_channel(n, maps[maps.size() == 1 ? 0 : n], bias.empty() ? 0.0f : bias[n]);
      require_room(n, weights.values().subspan(n * inputs_, inputs_));
    }
  }

  /// As kernels take it; `weights` are for packing. Valid as long as the plan stays where it is.
  kernels::weighted_sum sums(const std::int8_t* weights = nullptr) const {
    return {outputs_,      inputs_,         weights,           weight_zero_points_.data(),
            bias_.data(),  factors_.data(), input_.zero_point, output_.zero_point,
            output_codes_, input_codes_,    index_bits_};
  }

  std::size_t outputs() const { return outputs_; }
  std::size_t inputs() const { return inputs_; }

 private:
  void add_channel(std::size_t n, affine_scale map, float bias) {
    const std::string channel = '[' + std::to_string(n) + ']';
    require_valid_input(layer_ + ": weight_maps" + channel, map, code_range::all_of<std::int8_t>());
    const double accumulator_scale = double{input_.scale} * double{map.scale};  // Exact: 48 bits of 53.
    require(std::isfinite(bias), layer_ + ": bias" + channel, bias, "a finite number");
    const double steps = std::nearbyint(double{bias} / accumulator_scale);
    require(steps >= -0x1p31 && steps < 0x1p31, layer_ + ": bias" + channel, bias, "32 bits of steps of ",
            accumulator_scale, ", input.scale * weight_maps.scale: this channel needs a larger scale");
    weight_zero_points_.push_back(map.zero_point);
    bias_.push_back(static_cast<std::int32_t>(steps));
    factors_.push_back(make_factor(layer_ + ": input.scale * weight_maps" + channel + ".scale / output.scale",
                                   accumulator_scale / double{output_.scale}));
  }

  // Each term reaches 0, so the sum of what each can add bounds any part of the sum in any order, and is reached.
  template <class Weight>
  void require_room(std::size_t n, std::span<const Weight> weights) const {
    constexpr std::string_view remedy = sizeof(Weight) == 1 ? " for every input: fewer weights or smaller codes"
                                                            : " for every input: fewer weights or smaller ones";
    const std::int64_t below = input_codes_.min - input_.zero_point, above = input_codes_.max - input_.zero_point;
    std::int64_t least = std::min(bias_[n], 0), most = std::max(bias_[n], 0);
    for (const Weight code : weights) {
      const std::int64_t weight = code - weight_zero_points_[n];
      least += std::min(weight * below, weight * above);
      most += std::max(weight * below, weight * above);
    }
    constexpr code_range room = code_range::all_of<std::int32_t>();
    const std::string argument = layer_ + ": the accumulator's extreme in output channel " + std::to_string(n);
    require(most <= room.max, argument, most, "at most ", room.max, remedy);
    require(least >= room.min, argument, least, "at least ", room.min, remedy);
  }

  std::string layer_;
  std::size_t outputs_;
  std::size_t inputs_;
  affine_scale input_;
  code_range input_codes_;
  affine_scale output_;
  code_range output_codes_;
  int index_bits_ = 8;
  std::vector<std::int32_t> weight_zero_points_;
  std::vector<std::int32_t> bias_;
  std::vector<dyadic> factors_;
};

/// Weights in a path's layout, in memory aligned as paths want it.
using packed_weights = std::vector<std::byte, aligned_allocator<std::byte>>;

/// What `path` packs of its constants, a weighted_sum or what contains one.
template <class Path, class Constants>
packed_weights pack_weights(const Path& path, const Constants& constants) {
  packed_weights packed(path.packed_bytes(constants));
  path.pack(constants, packed.data());
  return packed;
}

}  // namespace bitwright
