// SPDX-License-Identifier: MIT
/// \file
/// Concatenation: the channels of several inputs, one after another in each pixel, in one scale, in integers only.
///
///     output[pixel] = (rescale_0(input_0[pixel]), rescale_1(input_1[pixel]), ...)
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/lookup.hpp>
#include <bitwright/layers/lookup.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/rescale.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright {

/// One of the inputs that are concatenated.
struct concatenated_input {
  std::size_t channels;
  affine_scale map;  ///< Its zero point is a code of the input's type.
};

/// The plan of a concatenation along the channels, each input rescaled to the output's codes; see rescale.
template <class Code = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class concatenation {
 public:
  /// What the layer is in floats.
  struct description {
    std::span<const concatenated_input> inputs;              ///< In the order of their channels in the output.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one. Throws
  /// invalid_argument naming the argument, as rescale does for each input, for no inputs, for an input without
  /// channels, and for a path this processor cannot run.
  explicit concatenation(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::lookup_paths<Code, Output>, path)) {
    require(!layer.inputs.empty(), "concatenation: inputs.size()", layer.inputs.size(), "at least 1");
    for (const concatenated_input& input : layer.inputs) {
      const std::string name = "inputs[" + std::to_string(parts_.size()) + "]";
      require(input.channels > 0, "concatenation: " + name + ".channels", input.channels, "at least 1");
      parts_.push_back({input.channels, channels_,
                        make_rescaling_table<Code, Output, Rounding>("concatenation", name + ".map", input.map,
                                                                     layer.output, layer.output_codes)});
      channels_ += input.channels;
    }
  }

  std::string_view path() const { return path_->name; }
  std::size_t channels() const { return channels_; }  ///< Of the output: codes of one of its pixels.

  /// Any number of pixels, the same in all of `inputs`. Allocates nothing; any number of threads may run one plan at
  /// once. Same bits for every executor, whose exceptions end the program. Asserted: as many inputs as described, and
  /// whole pixels, as many in all spans.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const std::span<const Code>> inputs, std::span<Output> output,
           Executor&& pool = {}) const noexcept {
    const std::size_t pixels = output.size() / channels_;
    assert(inputs.size() == parts_.size() && output.size() == pixels * channels_);
    run_in_pieces(pool, pixels, [&](std::size_t, std::size_t first, std::size_t last) {
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        const auto& [channels, offset, table] = parts_[i];
        assert(inputs[i].size() == pixels * channels);
        path_->run({table.data(), inputs[i].data(), channels, output.data() + offset, channels_, channels}, first,
                   last);
      }
    });
  }

 private:
  struct part {
    std::size_t channels;
    std::size_t offset;  // Of its first channel in an output pixel.
    lookup_table<Code, Output> table;
  };

  const kernels::lookup_path<Code, Output>* path_;
  std::vector<part> parts_;
  std::size_t channels_ = 0;
};

}  // namespace bitwright
