// SPDX-License-Identifier: MIT
/// \file
/// The clipped range whose uniform codes make the least mean squared error.
///
///     range = argmin of mean (x - nearest level)^2, over a histogram
///
/// For symmetric codes the best limit, for affine codes the best end on either side.
/// Source: "Post-training 4-bit quantization of convolution networks" (Banner et al., NeurIPS 2019) states the trade;
/// here no density is assumed.
#pragma once

#include <bitwright/calibration/expected_error.hpp>
#include <bitwright/calibration/histogram.hpp>
#include <bitwright/calibration/least_error.hpp>
#include <bitwright/calibration/observer.hpp>

#include <cstddef>

namespace bitwright {

/// least_error of power 2.
template <code_placement Codes = symmetric_codes>
class mse : public least_error<Codes> {
 public:
  /// Throws invalid_argument for bits and bins that the codes and histogram refuse.
  explicit mse(int bits, std::size_t bins = histogram::default_bins) : least_error<Codes>(2, bits, bins) {}
};

static_assert(observer<mse<symmetric_codes>> && observer<mse<affine_codes>>);

}  // namespace bitwright
