// SPDX-License-Identifier: MIT
/// \file
/// A linear layer on codes: output = weights * input + bias, in integers only.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bitwright {

/// The plan of a linear layer. Input rows hold `Activation` codes, output rows `Output` codes; see kernels/gemm.hpp for
/// the arithmetic, which is bit-exact on every path.
template <class Activation = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class linear {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;                                      ///< Its zero point is a code of `Activation`.
    tensor_view<const std::int8_t> weights;                  ///< Codes, outputs x inputs.
    std::span<const affine_scale> weight_maps;               ///< One, or one for each output.
    std::span<const float> bias = {};                        ///< None, or one value for each output.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
    /// Codes that inputs hold, and no others: the output_codes of the layer before. Fewer, such as 0 to 15, leave more
    /// room in accumulators, and let AVX2 sum more products of small weights in 16 bits.
    code_range input_codes = code_range::all_of<Activation>();
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument: for shapes that do not match, scales that are no scales, zero points
  /// that are no codes, a bias that is not finite or needs more than 32 bits, factors outside [2^-32, 2^30), weights
  /// for which some input would overflow a 32-bit accumulator, and a path this processor cannot run.
  explicit linear(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::gemm_paths<Activation, Output, Rounding>, path)),
        plan_(make_plan(layer)),
        packed_(pack_weights(*path_, plan_.sums(layer.weights.values().data()))) {}

  std::string_view path() const { return path_->name; }
  /// Of the packed weights, with all the constants of their columns. Weights of at most 16, 4 or 2 different codes take
  /// 4, 2 bits or 1 each, on paths that look them up: all of x86-64 and of 64-bit Arm.
  std::size_t packed_bytes() const { return packed_.size(); }
  std::size_t input_size() const { return plan_.inputs(); }    ///< Codes of one input row.
  std::size_t output_size() const { return plan_.outputs(); }  ///< Codes of one output row.
  std::size_t workspace_bytes() const { return maximum_pieces * path_->workspace_bytes(plan_.sums()); }

  /// As many output rows as there are input rows. Allocates nothing; any number of threads may run one plan at once,
  /// each with a workspace of its own. Same bits for every executor, whose exceptions end the program.
  /// Asserted: whole rows, as many in both spans, and a workspace of at least workspace_bytes().
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Activation> input, std::span<Output> output, std::span<std::byte> workspace,
           Executor&& pool = {}) const noexcept {
    const std::size_t rows = input.size() / input_size(), piece_bytes = path_->workspace_bytes(plan_.sums());
    assert(input.size() == rows * input_size() && output.size() == rows * output_size());
    assert(workspace.size() >= workspace_bytes());
    const auto run = [&](std::size_t piece, std::size_t first, std::size_t last) {
      path_->run({.sums = plan_.sums(),
                  .packed = packed_.data(),
                  .activations = input.data(),
                  .activation_stride = input_size(),
                  .outputs = output.data(),
                  .output_stride = output_size(),
                  .workspace = workspace.data() + piece * piece_bytes},
                 first, last);
    };
    run_in_pieces(pool, rows, run, least_pixels);
  }

 private:
  static weighted_sum_plan make_plan(const description& layer) {
    require(layer.weights.shape().rank() == 2, "linear: weights.shape()", layer.weights.shape(), "outputs x inputs");
    return {"linear",           layer.input,
            layer.input_codes,  code_range::all_of<Activation>(),
            layer.weights,      layer.weight_maps,
            layer.bias,         layer.output,
            layer.output_codes, code_range::all_of<Output>()};
  }

  const kernels::gemm_path<Activation, Output>* path_;
  weighted_sum_plan plan_;
  packed_weights packed_;
};

}  // namespace bitwright
