// SPDX-License-Identifier: MIT
/// \file
/// The sum of two tensors of codes that differ in scale, in integers only: where a residual connection ends.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/residual_add.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright {

/// The plan of a residual add; see kernels/residual_add.hpp for the order of rounding, which is normative.
template <class Left = std::uint8_t, class Right = std::uint8_t, class Output = std::uint8_t,
          integer_rounding Rounding = half_to_even>
class residual_add {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale left;
    affine_scale right;
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
  };

  /// `path` forces a path by name; empty is the best one. Throws invalid_argument naming the argument, for scales that
  /// are no scales, zero points that are no codes, quotients of scales outside [2^-40, 2^7], and a path this processor
  /// cannot run.
  explicit residual_add(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::residual_add_paths<Left, Right, Output, Rounding>, path)),
        layer_(layer),
        left_factor_(branch_factor<Left>("left", layer.left)),
        right_factor_(branch_factor<Right>("right", layer.right)),
        packed_(path_->packed_bytes) {
    require_valid_output("residual_add", layer.output, layer.output_codes, code_range::all_of<Output>());
    path_->pack(call(nullptr, nullptr, nullptr), packed_.data());
  }

  std::string_view path() const { return path_->name; }

  /// output[i] is the code of left[i] + right[i]. Allocates nothing; any number of threads may run one plan at once.
  /// Same bits for every executor, whose exceptions end the program. Asserted: spans of one size.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Left> left, std::span<const Right> right, std::span<Output> output,
           Executor&& pool = {}) const noexcept {
    assert(left.size() == output.size() && right.size() == output.size());
    const auto whole = call(left.data(), right.data(), output.data());
    run_in_pieces(pool, output.size(),
                  [&](std::size_t, std::size_t first, std::size_t last) { path_->run(whole, first, last); });
  }

 private:
  kernels::residual_add_arguments<Left, Right, Output> call(const Left* left, const Right* right,
                                                            Output* outputs) const {
    return {.left = {left, layer_.left.zero_point, left_factor_},
            .right = {right, layer_.right.zero_point, right_factor_},
            .outputs = outputs,
            .output_zero_point = layer_.output.zero_point,
            .output_codes = layer_.output_codes,
            .packed = packed_.data()};
  }

  template <class Code>
  dyadic branch_factor(const std::string& name, affine_scale branch) const {
    require_valid_input("residual_add: " + name, branch, code_range::all_of<Code>());
    require_valid(layer_.output, "residual_add: output");
    const double quotient = double{branch.scale} / double{layer_.output.scale};
    // Up to 2^7, that is 2^15 steps of the finer grid, all differences of 16-bit codes fit 32 bits: a branch that
    // saturated would no longer balance the other.
    require(quotient >= 0x1p-40 && quotient <= 0x1p7, "residual_add: " + name + ".scale / output.scale", quotient,
            "[2^-40, 2^7]");
    return dyadic::nearest(std::ldexp(quotient, kernels::residual_guard_bits));
  }

  const kernels::residual_add_path<Left, Right, Output>* path_;
  description layer_;
  dyadic left_factor_;
  dyadic right_factor_;
  std::vector<std::byte, aligned_allocator<std::byte>> packed_;  // What the path makes of the constants.
};

}  // namespace bitwright
