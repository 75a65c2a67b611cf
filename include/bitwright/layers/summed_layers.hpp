// SPDX-License-Identifier: MIT
/// \file
/// Linear layers and convolutions whose weights are sums of integers, in integers only: piecewise linear weights, and
/// learned bases.
///
///     accumulator_r[n] = sum_k (input[k] - zero_point) * level_r[n][k]
///     output code = clamp(round((addend[n] + sum_r accumulator_r[n] * multiplier_r[n]) / 2^shift[n]) + zero_point)
///
///     multiplier_r[n] / 2^shift[n] = input.scale * scale_r[n] / output.scale
///     addend[n] / 2^shift[n] = bias[n] / output.scale
///
/// The accumulators are made by the layers that any 8-bit weights have, one for each summand, with 32-bit outputs. All
/// factors of an output have the shift that gives the greatest of them 31 bits: every one is off by less than 2^-31 of
/// that.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/joint_requantize.hpp>
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/image.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/summed_weights.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitwright {

/// Rounding and zero points: what a layer's accumulators become codes by. Copies and moves freely.
class joint_factors_plan {
 public:
  /// `activation_type` is all codes that the input's type holds, `output_type` those of the output's.
  /// Throws invalid_argument naming the argument, for all that the layers' comments exclude.
  joint_factors_plan(std::string_view layer, affine_scale input, code_range activation_type,
                     const summed_weights& weights, std::span<const float> bias, affine_scale output,
                     code_range output_codes, code_range output_type)
      : layer_(layer), input_(input), output_(output), output_codes_(output_codes) {
    require(!weights.summands.empty(), layer_ + ": weights.summands.size()", weights.summands.size(), "at least 1");
    require_valid_input(layer_ + ": input", input, activation_type);
    require_valid_output(layer_, output, output_codes, output_type);
    const shape& extent = weights.summands[0].levels.shape();
    require(extent.rank() > 0 && extent.elements() > 0, layer_ + ": weights.shape()", extent, "no dimension of 0");
    require(bias.empty() || bias.size() == extent[0], layer_ + ": bias.size()", bias.size(),
            "0 or the number of output channels, ", extent[0]);
    for (const weight_summand& summand : weights.summands) require_shape(summand, extent);
    multipliers_.resize(weights.summands.size() * extent[0]);
    for (std::size_t n = 0; n < extent[0]; ++n) {
      add_output(n, extent[0], weights, bias.empty() ? 0.0f : bias[n]);
      require_room(n, extent[0], weights, activation_type);
    }
  }

  /// As kernels take it. Valid as long as the plan stays where it is.
  kernels::joint_factors factors() const {
    return {.outputs = shifts_.size(),
            .summands = multipliers_.size() / shifts_.size(),
            .multipliers = multipliers_.data(),
            .addends = addends_.data(),
            .shifts = shifts_.data(),
            .output_zero_point = output_.zero_point,
            .output_codes = output_codes_};
  }

 private:
  void require_shape(const weight_summand& summand, const shape& extent) const {
    require(summand.levels.shape() == extent, layer_ + ": weights.shape()", summand.levels.shape(),
            "that of all summands, ", extent);
    require(summand.scales.size() == extent[0], layer_ + ": weights.scales.size()", summand.scales.size(),
            "the number of output channels, ", extent[0]);
    for (const float scale : summand.scales)
      require(std::isfinite(scale), layer_ + ": weights.scales", scale, "a finite number");
  }

  void add_output(std::size_t n, std::size_t outputs, const summed_weights& weights, float bias) {
    const std::string channel = '[' + std::to_string(n) + ']';
    const auto factor = [&](std::size_t r) {
      return double{input_.scale} * double{weights.summands[r].scales[n]} / double{output_.scale};
    };
    double greatest = 0;
    for (std::size_t r = 0; r < weights.summands.size(); ++r) greatest = std::max(greatest, std::abs(factor(r)));
    // A channel of zeros alone has no factor: its bias gets the finest steps that any has.
    const int shift =
        greatest == 0
            ? 31
            : make_factor(layer_ + ": input.scale * weights.scales" + channel + " / output.scale", greatest).shift;
    for (std::size_t r = 0; r < weights.summands.size(); ++r)
      multipliers_[r * outputs + n] = static_cast<std::int32_t>(std::llround(std::ldexp(factor(r), shift)));
    require(std::isfinite(bias), layer_ + ": bias" + channel, bias, "a finite number");
    const double steps = std::nearbyint(std::ldexp(double{bias} / double{output_.scale}, shift));
    require(std::abs(steps) <= 0x1p61, layer_ + ": bias" + channel, bias, "at most 2^61 steps of ",
            std::ldexp(double{output_.scale}, -shift));
    addends_.push_back(static_cast<std::int64_t>(steps));
    shifts_.push_back(shift);
  }

  // That the accumulators have room is proven by the layers that make them. In double: 2^62 is half of what 64 bits hold.
  void require_room(std::size_t n, std::size_t outputs, const summed_weights& weights,
                    code_range activation_type) const {
    const double below = activation_type.min - input_.zero_point, above = activation_type.max - input_.zero_point;
    double most = std::abs(static_cast<double>(addends_[n]));
    for (std::size_t r = 0; r < weights.summands.size(); ++r) {
      const std::span<const std::int8_t> levels = weights.summands[r].levels.values();
      const std::size_t length = levels.size() / outputs;
      double sum = 0;
      for (const std::int8_t level : levels.subspan(n * length, length))
        sum += std::max(std::abs(level * below), std::abs(level * above));
      most += sum * std::abs(static_cast<double>(multipliers_[r * outputs + n]));
    }
    require(most <= 0x1p62, layer_ + ": the sum's extreme in output channel " + std::to_string(n), most,
            "at most 2^62 for every input: fewer weights or a smaller bias");
  }

  std::string layer_;
  affine_scale input_;
  affine_scale output_;
  code_range output_codes_;
  std::vector<std::int32_t> multipliers_;
  std::vector<std::int64_t> addends_;
  std::vector<std::int32_t> shifts_;
};

/// The plan of a sum of layers: `Layer`, of 32-bit outputs, is what makes one summand's accumulators.
template <class Layer, class Activation, class Output, integer_rounding Rounding>
class sum_of_layers {
 public:
  /// The path that makes the accumulators.
  std::string_view path() const { return summands_[0].path(); }
  std::size_t input_size() const { return summands_[0].input_size(); }    ///< Codes of one input row or image.
  std::size_t output_size() const { return summands_[0].output_size(); }  ///< Codes of one output row or image.
  std::size_t workspace_bytes() const {
    std::size_t most = 0;
    for (const Layer& summand : summands_) most = std::max(most, summand.workspace_bytes());
    return alignment + summands_.size() * block() * output_size() * sizeof(std::int32_t) + most;
  }

  /// As many outputs as there are inputs, rows or images. Allocates nothing; any number of threads may run one plan at
  /// once, each with a workspace of its own. Same bits for every executor, whose exceptions end the program.
  /// Asserted: whole inputs, as many in both spans, and a workspace of at least workspace_bytes().
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Activation> input, std::span<Output> output, std::span<std::byte> workspace,
           Executor&& pool = {}) const noexcept {
    const std::size_t count = input.size() / input_size();
    assert(input.size() == count * input_size() && output.size() == count * output_size());
    assert(workspace.size() >= workspace_bytes());
    for (std::size_t first = 0; first < count; first += block()) {
      const std::size_t some = std::min(block(), count - first);
      run_block(input.subspan(first * input_size(), some * input_size()),
                output.subspan(first * output_size(), some * output_size()), workspace, pool);
    }
  }

 protected:
  /// `make_layer(summand)` makes the plan of one summand's accumulators. `path` forces a path by name; joint
  /// requantization takes the one of that name where it has it, or its best one.
  template <class MakeLayer>
  sum_of_layers(joint_factors_plan factors, const summed_weights& weights, const MakeLayer& make_layer,
                std::string_view path)
      : factors_(std::move(factors)), requantize_(&best_path(paths)) {
    for (const weight_summand& summand : weights.summands) summands_.push_back(make_layer(summand));
    for (const auto& each : paths)
      if (each.name == path && each.available()) requantize_ = &each;
  }

 private:
  static constexpr const auto& paths = kernels::joint_requantize_paths<Output, Rounding>;
  static constexpr std::size_t alignment = alignof(std::int32_t);

  // Inputs whose accumulators are made before they are requantized: few enough to be still in a cache, but rows enough to
  // be worth reading all weights.
  std::size_t block() const {
    constexpr std::size_t cached = std::size_t{1} << 18;
    const std::size_t row = summands_.size() * output_size() * sizeof(std::int32_t);
    const std::size_t outputs = factors_.factors().outputs, pixels = std::max<std::size_t>(1, output_size() / outputs);
    return std::max(rows_of(least_pixels, pixels), cached / row);
  }

  template <class Executor>
  void run_block(std::span<const Activation> input, std::span<Output> output, std::span<std::byte> workspace,
                 Executor& pool) const noexcept {
    void* memory = workspace.data();
    std::size_t room = workspace.size();
    std::align(alignment, 1, memory, room);
    const std::size_t stride = output.size();
    auto* const accumulators = static_cast<std::int32_t*>(memory);
    const std::span<std::byte> rest = workspace.last(room - summands_.size() * stride * sizeof(std::int32_t));
    for (std::size_t r = 0; r < summands_.size(); ++r)
      summands_[r].run(input, std::span(accumulators + r * stride, stride), rest, pool);
    const kernels::joint_requantize_arguments<Output> call{.factors = factors_.factors(),
                                                           .accumulators = accumulators,
                                                           .summand_stride = stride,
                                                           .outputs = output.data()};
    run_in_pieces(
        pool, stride / call.factors.outputs,
        [&](std::size_t, std::size_t first, std::size_t last) { requantize_->run(call, first, last); }, least_pixels);
  }

  std::vector<Layer> summands_;
  joint_factors_plan factors_;
  const kernels::joint_requantize_path<Output>* requantize_;
};

/// The plan of a linear layer of summed weights, outputs x inputs.
template <class Activation = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class summed_linear : public sum_of_layers<linear<Activation, std::int32_t>, Activation, Output, Rounding> {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;                                      ///< Its zero point is a code of `Activation`.
    const summed_weights& weights;                           ///< Outputs x inputs.
    std::span<const float> bias = {};                        ///< None, or one value for each output.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument: for summands that do not match or are none, and for all that linear
  /// refuses; a sum that could exceed 62 bits, too.
  explicit summed_linear(const description& layer, std::string_view path = {})
      : sum_of_layers<linear<Activation, std::int32_t>, Activation, Output, Rounding>(
            {"summed_linear", layer.input, code_range::all_of<Activation>(), layer.weights, layer.bias, layer.output,
             layer.output_codes, code_range::all_of<Output>()},
            layer.weights,
            [&](const weight_summand& summand) {
              return linear<Activation, std::int32_t>({.input = {1, layer.input.zero_point},
                                                       .weights = summand.levels,
                                                       .weight_maps = accumulator_maps,
                                                       .output = accumulator_maps[0]},
                                                      path);
            },
            path) {}

 private:
  static constexpr std::array<affine_scale, 1> accumulator_maps{{{1, 0}}};
};

/// The plan of a convolution of summed weights, outputs x kernel height x kernel width x input channels / groups.
template <class Activation = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class summed_convolution : public sum_of_layers<convolution<Activation, std::int32_t>, Activation, Output, Rounding> {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;                ///< Its zero point is a code of `Activation`, and that of padding.
    height_width image;                ///< Of the input.
    const summed_weights& weights;     ///< Outputs x kernel height x kernel width x input channels / groups.
    std::span<const float> bias = {};  ///< None, or one value for each output channel.
    height_width stride = {1, 1};
    image_padding padding = {};
    height_width dilation = {1, 1};                          ///< Pixels from one tap to the next.
    std::size_t groups = 1;                                  ///< As many as input channels: depthwise.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument: for summands that do not match or are none, and for all that
  /// convolution refuses; a sum that could exceed 62 bits, too.
  explicit summed_convolution(const description& layer, std::string_view path = {})
      : sum_of_layers<convolution<Activation, std::int32_t>, Activation, Output, Rounding>(
            {"summed_convolution", layer.input, code_range::all_of<Activation>(), layer.weights, layer.bias,
             layer.output, layer.output_codes, code_range::all_of<Output>()},
            layer.weights,
            [&](const weight_summand& summand) {
              return convolution<Activation, std::int32_t>({.input = {1, layer.input.zero_point},
                                                            .image = layer.image,
                                                            .weights = summand.levels,
                                                            .weight_maps = accumulator_maps,
                                                            .stride = layer.stride,
                                                            .padding = layer.padding,
                                                            .dilation = layer.dilation,
                                                            .groups = layer.groups,
                                                            .output = accumulator_maps[0]},
                                                           path);
            },
            path) {}

 private:
  static constexpr std::array<affine_scale, 1> accumulator_maps{{{1, 0}}};
};

}  // namespace bitwright
