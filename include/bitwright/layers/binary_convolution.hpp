// SPDX-License-Identifier: MIT
/// \file
/// A 2-D convolution on images of bits (height x width x channels), with codes, bits or values as outputs.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/binary_convolution.hpp>
#include <bitwright/layers/binary_sum_plan.hpp>
#include <bitwright/layers/image.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bitwright {

/// The plan of a convolution on bits; see layers/binary_sum_plan.hpp for the arithmetic, which is bit-exact on every path.
/// `Output` is the type of codes, or bool for bits, which the next layer of bits takes, or float.
///
/// A pixel's channels begin with a byte. Padding is the value 0, as in XNOR-Net: no bit, and nothing is added for it. (Where
/// a network was trained with -1 or +1 around its images, give it images with these bits around them, and no padding.)
template <kernels::binary_output Output = bool, integer_rounding Rounding = half_to_even>
class binary_convolution {
 public:
  using stored = kernels::stored_output<Output>;  ///< Bits lie in bytes, each pixel's from a byte on.

  /// What the layer is in floats.
  struct description {
    float input_scale = 1;                   ///< The value of a bit 1; that of 0 is -input_scale.
    height_width image;                      ///< Of the input.
    tensor_view<const std::int8_t> weights;  ///< Codes of -1 and +1: outputs x kernel height x kernel width x channels.
    std::span<const affine_scale> weight_maps;  ///< One, or one for each output channel, with zero points of 0.
    std::span<const float> bias = {};           ///< None, or for codes and bits one value for each output channel.
    height_width stride = {1, 1};
    image_padding padding = {};
    height_width dilation = {1, 1};  ///< Pixels from one tap to the next.
    affine_scale output = {1, 0};    ///< For codes. Its zero point is one of the output_codes.
    code_range output_codes =
        codes_of_output<Output>();  ///< For codes. From output.zero_point upwards is a fused ReLU.
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument, for all that binary_linear refuses, for a size, stride or dilation of 0,
  /// and for a kernel larger than the padded image.
  explicit binary_convolution(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::binary_convolution_paths<Output, Rounding>, path)),
        plan_(make_plan(layer)),
        window_(make_window("binary_convolution", layer.image, {layer.weights.size(1), layer.weights.size(2)},
                            layer.stride, layer.padding, layer.dilation)),
        input_size_(image_size(layer.image, kernels::bytes_of_bits(layer.weights.size(3)))),
        output_size_(image_size(output_image(), kernels::stored_outputs<Output>(plan_.outputs()))),
        packed_(pack_weights(*path_, plan_.sums())) {
    plan_.forget_weights();
  }

  std::string_view path() const { return path_->name; }
  height_width output_image() const { return output_pixels(window_); }

  std::size_t input_size() const { return input_size_; }  ///< Bytes of one image.
  /// Elements of one image: codes, values, or bytes of bits.
  std::size_t output_size() const { return output_size_; }
  std::size_t workspace_bytes() const { return maximum_pieces * path_->workspace_bytes(constants()); }

  /// As many output images as there are input images, of bits; bits beyond the last of a pixel are not looked at.
  /// Allocates nothing; any number of threads may run one plan at once, each with a workspace of its own. Same bits for
  /// every executor, whose exceptions end the program. `pixel_scales` are for float: none, or a factor for each pixel of
  /// the outputs, as layers/magnitude_scales.hpp makes them.
  /// Asserted: whole images, as many in both spans, and a workspace of at least workspace_bytes().
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const std::byte> input, std::span<stored> output, std::span<std::byte> workspace,
           Executor&& pool = {}, std::span<const float> pixel_scales = {}) const noexcept {
    const std::size_t images = input.size() / input_size(), piece_bytes = path_->workspace_bytes(constants());
    assert(input.size() == images * input_size() && output.size() == images * output_size());
    assert(workspace.size() >= workspace_bytes());
    const auto [height, width] = output_image();
    assert(pixel_scales.empty() || pixel_scales.size() == images * height * width);
    const auto run = [&](std::size_t piece, std::size_t first, std::size_t last) {
      path_->run({.constants = constants(),
                  .packed = packed_.data(),
                  .activations = input.data(),
                  .outputs = output.data(),
                  .pixel_scales = pixel_scales.data(),
                  .workspace = workspace.data() + piece * piece_bytes},
                 first, last);
    };
    run_in_pieces(pool, images * height, run, rows_of(least_pixels, width));
  }

 private:
  static binary_sum_plan<Output> make_plan(const description& layer) {
    require(layer.weights.shape().rank() == 4, "binary_convolution: weights.shape()", layer.weights.shape(),
            "outputs x kernel height x kernel width x channels");
    return {"binary_convolution", layer.input_scale, layer.weights,     layer.weight_maps,
            layer.bias,           layer.output,      layer.output_codes};
  }

  kernels::binary_convolution_constants constants() const { return {plan_.sums(), window_}; }

  const kernels::binary_convolution_path<Output>* path_;
  binary_sum_plan<Output> plan_;
  kernels::sliding_window window_;
  std::size_t input_size_;
  std::size_t output_size_;
  packed_weights packed_;
};

}  // namespace bitwright
