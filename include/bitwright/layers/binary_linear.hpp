// SPDX-License-Identifier: MIT
/// \file
/// A linear layer on bits: signs of activations times signs of weights, counted, with codes, bits or values as outputs.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/kernels/binary_gemm.hpp>
#include <bitwright/layers/binary_sum_plan.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bitwright {

/// The plan of a linear layer on bits; see layers/binary_sum_plan.hpp for the arithmetic, which is bit-exact on every
/// path. `Output` is the type of codes, or bool for bits, which the next layer of bits takes, or float.
template <kernels::binary_output Output = bool, integer_rounding Rounding = half_to_even>
class binary_linear {
 public:
  using stored = kernels::stored_output<Output>;  ///< Bits lie in bytes, each row's from a byte on.

  /// What the layer is in floats.
  struct description {
    float input_scale = 1;                      ///< The value of a bit 1; that of 0 is -input_scale.
    tensor_view<const std::int8_t> weights;     ///< Codes of -1 and +1, outputs x inputs.
    std::span<const affine_scale> weight_maps;  ///< One, or one for each output, with zero points of 0.
    std::span<const float> bias = {};           ///< None, or for codes and bits one value for each output.
    affine_scale output = {1, 0};               ///< For codes. Its zero point is one of the output_codes.
    code_range output_codes =
        codes_of_output<Output>();  ///< For codes. From output.zero_point upwards is a fused ReLU.
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument: for shapes that do not match, weights that are no signs, scales that are
  /// no scales, zero points that are no codes, a bias that is not finite or needs more than 32 bits, factors outside
  /// [2^-32, 2^30), and a path this processor cannot run.
  explicit binary_linear(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::binary_gemm_paths<Output, Rounding>, path)),
        plan_(make_plan(layer)),
        packed_(pack_weights(*path_, plan_.sums())) {
    plan_.forget_weights();
  }

  std::string_view path() const { return path_->name; }
  std::size_t input_size() const { return plan_.row_bytes(); }  ///< Bytes of one input row.
  /// Elements of one output row: codes, values, or bytes of bits.
  std::size_t output_size() const { return kernels::stored_outputs<Output>(plan_.outputs()); }
  std::size_t workspace_bytes() const { return maximum_pieces * path_->workspace_bytes(plan_.sums()); }

  /// As many output rows as there are input rows, of bits; bits beyond the last of a row are not looked at. Allocates
  /// nothing; any number of threads may run one plan at once, each with a workspace of its own. Same bits for every
  /// executor, whose exceptions end the program. `row_scales` are for float: none, or a factor for each row.
  /// Asserted: whole rows, as many in both spans, and a workspace of at least workspace_bytes().
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const std::byte> input, std::span<stored> output, std::span<std::byte> workspace,
           Executor&& pool = {}, std::span<const float> row_scales = {}) const noexcept {
    const std::size_t rows = input.size() / input_size(), piece_bytes = path_->workspace_bytes(plan_.sums());
    assert(input.size() == rows * input_size() && output.size() == rows * output_size());
    assert(workspace.size() >= workspace_bytes() && (row_scales.empty() || row_scales.size() == rows));
    const auto run = [&](std::size_t piece, std::size_t first, std::size_t last) {
      path_->run({.sums = plan_.sums(),
                  .packed = packed_.data(),
                  .activations = input.data(),
                  .activation_stride = input_size(),
                  .outputs = output.data(),
                  .output_stride = output_size(),
                  .row_scales = row_scales.data(),
                  .workspace = workspace.data() + piece * piece_bytes},
                 first, last);
    };
    run_in_pieces(pool, rows, run, least_pixels);
  }

 private:
  static binary_sum_plan<Output> make_plan(const description& layer) {
    require(layer.weights.shape().rank() == 2, "binary_linear: weights.shape()", layer.weights.shape(),
            "outputs x inputs");
    return {"binary_linear", layer.input_scale, layer.weights,     layer.weight_maps,
            layer.bias,      layer.output,      layer.output_codes};
  }

  const kernels::binary_gemm_path<Output>* path_;
  binary_sum_plan<Output> plan_;
  packed_weights packed_;
};

}  // namespace bitwright
