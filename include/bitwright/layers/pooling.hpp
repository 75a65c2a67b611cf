// SPDX-License-Identifier: MIT
/// \file
/// Pooling on codes of images (height x width x channels): the greatest value or the average under a sliding window,
/// in integers only. Padding takes no part. Global pooling is a kernel of the image's size.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/average_line.hpp>
#include <bitwright/kernels/pooling.hpp>
#include <bitwright/layers/image.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright {

/// Where a pooling layer looks.
struct pooling_window {
  height_width image;  ///< Of the input.
  std::size_t channels;
  height_width kernel;
  height_width stride = {1, 1};
  image_padding padding = {};
  height_width dilation = {1, 1};  ///< Pixels from one tap to the next.
};

/// The shape of a pooling layer: the window, checked, and the sizes that follow from it.
class pooling_shape {
 public:
  /// Throws invalid_argument for a size, stride or dilation of 0, for a kernel larger than the padded image, and where
  /// some window lies in the padding whole. `layer` is the name that errors begin with.
  pooling_shape(const std::string& layer, const pooling_window& given)
      : window_(make_window(layer, given.image, given.kernel, given.stride, given.padding, given.dilation)),
        channels_(given.channels),
        input_size_(image_size(given.image, channels_)),
        output_size_(image_size(output_pixels(window_), channels_)) {
    require(channels_ > 0, layer + ": channels", channels_, "at least 1");
    for (const kernels::window_axis& axis : {window_.vertical, window_.horizontal})
      for (std::size_t o = 0; o < axis.output(); ++o)
        require(axis.taps_inside(o).count() > 0, layer + ": padding",
                std::array{axis.padding_before, axis.padding_after},
                "so little that each window has a tap inside the image");
  }

  const kernels::sliding_window& window() const { return window_; }
  std::size_t channels() const { return channels_; }
  std::size_t input_size() const { return input_size_; }
  std::size_t output_size() const { return output_size_; }

  /// Output rows of as many images as there are codes for, in and out: whole images, as many in both (asserted).
  std::size_t rows(std::size_t input_codes, std::size_t output_codes) const {
    const std::size_t images = input_codes / input_size_;
    assert(input_codes == images * input_size_ && output_codes == images * output_size_);
    static_cast<void>(output_codes);
    return images * window_.vertical.output();
  }

 private:
  kernels::sliding_window window_;
  std::size_t channels_;
  std::size_t input_size_;
  std::size_t output_size_;
};

/// The plan of max pooling. The output's codes mean what the input's mean: no scale takes part.
template <class Code = std::uint8_t>
class max_pooling {
 public:
  /// `path` forces a path by name; empty is the best one. Throws invalid_argument as pooling_shape does, and for a path
  /// this processor cannot run.
  explicit max_pooling(const pooling_window& window, std::string_view path = {})
      : path_(&choose_path(kernels::max_pooling_paths<Code>, path)), shape_("max_pooling", window) {}

  std::string_view path() const { return path_->name; }
  height_width output_image() const { return output_pixels(shape_.window()); }
  std::size_t input_size() const { return shape_.input_size(); }    ///< Codes of one input image.
  std::size_t output_size() const { return shape_.output_size(); }  ///< Codes of one output image.

  /// As many output images as there are input images. Allocates nothing; any number of threads may run one plan at
  /// once. Same bits for every executor, whose exceptions end the program. The spans do not overlap. Asserted:
  /// whole images, as many in both.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Code> input, std::span<Code> output, Executor&& pool = {}) const noexcept {
    const std::size_t rows = shape_.rows(input.size(), output.size());
    run_in_pieces(pool, rows, [&](std::size_t, std::size_t first, std::size_t last) {
      path_->run({shape_.window(), shape_.channels(), input.data(), output.data()}, first, last);
    });
  }

 private:
  const kernels::max_pooling_path<Code>* path_;
  pooling_shape shape_;
};

/// The plan of average pooling. A window's average is that of its taps inside the image.
template <class Activation = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class average_pooling {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;  ///< Its zero point is a code of `Activation`.
    pooling_window window;
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// `path` forces a path by name; empty is the best one. Throws invalid_argument as pooling_shape does, and for scales
  /// that are no scales, zero points that are no codes, a quotient of scales outside [2^-32, 2^30), windows with more
  /// taps than a 32-bit sum holds, and a path this processor cannot run.
  explicit average_pooling(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::average_pooling_paths<Activation, Output, Rounding>, path)),
        shape_("average_pooling", layer.window),
        input_zero_point_(layer.input.zero_point),
        output_zero_point_(layer.output.zero_point),
        output_codes_(layer.output_codes) {
    constexpr code_range type = code_range::all_of<Activation>();
    require_valid_input("average_pooling: input", layer.input, type);
    require_valid_output("average_pooling", layer.output, layer.output_codes, code_range::all_of<Output>());
    for (const std::size_t rows : counts(shape_.window().vertical))
      for (const std::size_t columns : counts(shape_.window().horizontal)) add_factor(rows * columns, layer);
  }

  std::string_view path() const { return path_->name; }
  height_width output_image() const { return output_pixels(shape_.window()); }
  std::size_t input_size() const { return shape_.input_size(); }    ///< Codes of one input image.
  std::size_t output_size() const { return shape_.output_size(); }  ///< Codes of one output image.

  /// As many output images as there are input images. Allocates nothing; any number of threads may run one plan at
  /// once. Same bits for every executor, whose exceptions end the program. The spans do not overlap. Asserted:
  /// whole images, as many in both.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Activation> input, std::span<Output> output, Executor&& pool = {}) const noexcept {
    const std::size_t rows = shape_.rows(input.size(), output.size());
    run_in_pieces(pool, rows, [&](std::size_t, std::size_t first, std::size_t last) {
      path_->run({.window = shape_.window(),
                  .channels = shape_.channels(),
                  .activations = input.data(),
                  .activation_zero_point = input_zero_point_,
                  .outputs = output.data(),
                  .factors = factors_.data(),
                  .output_zero_point = output_zero_point_,
                  .output_codes = output_codes_,
                  .lines = lines_.data()},
                 first, last);
    });
  }

 private:
  /// Every number of taps that windows have inside the image on one axis.
  static std::set<std::size_t> counts(const kernels::window_axis& axis) {
    std::set<std::size_t> seen;
    for (std::size_t o = 0; o < axis.output(); ++o) seen.insert(axis.taps_inside(o).count());
    return seen;
  }

  void add_factor(std::size_t taps, const description& layer) {
    constexpr auto most = std::size_t{std::numeric_limits<std::int32_t>::max()} /
                          static_cast<std::size_t>(code_range::all_of<Activation>().size() - 1);
    require(taps <= most, "average_pooling: taps of a window", taps, "at most ", most, ", for 32-bit sums");
    factors_.resize(std::max(factors_.size(), taps + 1));
    factors_[taps] = make_factor("average_pooling: input.scale / (output.scale * " + std::to_string(taps) + " taps)",
                                 double{layer.input.scale} / (double{layer.output.scale} * static_cast<double>(taps)));
    lines_.resize(factors_.size());
    lines_[taps] = kernels::average_line::through<Rounding, Activation, Output>(
        {taps, input_zero_point_, factors_[taps], output_zero_point_, output_codes_});
  }

  const kernels::average_pooling_path<Activation, Output>* path_;
  pooling_shape shape_;
  std::int32_t input_zero_point_;
  std::int32_t output_zero_point_;
  code_range output_codes_;
  std::vector<dyadic> factors_;               // By the number of taps; 0 / 2^0 where it does not occur.
  std::vector<kernels::average_line> lines_;  // The same; fits none where it does not occur.
};

}  // namespace bitwright
