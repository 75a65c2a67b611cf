// SPDX-License-Identifier: MIT
/// \file
/// The quantizer concept: what turns values into codes of few bits, and codes back into values.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace bitwright {

/// A quantizer handles whole spans, so that schemes which look at a group see their group.
/// `quantize` and `dequantize` take spans of equal size; `bits()` is what one code costs in storage.
/// A code is of any type but bool, whose vectors have no spans.
/// Any type that models this works wherever bitwright's own schemes do.
template <class Q>
concept quantizer = requires(const Q& q, std::span<const float> values, std::span<typename Q::code_type> codes,
                             std::span<const typename Q::code_type> stored, std::span<float> out) {
  typename Q::code_type;
  requires !std::same_as<typename Q::code_type, bool>;
  { q.bits() } -> std::convertible_to<int>;
  q.quantize(values, codes);
  q.dequantize(stored, out);
};

}  // namespace bitwright
