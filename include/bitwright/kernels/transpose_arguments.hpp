// SPDX-License-Identifier: MIT
/// \file
/// What one call of a transpose kernel reads and writes.
#pragma once

#include <cstddef>

namespace bitwright::kernels {

/// Matrices of rows x columns codes, one after another, become as many of columns x rows, which do not overlap them.
template <class Code>
struct transpose_arguments {
  const Code* codes;
  Code* outputs;
  std::size_t rows;     ///< Of an input matrix; columns of an output.
  std::size_t columns;  ///< Of an input matrix; rows of an output.
};

}  // namespace bitwright::kernels
