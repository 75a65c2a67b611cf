// SPDX-License-Identifier: MIT
/// \file
/// What inference code composes: plans that are validated when made and only touch integers when run.
#pragma once

#include <bitwright/layers/binarization.hpp>
#include <bitwright/layers/binary_convolution.hpp>
#include <bitwright/layers/binary_linear.hpp>
#include <bitwright/layers/binary_sum_plan.hpp>
#include <bitwright/layers/channel_order.hpp>
#include <bitwright/layers/concatenation.hpp>
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/group_linear.hpp>
#include <bitwright/layers/grouped_weights.hpp>
#include <bitwright/layers/image.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/lookup.hpp>
#include <bitwright/layers/magnitude_scales.hpp>
#include <bitwright/layers/pieces.hpp>
#include <bitwright/layers/pooling.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/layers/rescale.hpp>
#include <bitwright/layers/residual_add.hpp>
#include <bitwright/layers/summed_layers.hpp>
#include <bitwright/layers/summed_weights.hpp>
#include <bitwright/layers/shift_add_linear.hpp>
#include <bitwright/layers/weighted_sum_plan.hpp>
