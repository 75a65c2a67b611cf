// SPDX-License-Identifier: MIT
/// \file
/// The same values as codes of another scale, in integers only.
///
///     output code = clamp(requantize(code - input.zero_point, input.scale / output.scale) + output.zero_point)
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/layers/lookup.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitwright {

/// The codes that the codes of one map become in another. A factor of 1 keeps every code that is allowed.
/// Throws invalid_argument as rescale does. `layer` is the name that errors begin with, `input_name` the input's.
template <class Code, class Output, integer_rounding Rounding>
lookup_table<Code, Output> make_rescaling_table(const std::string& layer, const std::string& input_name,
                                                affine_scale input, affine_scale output, code_range output_codes) {
  require_valid_input(layer + ": " + input_name, input, code_range::all_of<Code>());
  require_valid_output(layer, output, output_codes, code_range::all_of<Output>());
  const dyadic factor =
      make_factor(layer + ": " + input_name + ".scale / output.scale", double{input.scale} / double{output.scale});
  return make_lookup_table<Code, Output>([&](Code code) {
    return requantize<Rounding>(code - input.zero_point, factor, output.zero_point, output_codes);
  });
}

/// The plan of a change of scale: 8-bit codes are looked up, which gives requantize's bits for all 256 of them.
template <class Code = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class rescale {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;                                      ///< Its zero point is a code of `Code`.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// `path` forces a path by name; empty is the best one. Throws invalid_argument naming the argument, for scales that
  /// are no scales, zero points that are no codes, a quotient of scales outside [2^-32, 2^30), and a path this
  /// processor cannot run.
  explicit rescale(const description& layer, std::string_view path = {})
      : lookup_(make_rescaling_table<Code, Output, Rounding>("rescale", "input", layer.input, layer.output,
                                                             layer.output_codes),
                path) {}

  std::string_view path() const { return lookup_.path(); }

  /// output[i] is input[i] in the output's scale; both may be the same memory. Allocates nothing; any number of threads
  /// may run one plan at once. Same bits for every executor, whose exceptions end the program. Asserted: spans of one
  /// size.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Code> input, std::span<Output> output, Executor&& pool = {}) const noexcept {
    lookup_.run(input, output, pool);
  }

 private:
  lookup<Code, Output> lookup_;
};

}  // namespace bitwright
