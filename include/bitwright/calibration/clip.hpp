// SPDX-License-Identifier: MIT
/// \file
/// Clipping: what becomes of the samples' range when every sample beyond two ends is moved to the nearer one.
#pragma once

#include <bitwright/core/range.hpp>

#include <algorithm>

namespace bitwright {

/// The range of the samples in `seen`, each clamped to [low, high]: never wider than `seen`. It holds for low <= high.
constexpr range clip(range seen, double low, double high) {
  // Rounding to float keeps the order, so that a double between two floats cannot leave them.
  const auto clamped = [low, high](float end) { return static_cast<float>(std::clamp<double>(end, low, high)); };
  return {clamped(seen.min), clamped(seen.max)};
}

}  // namespace bitwright
