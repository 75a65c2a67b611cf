// SPDX-License-Identifier: MIT
/// \file
/// The closed interval of real values that a quantizer has to cover.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

namespace bitwright {

/// All values v with min <= v <= max.
struct range {
  float min;
  float max;

  /// The largest magnitude: max(|min|, |max|).
  constexpr float limit() const { return std::max(-min, max); }

  friend constexpr bool operator==(range, range) = default;
};

/// The smallest interval that contains both.
constexpr range join(range a, range b) { return {std::min(a.min, b.min), std::max(a.max, b.max)}; }

/// The least and the greatest of `values`.
/// Throws invalid_argument for an empty span, and for a NaN or an infinity, naming its index.
inline range range_of(std::span<const float> values) {
  require(!values.empty(), "range_of: values.size()", values.size(), "at least one value");
  range seen{values[0], values[0]};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) fail("range_of: values[" + std::to_string(i) + "]", values[i], "a finite number");
    seen = join(seen, {values[i], values[i]});
  }
  return seen;
}

}  // namespace bitwright
