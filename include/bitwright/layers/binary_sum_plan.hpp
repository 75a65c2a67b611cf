// SPDX-License-Identifier: MIT
/// \file
/// The integers of a layer of bits, made once from its float description: weights as bits, and what sums become.
///
///     value = input_scale * weight scale * sum + bias         sum = sum_k a[k] * w[k], a and w in {-1, +1}
///
///     code: bias as a whole number of sums, round_half_to_even, and the factor input_scale * weight scale / output.scale
///     bit:  value >= 0, which is sum + floor(bias / (input_scale * weight scale)) >= 0, the quotient rounded to double
///     float: value, without bias
///
/// Source: Rastegari et al., "XNOR-Net" (ECCV 2016), section 3.2; the bit as a threshold of the sum: Courbariaux et al.,
/// "Binarized Neural Networks" (NeurIPS 2016).
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/binary_gemm_arguments.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright {

/// All codes of a binary layer's output type; bits and floats have none.
template <kernels::binary_output Output>
constexpr code_range codes_of_output() {
  if constexpr (std::same_as<Output, bool> || std::same_as<Output, float>)
    return {0, 0};
  else
    return code_range::all_of<Output>();
}

/// What the layer's float description becomes. Copies and moves freely: pointers into it are made on demand.
template <kernels::binary_output Output>
class binary_sum_plan {
 public:
  static constexpr bool makes_codes = !std::same_as<Output, bool> && !std::same_as<Output, float>;

  /// `weights` are codes of -1 and +1, outputs x ... x channels, of which the last dimension is a tap's; `maps` one
  /// element or one for each output, with zero points of 0; `bias` none or one for each. `output` and `output_codes` are
  /// for codes. Throws invalid_argument naming the argument, for all that these words exclude.
  binary_sum_plan(std::string_view layer, float input_scale, tensor_view<const std::int8_t> weights,
                  std::span<const affine_scale> maps, std::span<const float> bias, affine_scale output,
                  code_range output_codes)
      : layer_(layer),
        outputs_(weights.size(0)),
        channels_(weights.size(weights.shape().rank() - 1)),
        input_scale_(input_scale),
        output_(output),
        output_codes_(output_codes) {
    require(weights.values().size() > 0, layer_ + ": weights.shape()", weights.shape(), "no dimension of 0");
    taps_ = weights.values().size() / (outputs_ * channels_);
    require_valid({input_scale, 0}, layer_ + ": input");
    if constexpr (makes_codes) require_valid_output(layer_, output, output_codes, codes_of_output<Output>());
    require(maps.size() == 1 || maps.size() == outputs_, layer_ + ": weight_maps.size()", maps.size(),
            "1 or the number of output channels, ", outputs_);
    const std::size_t most_biases = std::same_as<Output, float> ? 0 : outputs_;
    require(bias.empty() || bias.size() == most_biases, layer_ + ": bias.size()", bias.size(),
            "0, or for codes and bits the number of output channels, ", outputs_);
    for (std::size_t n = 0; n < outputs_; ++n)
      add_channel(n, maps[maps.size() == 1 ? 0 : n], bias.empty() ? 0.0f : bias[n]);
    pack(weights.values());
  }

  /// As kernels take it. Valid as long as the plan stays where it is; `weights` are there until `forget_weights`.
  kernels::binary_sum sums() const {
    return {.outputs = outputs_,
            .taps = taps_,
            .channels = channels_,
            .weights = weights_.data(),
            .bias = bias_.data(),
            .factors = makes_codes ? factors_.data() : nullptr,
            .output_zero_point = output_.zero_point,
            .output_codes = output_codes_,
            .scales = std::same_as<Output, float> ? scales_.data() : nullptr};
  }

  /// A path has packed them.
  void forget_weights() { weights_ = {}; }

  std::size_t outputs() const { return outputs_; }
  std::size_t row_bytes() const { return taps_ * kernels::bytes_of_bits(channels_); }

 private:
  void add_channel(std::size_t n, affine_scale map, float bias) {
    const std::string channel = '[' + std::to_string(n) + ']';
    require_valid(map, layer_ + ": weight_maps" + channel);
    require(map.zero_point == 0, layer_ + ": weight_maps" + channel + ".zero_point", map.zero_point, "0");
    require(std::isfinite(bias), layer_ + ": bias" + channel, bias, "a finite number");
    const double sum_scale = double{input_scale_} * double{map.scale};  // Exact: 48 bits of 53.
    const auto inputs = static_cast<double>(taps_ * channels_);
    const double steps = double{bias} / sum_scale;
    if constexpr (std::same_as<Output, bool>) {
      // What is beyond all sums decides alone.
      require(inputs < 0x1p30, layer_ + ": weights of an output channel", taps_ * channels_, "fewer than 2^30");
      bias_.push_back(static_cast<std::int32_t>(std::clamp(std::floor(steps), -inputs - 1, inputs + 1)));
    } else {
      const double whole = std::nearbyint(steps);
      require(std::abs(whole) + inputs < 0x1p31, layer_ + ": bias" + channel, bias,
              "32 bits, with all weights, of steps of ", sum_scale, ", input_scale * weight_maps.scale");
      bias_.push_back(static_cast<std::int32_t>(whole));
    }
    scales_.push_back(static_cast<float>(sum_scale));
    if constexpr (makes_codes)
      factors_.push_back(make_factor(layer_ + ": input_scale * weight_maps" + channel + ".scale / output.scale",
                                     sum_scale / double{output_.scale}));
  }

  void pack(std::span<const std::int8_t> codes) {
    const std::size_t tap_bytes = kernels::bytes_of_bits(channels_);
    weights_.resize(outputs_ * taps_ * tap_bytes);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      require(codes[i] == 1 || codes[i] == -1, layer_ + ": weights.values()[" + std::to_string(i) + "]", +codes[i],
              "-1 or 1");
      if (codes[i] > 0) weights_[i / channels_ * tap_bytes + i % channels_ / 8] |= std::byte{1} << i % channels_ % 8;
    }
  }

  std::string layer_;
  std::size_t outputs_;
  std::size_t channels_;
  std::size_t taps_ = 0;
  float input_scale_;
  affine_scale output_;
  code_range output_codes_;
  std::vector<std::byte> weights_;
  std::vector<std::int32_t> bias_;
  std::vector<dyadic> factors_;
  std::vector<float> scales_;
};

}  // namespace bitwright
