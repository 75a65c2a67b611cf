// SPDX-License-Identifier: MIT
/// \file
/// Any function of one value, on 8-bit codes: a table of 256 entries, made once. Activation functions need no integer
/// arithmetic of their own.
///
///     output code = clamp(round(function(input.scale * (code - input.zero_point)) / output.scale) + output.zero_point)
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/lookup.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitwright {

/// An entry for each 8-bit code, at the place of its bits read as an unsigned number.
template <class Code, class Output>
using lookup_table = std::array<Output, kernels::lookup_entries>;

/// The table of `entry(code)` over all codes.
template <kernels::one_of<std::uint8_t, std::int8_t> Code, class Output, std::invocable<Code> Entry>
lookup_table<Code, Output> make_lookup_table(Entry entry) {
  lookup_table<Code, Output> table;
  constexpr code_range codes = code_range::all_of<Code>();
  for (std::int32_t code = codes.min; code <= codes.max; ++code)
    table[static_cast<std::uint8_t>(code)] = static_cast<Output>(entry(static_cast<Code>(code)));
  return table;
}

/// The plan of a function of each element.
template <kernels::one_of<std::uint8_t, std::int8_t> Code = std::uint8_t,
          kernels::one_of<std::uint8_t, std::int8_t> Output = std::uint8_t, float_rounding Rounding = half_to_even>
class lookup {
 public:
  /// What the layer is in floats, function aside.
  struct description {
    affine_scale input;                                      ///< Its zero point is a code of `Code`.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// Calls `function(float)` once for the value of each of the 256 codes; infinity becomes the outermost code. `path`
  /// forces a path by name; empty is the best one. Throws invalid_argument naming the argument, for scales that are no
  /// scales, zero points that are no codes, a function that gives NaN, and a path this processor cannot run.
  template <std::invocable<float> Function>
  lookup(const description& layer, Function function, std::string_view path = {})
      : path_(&choose_path(kernels::lookup_paths<Code, Output>, path)) {
    require_valid_input("lookup: input", layer.input, code_range::all_of<Code>());
    require_valid_output("lookup", layer.output, layer.output_codes, code_range::all_of<Output>());
    table_ = make_lookup_table<Code, Output>([&](Code code) {
      const float value = layer.input.scale * static_cast<float>(code - layer.input.zero_point);
      return code_of(layer, static_cast<float>(function(value)), code);
    });
  }

  /// From the entries themselves.
  explicit lookup(const lookup_table<Code, Output>& table, std::string_view path = {})
      : path_(&choose_path(kernels::lookup_paths<Code, Output>, path)), table_(table) {}

  std::string_view path() const { return path_->name; }
  const lookup_table<Code, Output>& table() const { return table_; }

  /// output[i] is the entry of input[i]; both may be the same memory. Allocates nothing; any number of threads may run
  /// one plan at once. Same bits for every executor, whose exceptions end the program. Asserted: spans of one size.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Code> input, std::span<Output> output, Executor&& pool = {}) const noexcept {
    assert(input.size() == output.size());
    run_in_pieces(pool, output.size(), [&](std::size_t, std::size_t first, std::size_t last) {
      path_->run({table_.data(), input.data() + first, 0, output.data() + first, 0, last - first}, 0, 1);
    });
  }

 private:
  static std::int32_t code_of(const description& layer, float result, Code code) {
    require(!std::isnan(result), "lookup: function's result for code " + std::to_string(code), result, "no NaN");
    const double steps = Rounding::round(result / layer.output.scale);
    const double least = layer.output_codes.min - layer.output.zero_point;
    const double most = layer.output_codes.max - layer.output.zero_point;
    return layer.output.zero_point + static_cast<std::int32_t>(std::clamp(steps, least, most));
  }

  const kernels::lookup_path<Code, Output>* path_;
  lookup_table<Code, Output> table_;
};

}  // namespace bitwright
