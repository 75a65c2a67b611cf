// SPDX-License-Identifier: MIT
/// \file
/// A float network in, a float network that quantizes better out.
#pragma once

#include <bitwright/post_training/batch_norm_folding.hpp>
#include <bitwright/post_training/bias_correction.hpp>
#include <bitwright/post_training/channel_means.hpp>
