// SPDX-License-Identifier: MIT
/// \file
/// Microscaling: blocks of 32 elements of a small format that share a scale, itself a power of two in 8 bits.
///
///     value = 2^(shared - 127) * element         shared = 127 + floor(log2 max |v|) - e_max, within [0, 254]
///
/// e_max is the exponent of the element format's greatest number (8 for fp8_e4m3, 2 for fp4_e2m1, 0 for int8). A value in
/// the highest octave can lie above the greatest element, and then saturates. `shared` is an E8M0 number: an exponent without
/// sign or mantissa. Source: "OCP Microscaling Formats (MX) Specification" 1.0, sections 5 and 6.3.
///
/// A code is that of the element: a minifloat's bit pattern, or a byte in units of 2^-6. Use it for 4 to 8 bits where
/// ranges change within a channel and hardware knows the format: a block costs 8 bits beside its codes, a quarter of a bit for
/// each value, and rescaling is an addition of exponents. A scale that may be any float (uniform or a minifloat per_group)
/// wastes less of each block's range.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/quantizers/paths.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bitwright {

/// How many elements share a scale.
inline constexpr std::size_t microscaling_block = 32;

/// The integer element: -127 to 127 times 2^-6. The specification leaves it open to do without -128; so it is here.
struct microscaling_int8 : uniform<8> {
  static constexpr int greatest_exponent = 0;
  microscaling_int8() : uniform<8>({0x1p-6f, 0}, code_range::symmetric_bits(8)) {}
};

/// One block's quantizer: its shared scale over the element format.
template <elementwise_quantizer Element>
class microscaling {
 public:
  using code_type = typename Element::code_type;

  /// The shared scale of a block: `values` are its elements, as a rule 32. Of zeros it is the least, code 0.
  /// Throws invalid_argument for an empty span, and for a NaN or an infinity.
  static microscaling fit(std::span<const float> values) {
    const float greatest = range_of(values).limit();
    if (greatest == 0) return microscaling(0);
    const int exponent = std::ilogb(greatest) - Element::greatest_exponent;
    return microscaling(static_cast<std::uint8_t>(std::clamp(exponent + 127, 0, 254)));
  }

  /// From a stored E8M0 code. Throws invalid_argument for 255, which stands for NaN.
  explicit microscaling(std::uint8_t shared_scale)
      : scale_(std::ldexp(1.0f, shared_scale - 127)), inverse_scale_(std::ldexp(1.0f, 127 - shared_scale)) {
    require(shared_scale < 255, "microscaling: shared_scale", int{shared_scale}, "[0, 254]; 255 is NaN");
  }

  /// Of an element; the 8 bits of the shared scale come once for each block.
  int bits() const { return element_.bits(); }

  /// The E8M0 code.
  std::uint8_t shared_scale() const { return static_cast<std::uint8_t>(std::ilogb(scale_) + 127); }
  float scale() const { return scale_; }  ///< 2^(shared_scale - 127); a denormal for the code 0.
  const Element& element() const { return element_; }

  /// The element's code of value / scale, a quotient that is exact but for what underflows.
  [[gnu::always_inline]] code_type quantize(float value) const { return element_.quantize(value * inverse_scale_); }

  /// The element's value times the scale, exact but for what underflows.
  [[gnu::always_inline]] float dequantize(code_type code) const { return element_.dequantize(code) * scale_; }

  /// The code of each value, on every path the same. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<code_type> codes) const {
    quantize_each(*this, values, codes, "microscaling");
  }

  /// The value of each code, on every path the same. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const code_type> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "microscaling");
  }

 private:
  Element element_{};
  float scale_;
  float inverse_scale_;
};

using mxfp8_e5m2 = microscaling<fp8_e5m2>;
using mxfp8_e4m3 = microscaling<fp8_e4m3>;
using mxfp6_e3m2 = microscaling<fp6_e3m2>;
using mxfp6_e2m3 = microscaling<fp6_e2m3>;
using mxfp4 = microscaling<fp4_e2m1>;
using mxint8 = microscaling<microscaling_int8>;

static_assert(quantizer<mxfp8_e4m3> && quantizer<mxfp4> && quantizer<mxint8>);

/// A tensor's quantizer: one of `Microscaling` (such as mxfp4) for each run of 32 elements inside dimension 0; the last of a
/// channel may hold fewer. Throws invalid_argument for a NaN or an infinity, and for a shape without dimensions.
template <class Microscaling>
auto fit_microscaling(tensor_view<const float> values) {
  return fit_slices(values, per_group{microscaling_block}, Microscaling::fit);
}

}  // namespace bitwright
