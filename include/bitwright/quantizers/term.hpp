// SPDX-License-Identifier: MIT
/// \file
/// Term quantization: a group of values shares a budget of signed powers of two, and the largest of them are kept.
///
///     q_i = round(value_i / scale) = sum_j d_ij 2^j,   d_ij in {-1, 0, 1}
///     code_i = sum of those d_ij 2^j that are among the `terms` largest of the group        value = scale * code
///
/// Terms are ordered by magnitude; of equal ones, that of the lower index in the group comes first. A group's small
/// values leave their terms to its large ones: with 8-bit Gaussian values and 2 non-adjacent terms a value, groups of 8
/// have about a quarter of the squared error that values have alone; with 3 they lose nothing that 8 bits keep. With a
/// group of one value and one binary term, only the most significant bit stays.
///
/// What it is for: a product by the kept terms is as many shifts and adds as there are terms, and no group takes more
/// than its budget; see terms(). What it is not for: saving memory. A code takes as many bits as that of the uniform
/// quantizer it begins with (one more for signed digits, which can overshoot: 11 = 8 + 4 - 1 becomes 12), and a list of
/// terms takes more.
///
/// Quantizing is bounded by integer instructions, not by memory: about 80 for each register of 16-bit codes in groups of 8,
/// a seventh of the speed of uniform in cache. Groups of other sizes take a hundred times as long. Weights are quantized
/// once.
///
/// No value's error |code_i - q_i| grows with the budget, in any of the three encodings.
/// Source: Kung, McDanel and Zhang, "Term Quantization: Furthering Quantization at Run Time" (SC 2020).
#pragma once

#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/signed_digits.hpp>
#include <bitwright/quantizers/term_paths.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {

/// One shift and one addition: 2^exponent, or its opposite, at an element of the span.
struct signed_term {
  std::uint32_t element;
  std::int8_t exponent;
  bool negative;

  friend bool operator==(const signed_term&, const signed_term&) = default;
};

/// Codes of at most `terms` terms a group. `Encoding` says how integers become terms: non_adjacent has the fewest.
template <signed_digit_encoding Encoding = non_adjacent>
class term {
 public:
  using code_type = std::int16_t;

  /// Starts from symmetric codes of `bits` bits: the scale is that of uniform<>::symmetric.
  /// Throws invalid_argument unless -2^125 <= min <= max <= 2^125, for bits outside [2, 15], and for groups of size 0.
  static term symmetric(range values, int bits, term_budget budget) {
    require(bits >= 2 && bits <= 15, "term::symmetric: bits", bits, "[2, 15]");
    return {uniform<dynamic_bits, std::int16_t>::symmetric(values, bits), budget};
  }

  /// Starts from the codes of `integers`. Throws invalid_argument unless their zero point is 0 and they lie in
  /// [-2^14, 2^14], and for groups of size 0.
  term(const uniform<dynamic_bits, std::int16_t>& integers, term_budget budget) : integers_(integers), budget_(budget) {
    require(integers.zero_point() == 0, "term: integers.zero_point()", integers.zero_point(), 0);
    require(code_range{-(1 << 14), 1 << 14}.contains(integers.codes()), "term: integers.codes()",
            std::array{integers.codes().min, integers.codes().max}, "codes within [-2^14, 2^14]");
    require(budget.group_size > 0, "term: budget.group_size", budget.group_size, "at least 1");
  }

  /// Bits that number the codes: those of the integers, or one more where signed digits reach the next power of two.
  int bits() const { return codes().bits(); }

  /// What the codes lie within.
  code_range codes() const {
    const auto reach = [](std::int32_t most) {
      const auto magnitude = static_cast<std::uint32_t>(most < 0 ? -most : most);
      const bool overshoots = Encoding::encode(3).negative != 0;  // As 4 - 1, which 4 is left of.
      return static_cast<std::int32_t>(overshoots ? std::bit_ceil(magnitude) : magnitude);
    };
    return {-reach(integers_.codes().min), reach(integers_.codes().max)};
  }

  /// The integers that terms are taken from.
  const uniform<dynamic_bits, std::int16_t>& integers() const { return integers_; }
  term_budget budget() const { return budget_; }
  float scale() const { return integers_.scale(); }

  /// What integer kernels need to know: value = scale * code.
  affine_scale map() const { return integers_.map(); }

  /// The code of each value, group by group. NaN becomes 0, an infinity what the outermost integer becomes.
  /// Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::int16_t> codes) const {
    require(codes.size() == values.size(), "term::quantize: codes.size()", codes.size(), "that of the values, ",
            values.size());
    integers_.quantize(values, codes);
    static const term_path& path = best_path(term_paths<Encoding>);
    path.keep(codes.data(), codes.size(), budget_);
  }

  /// scale * code, rounded once. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::int16_t> codes, std::span<float> values) const {
    require(values.size() == codes.size(), "term::dequantize: values.size()", values.size(), "that of the codes, ",
            codes.size());
    integers_.dequantize(codes, values);
  }

  /// The terms of codes that quantize() made: group after group, and in a group from the largest term to the smallest,
  /// at most budget().terms of them. Their sum at each element is its code, so that a product of codes with integers x
  /// is
  ///
  ///     sum_i code_i x_i = sum over terms of +-(x_element << exponent)
  ///
  /// Throws invalid_argument for more than 2^32 codes.
  std::vector<signed_term> terms(std::span<const std::int16_t> codes) const {
    require(codes.size() <= std::size_t{1} << 32, "term::terms: codes.size()", codes.size(), "at most 2^32");
    std::vector<signed_term> list;
    for (std::size_t first = 0; first < codes.size(); first += std::min(budget_.group_size, codes.size() - first))
      for (int exponent = 15; exponent >= 0; --exponent)
        for (std::size_t i = first; i < codes.size() && i - first < budget_.group_size; ++i) {
          const signed_digits digits = Encoding::encode(codes[i]).only(std::uint32_t{1} << exponent);
          if (digits.terms() == 0) continue;
          list.push_back({static_cast<std::uint32_t>(i), static_cast<std::int8_t>(exponent), digits.negative != 0});
        }
    return list;
  }

 private:
  uniform<dynamic_bits, std::int16_t> integers_;
  term_budget budget_;
};

static_assert(quantizer<term<>> && quantizer<term<binary_digits>> && quantizer<term<hese>>);

}  // namespace bitwright
