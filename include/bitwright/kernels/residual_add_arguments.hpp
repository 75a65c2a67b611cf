// SPDX-License-Identifier: MIT
/// \file
/// What one call of a residual-add kernel reads and writes.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/code_range.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// Branches are added on a grid this many bits finer than the output's codes.
inline constexpr int residual_guard_bits = 8;

/// One of the two inputs.
template <class Code>
struct residual_branch {
  const Code* codes;
  std::int32_t zero_point;
  dyadic factor;  ///< scale of this branch / scale of the output * 2^residual_guard_bits.
};

/// Both branches and the output have the same elements in the same order.
template <class Left, class Right, class Output>
struct residual_add_arguments {
  residual_branch<Left> left;
  residual_branch<Right> right;
  Output* outputs;
  std::int32_t output_zero_point;
  code_range output_codes;            ///< Within the output type. A ReLU is a range that begins at output_zero_point.
  const std::byte* packed = nullptr;  ///< What the path's `pack` made of the same constants; or none.
};

}  // namespace bitwright::kernels
