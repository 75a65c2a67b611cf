// SPDX-License-Identifier: MIT
/// \file
/// The observer concept: it watches samples stream by and proposes the range that a quantizer should cover.
#pragma once

#include <bitwright/core/range.hpp>

#include <concepts>
#include <span>

namespace bitwright {

/// `observe` takes any number of samples at a time; `merge` adds all that another observer has seen, so that threads
/// can watch shares of the data; `values()` is the range to cover.
template <class Observer>
concept observer = std::copyable<Observer> &&
    requires(Observer& watching, const Observer& seen, std::span<const float> samples) {
  watching.observe(samples);
  watching.merge(seen);
  { seen.values() } -> std::same_as<range>;
};

}  // namespace bitwright
