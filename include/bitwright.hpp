// SPDX-License-Identifier: MIT
/// \file
/// All of bitwright. A program that uses one part is quicker to compile with that part's header alone.
#pragma once

#include <bitwright/arithmetic.hpp>
#include <bitwright/calibration.hpp>
#include <bitwright/core.hpp>
#include <bitwright/kernels.hpp>
#include <bitwright/layers.hpp>
#include <bitwright/mixed_precision.hpp>
#include <bitwright/post_training.hpp>
#include <bitwright/quantizers.hpp>
#include <bitwright/storage.hpp>
