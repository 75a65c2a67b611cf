// SPDX-License-Identifier: MIT
/// \file
/// A linear layer of a language model: weights in groups of 32, floats in and out, activations quantized to 8 bits on the
/// way, one scale for each row (token).
///
/// ```cpp
/// std::vector<float> trained(48 * 64, 0.5f), tokens(3 * 64, 1.0f), outputs(3 * 48);
/// const group_linear<four_bit_groups> layer(
///     quantize_groups<four_bit_groups>(tensor_view<const float>(trained, {48, 64})));
/// std::vector<std::byte> workspace(layer.workspace_bytes(3));
/// layer.run(tokens, outputs, workspace);
/// ```
///
/// Weights of a file of Q4_0 or Q8_0 blocks come from weights_of_blocks, with no loss; those with zero points (GPTQ's and
/// AWQ's, in groups of 32) are a grouped_weights as it stands. See kernels/group_gemm.hpp for the arithmetic, which gives
/// the same bits on every path.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/group_gemm.hpp>
#include <bitwright/layers/grouped_weights.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitwright {

/// The plan of such a layer, of weights in `Format`: four_bit_groups, four_bit_groups_with_zero_points or
/// eight_bit_groups.
template <group_format Format = four_bit_groups>
class group_linear {
 public:
  /// Makes the plan; weights and bias, one value for each output or none, need not outlive it. `path` forces a path by
  /// name; empty is the best one. Throws invalid_argument naming the argument: for what grouped_weights excludes, a bias
  /// of another size or that is not finite, and a path this processor cannot run.
  explicit group_linear(const grouped_weights<Format>& weights, std::span<const float> bias = {},
                        std::string_view path = {})
      : path_(&choose_path(kernels::group_gemm_paths<Format>, path)) {
    weights.check("group_linear: weights");
    outputs_ = weights.codes.shape()[0], inputs_ = weights.codes.shape()[1];
    require(bias.empty() || bias.size() == outputs_, "group_linear: bias.size()", bias.size(),
            "0 or the number of outputs, ", outputs_);
    for (std::size_t n = 0; n < bias.size(); ++n)
      if (!std::isfinite(bias[n])) fail("group_linear: bias[" + std::to_string(n) + ']', bias[n], "a finite number");
    packed_ = pack_weights(
        *path_, kernels::group_weights{outputs_, inputs_, weights.codes.values().data(), weights.scales.data(),
                                       weights.zero_points.data(), bias.empty() ? nullptr : bias.data()});
  }

  std::string_view path() const { return path_->name; }
  std::size_t input_size() const { return inputs_; }    ///< Values of one input row.
  std::size_t output_size() const { return outputs_; }  ///< Values of one output row.

  /// Of a run of so many rows.
  std::size_t workspace_bytes(std::size_t rows) const {
    return alignment - 1 + kernels::group_gemm_workspace_bytes(sizes(), rows);
  }

  /// As many output rows as there are input rows. An input row with a NaN or an infinity gives a row of NaN. Allocates
  /// nothing; any number of threads may run one plan at once, each with a workspace of its own. The executor's pieces are
  /// rows to quantize, then columns: a single row is divided, too. Same bits for every executor, whose exceptions end
  /// the program. Asserted: whole rows, as many in both spans, and a workspace of at least workspace_bytes(rows).
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const float> input, std::span<float> output, std::span<std::byte> workspace,
           Executor&& pool = {}) const noexcept {
    const std::size_t rows = input.size() / inputs_;
    assert(input.size() == rows * inputs_ && output.size() == rows * outputs_);
    assert(workspace.size() >= workspace_bytes(rows));
    const std::size_t past = reinterpret_cast<std::uintptr_t>(workspace.data()) % alignment;
    const kernels::group_gemm_arguments call{.weights = sizes(),
                                             .packed = packed_.data(),
                                             .rows = rows,
                                             .activations = input.data(),
                                             .activation_stride = inputs_,
                                             .outputs = output.data(),
                                             .output_stride = outputs_,
                                             .workspace = workspace.data() + (past == 0 ? 0 : alignment - past)};
    if (rows == 0) return;
    run_in_pieces(
        pool, rows, [&](std::size_t, std::size_t first, std::size_t last) { path_->quantize(call, first, last); },
        least_rows);
    constexpr std::size_t columns = kernels::group_gemm_columns;
    run_in_pieces(
        pool, (outputs_ + columns - 1) / columns,
        [&](std::size_t, std::size_t first, std::size_t last) {
          path_->run(call, first * columns, std::min(outputs_, last * columns));
        },
        rows_of(least_weights, columns * inputs_));
  }

 private:
  static constexpr std::size_t alignment = 64;
  static constexpr std::size_t least_rows = 16;           ///< Of a piece, to quantize: some microseconds.
  static constexpr std::size_t least_weights = 1U << 17;  ///< Of a piece, to multiply by: a microsecond or more.

  kernels::group_weights sizes() const { return {outputs_, inputs_, nullptr, nullptr, nullptr, nullptr}; }

  const kernels::group_gemm_path* path_;
  std::size_t outputs_ = 0;
  std::size_t inputs_ = 0;
  packed_weights packed_;
};

}  // namespace bitwright
