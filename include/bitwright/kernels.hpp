// SPDX-License-Identifier: MIT
/// \file
/// Operations on codes: one entry point each, with a path for each instruction set.
#pragma once

#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/lookup.hpp>
#include <bitwright/kernels/lookup_arguments.hpp>
#include <bitwright/kernels/pooling.hpp>
#include <bitwright/kernels/pooling_arguments.hpp>
#include <bitwright/kernels/residual_add.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/residual_bytes.hpp>
#include <bitwright/kernels/residual_functions.hpp>
#include <bitwright/kernels/residual_lines.hpp>
#include <bitwright/kernels/shift_add.hpp>
#include <bitwright/kernels/shift_add_arguments.hpp>
#include <bitwright/kernels/sliding_window.hpp>
#include <bitwright/kernels/taps_in_memory.hpp>
#include <bitwright/kernels/transpose.hpp>
#include <bitwright/kernels/transpose_arguments.hpp>
#include <bitwright/kernels/tiled_convolution.hpp>
#include <bitwright/kernels/tiled_gemm.hpp>
#include <bitwright/kernels/term_panels.hpp>
#include <bitwright/kernels/tiled_shift_add.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>
#include <bitwright/kernels/weight_levels.hpp>
#include <bitwright/kernels/weighted_sum.hpp>
