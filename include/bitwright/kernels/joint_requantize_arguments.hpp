// SPDX-License-Identifier: MIT
/// \file
/// What one call of a joint requantization reads and writes.
#pragma once

#include <bitwright/core/code_range.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// All that stays the same while a layer runs. Whoever fills it in guarantees that for all accumulators that occur,
///
///     |addends[n] + sum_r accumulator_r * multipliers[r][n]| <= 2^62
///
struct joint_factors {
  std::size_t outputs;              ///< Output channels: n < outputs.
  std::size_t summands;             ///< Accumulators of an output: r < summands.
  const std::int32_t* multipliers;  ///< summands x outputs, row-major.
  const std::int64_t* addends;      ///< One for each output, such as its bias.
  const std::int32_t* shifts;       ///< One for each output, in [0, 62].
  std::int32_t output_zero_point;
  code_range output_codes;  ///< Within the output type. A ReLU is a range that begins at output_zero_point.
};

/// Rows are contiguous: row m of the outputs has `outputs` codes, and so many accumulators of each summand.
template <class Output>
struct joint_requantize_arguments {
  joint_factors factors;
  const std::int32_t* accumulators;  ///< Row 0 of the first summand.
  std::size_t summand_stride;        ///< Accumulators from one summand to the next.
  Output* outputs;
};

}  // namespace bitwright::kernels
