// SPDX-License-Identifier: MIT
/// \file
/// A linear layer without products: its weights are sums of signed powers of two, which it shifts by and adds.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/shift_add.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>
#include <bitwright/storage/term_list.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright {

/// Weights as terms, and what their unit is worth: one map for the tensor or one for each output, without zero points.
struct term_weights {
  term_list terms;
  std::vector<affine_scale> maps;
};

/// The terms of code - zero_point, of any weights that `linear` takes: with them shift_add_linear gives the bits of
/// `linear`. `Encoding` is that of a term quantizer, whose terms are found again; non_adjacent, which suits all others,
/// never has more.
template <signed_digit_encoding Encoding = non_adjacent>
term_weights terms_of(const quantized_weights& weights, Encoding encoding = {}) {
  const std::size_t elements = weights.codes.values().size(), maps = std::max<std::size_t>(1, weights.maps.size());
  const std::size_t part = std::max<std::size_t>(1, elements / maps);
  tensor<std::int16_t> integers(weights.codes.shape());
  for (std::size_t i = 0; i < elements; ++i)
    integers.values()[i] = static_cast<std::int16_t>(weights.codes.values()[i] - weights.maps[i / part].zero_point);
  term_weights result{term_list::of(integers, encoding), {}};
  for (const affine_scale map : weights.maps) result.maps.push_back({map.scale});
  return result;
}

/// The plan of a linear layer of terms. It does for each output row what `linear` does with the weights that the terms add
/// up to, and gives the same bits; see kernels/shift_add.hpp for the arithmetic, which is bit-exact on every path.
template <class Activation = std::uint8_t, class Output = std::uint8_t, integer_rounding Rounding = half_to_even>
class shift_add_linear {
 public:
  /// What the layer is in floats.
  struct description {
    affine_scale input;                                      ///< Its zero point is a code of `Activation`.
    const term_list& weights;                                ///< Outputs x inputs.
    std::span<const affine_scale> weight_maps;               ///< One, or one for each output; with zero point 0.
    std::span<const float> bias = {};                        ///< None, or one value for each output.
    affine_scale output;                                     ///< Its zero point is one of the output_codes.
    code_range output_codes = code_range::all_of<Output>();  ///< From output.zero_point upwards is a fused ReLU.
    /// Codes that inputs hold, and no others: the output_codes of the layer before. Fewer leave more room in accumulators.
    code_range input_codes = code_range::all_of<Activation>();
  };

  /// Makes the plan; the description need not outlive it. `path` forces a path by name; empty is the best one.
  /// Throws invalid_argument naming the argument, as `linear` does, and for a map with a zero point, which terms have taken
  /// in (see terms_of).
  explicit shift_add_linear(const description& layer, std::string_view path = {})
      : path_(&choose_path(kernels::shift_add_paths<Activation, Output, Rounding>, path)),
        plan_(make_plan(layer)),
        terms_(layer.weights.term_operations()),
        packed_(pack_weights(*path_, constants(&layer.weights))) {}

  std::string_view path() const { return path_->name; }
  std::size_t packed_bytes() const { return packed_.size(); }  ///< Of the packed terms, with their columns' constants.
  std::size_t input_size() const { return plan_.inputs(); }    ///< Codes of one input row.
  std::size_t output_size() const { return plan_.outputs(); }  ///< Codes of one output row.
  std::size_t workspace_bytes() const { return maximum_pieces * path_->workspace_bytes(constants(nullptr)); }

  /// Shifts and additions of one row, where `linear` multiplies and adds multiply_accumulates() times.
  std::size_t term_operations() const { return terms_; }
  std::size_t multiply_accumulates() const { return input_size() * output_size(); }

  /// As many output rows as there are input rows. Allocates nothing; any number of threads may run one plan at once,
  /// each with a workspace of its own. Same bits for every executor, whose exceptions end the program.
  /// Asserted: whole rows, as many in both spans, and a workspace of at least workspace_bytes().
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Activation> input, std::span<Output> output, std::span<std::byte> workspace,
           Executor&& pool = {}) const noexcept {
    const std::size_t rows = input.size() / input_size(), piece_bytes = path_->workspace_bytes(constants(nullptr));
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
    for (std::size_t n = 0; n < layer.weight_maps.size(); ++n)
      if (layer.weight_maps[n].zero_point != 0)
        fail("shift_add_linear: weight_maps[" + std::to_string(n) + "].zero_point", layer.weight_maps[n].zero_point,
             "0: terms are of code - zero_point");
    const tensor<std::int16_t> weights = layer.weights.integers();
    return {"shift_add_linear",
            layer.input,
            layer.input_codes,
            code_range::all_of<Activation>(),
            tensor_view<const std::int16_t>(weights),
            layer.weight_maps,
            layer.bias,
            layer.output,
            layer.output_codes,
            code_range::all_of<Output>()};
  }

  kernels::shift_add_constants constants(const term_list* terms) const {
    return {plan_.sums(), terms == nullptr ? nullptr : terms->row_ends().data(),
            terms == nullptr ? nullptr : terms->bytes().data()};
  }

  const kernels::shift_add_path<Activation, Output>* path_;
  weighted_sum_plan plan_;
  std::size_t terms_;
  packed_weights packed_;
};

}  // namespace bitwright
