// SPDX-License-Identifier: MIT
/// \file
/// The words every folder speaks. core/eigen.hpp stands apart, so that nobody needs Eigen who does not ask for it.
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/cpu.hpp>
#include <bitwright/core/distortion.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/overflow.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/core/term_byte.hpp>
#include <bitwright/core/version.hpp>
