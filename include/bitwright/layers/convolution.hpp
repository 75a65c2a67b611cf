// SPDX-License-Identifier: MIT
/// \file
/// A 2-D convolution on codes of images (height x width x channels), in integers only.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/layers/image.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bitwright {

/// The plan of a convolution; see kernels/convolution.hpp for the arithmetic, which is bit-exact on every path.
template <class Activation = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class convolution {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;                         ///< Its zero point is a code of `Activation`, and that of padding.
    height_width image;                         ///< Of the input.
    tensor_view<const std::int8_t> weights;     ///< Outputs x kernel height x kernel width x input channels / groups.
    std::span<const affine_scale> weight_maps;  ///< One, or one for each output channel.
    std::span<const float> bias = {};           ///< None, or one value for each output channel.
    height_width stride = {1, 1};
    image_padding padding = {};
    height_width dilation = {1, 1};                          ///< Pixels from one tap to the next.
    std::size_t groups = 1;                                  ///< As many as input channels: depthwise.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
    /// Codes that inputs hold, and no others: the output_codes of the layer before. Fewer, such as 0 to 15, leave more
    /// room in accumulators, and let AVX2 sum more products of small weights in 16 bits.
    code_range input_codes = code_range::all_of<Activation>();
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument, for all that linear refuses, for a size, stride, dilation or number
  /// of groups of 0, for groups that do not divide the output channels, and for a kernel larger than the padded image.
  explicit convolution(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::convolution_paths<Activation, Output, Rounding>, path)),
        plan_(make_plan(layer)),
        window_(make_window("convolution", layer.image, {layer.weights.size(1), layer.weights.size(2)}, layer.stride,
                            layer.padding, layer.dilation)),
        groups_(layer.groups),
        group_channels_(layer.weights.size(3)),
        input_size_(image_size(layer.image, groups_ * group_channels_)),
        output_size_(image_size(output_image(), plan_.outputs())),
        packed_(pack_weights(*path_, constants(layer.weights.values().data()))) {}

  std::string_view path() const { return path_->name; }
  /// Of the packed weights, with all the constants of their columns. Weights of at most 16, 4 or 2 different codes take
  /// 4, 2 bits or 1 each, on paths that look them up: all of x86-64 and of 64-bit Arm.
  std::size_t packed_bytes() const { return packed_.size(); }
  height_width output_image() const { return output_pixels(window_); }

  std::size_t input_size() const { return input_size_; }    ///< Codes of one image: height x width x channels.
  std::size_t output_size() const { return output_size_; }  ///< Codes of one image: height x width x channels.
  std::size_t workspace_bytes() const { return maximum_pieces * path_->workspace_bytes(constants()); }

  /// As many output images as there are input images. Allocates nothing; any number of threads may run one plan at
  /// once, each with a workspace of its own. Same bits for every executor, whose exceptions end the program.
  /// Asserted: whole images, as many in both spans, and a workspace of at least workspace_bytes().
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Activation> input, std::span<Output> output, std::span<std::byte> workspace,
           Executor&& pool = {}) const noexcept {
    const std::size_t images = input.size() / input_size(), piece_bytes = path_->workspace_bytes(constants());
    assert(input.size() == images * input_size() && output.size() == images * output_size());
    assert(workspace.size() >= workspace_bytes());
    const auto [height, width] = output_image();
    const auto run = [&](std::size_t piece, std::size_t first, std::size_t last) {
      path_->run({.constants = constants(),
                  .packed = packed_.data(),
                  .activations = input.data(),
                  .outputs = output.data(),
                  .workspace = workspace.data() + piece * piece_bytes},
                 first, last);
    };
    run_in_pieces(pool, images * height, run, rows_of(least_pixels, width));
  }

 private:
  static weighted_sum_plan make_plan(const description& layer) {
    require(layer.weights.shape().rank() == 4, "convolution: weights.shape()", layer.weights.shape(),
            "outputs x kernel height x kernel width x input channels / groups");
    require(layer.groups > 0 && layer.weights.size(0) % layer.groups == 0, "convolution: groups", layer.groups,
            "a divisor of the output channels, ", layer.weights.size(0));
    return {"convolution",      layer.input,
            layer.input_codes,  code_range::all_of<Activation>(),
            layer.weights,      layer.weight_maps,
            layer.bias,         layer.output,
            layer.output_codes, code_range::all_of<Output>()};
  }

  kernels::convolution_constants constants(const std::int8_t* weights = nullptr) const {
    return {plan_.sums(weights), window_, groups_, group_channels_};
  }

  const kernels::convolution_path<Activation, Output>* path_;
  weighted_sum_plan plan_;
  kernels::sliding_window window_;
  std::size_t groups_;
  std::size_t group_channels_;
  std::size_t input_size_;
  std::size_t output_size_;
  packed_weights packed_;
};

}  // namespace bitwright
