// SPDX-License-Identifier: MIT
/// \file
/// Observers: samples in, a range or a quantizer out.
#pragma once

#include <bitwright/calibration/aciq.hpp>
#include <bitwright/calibration/best_of.hpp>
#include <bitwright/calibration/clip.hpp>
#include <bitwright/calibration/entropy.hpp>
#include <bitwright/calibration/expected_error.hpp>
#include <bitwright/calibration/histogram.hpp>
#include <bitwright/calibration/least_error.hpp>
#include <bitwright/calibration/min_max.hpp>
#include <bitwright/calibration/moving_average.hpp>
#include <bitwright/calibration/mse.hpp>
#include <bitwright/calibration/observer.hpp>
#include <bitwright/calibration/percentile.hpp>
#include <bitwright/calibration/top_k_median.hpp>
