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
/// Quantizing is bounded by integer instructions, not by memory: each group of 8 is cut in one 64-bit word (where terms
/// are below 2^8; by counting terms otherwise), at about a seventieth of the speed of uniform in cache. Weights are
/// quantized once.
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

/// How many terms the values of a group may have together.
struct term_budget {
  std::size_t group_size = 8;  ///< Consecutive values of a group; the last group of a span may have fewer.
  std::size_t terms = 16;      ///< The most terms of a group, also of the last one. With 0, every code is 0.

  friend bool operator==(const term_budget&, const term_budget&) = default;
};

/// One shift and one addition: 2^exponent, or its opposite, at an element of the span.
struct signed_term {
  std::uint32_t element;
  std::int8_t exponent;
  bool negative;

  friend bool operator==(const signed_term&, const signed_term&) = default;
};

/// Turns rows of eight bits into columns: bit (7 - column) of byte (7 - row) goes to bit (7 - row) of byte (7 -
/// column).
/// Source: Warren, "Hacker's Delight" (2nd edition, 2012), section 7-3.
constexpr std::uint64_t transposed_bits(std::uint64_t rows) {
  std::uint64_t moved = (rows ^ (rows >> 7)) & 0x00aa00aa00aa00aa;
  rows ^= moved ^ (moved << 7);
  moved = (rows ^ (rows >> 14)) & 0x0000cccc0000cccc;
  rows ^= moved ^ (moved << 14);
  moved = (rows ^ (rows >> 28)) & 0x00000000f0f0f0f0;
  return rows ^ moved ^ (moved << 28);
}

/// Keeps the `terms` largest terms of eight integers whose terms are all below 2^8, in place: 64 digits in one word, by
/// exponent, then by element, so that the last ones to keep are the lowest bits. Returns whether the terms are so
/// small.
template <signed_digit_encoding Encoding, std::integral Integer>
constexpr bool keep_largest_terms_of_eight(std::span<Integer> group, std::size_t terms) {
  std::array<signed_digits, 8> digits;
  std::uint64_t by_element = 0;
  std::uint32_t all = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    digits[i] = Encoding::encode(group[i]);
    all |= digits[i].exponents();
    by_element = by_element << 8 | (digits[i].exponents() & 255);
  }
  if (all > 255) return false;
  std::uint64_t by_exponent = transposed_bits(by_element);
  for (auto count = static_cast<std::size_t>(std::popcount(by_element)); count > terms; --count)
    by_exponent &= by_exponent - 1;
  by_element = transposed_bits(by_exponent);
  for (std::size_t i = 0; i < 8; ++i)
    group[i] =
        static_cast<Integer>(digits[i].only(static_cast<std::uint32_t>(by_element >> (56 - 8 * i)) & 255).value());
  return true;
}

/// Keeps the `terms` largest terms of a group of integers, |integer| < 2^30, in place.
template <signed_digit_encoding Encoding, std::integral Integer>
constexpr void keep_largest_terms(std::span<Integer> group, std::size_t terms) {
  if (group.size() == 8 && keep_largest_terms_of_eight<Encoding>(group, terms)) return;
  // From the largest exponent downwards: all of its terms while they fit, then some of the next one, and no others.
  int exponent = 31;
  for (; exponent >= 0; --exponent) {
    const auto at_exponent = static_cast<std::size_t>(std::ranges::count_if(
        group, [exponent](Integer integer) { return Encoding::encode(integer).exponents() >> exponent & 1; }));
    if (at_exponent > terms) break;
    terms -= at_exponent;
  }
  if (exponent < 0) return;
  const std::uint32_t partly = std::uint32_t{1} << exponent, above = ~(partly | (partly - 1));
  for (Integer& integer : group) {
    const signed_digits digits = Encoding::encode(integer);
    const bool fits = terms > 0 && (digits.exponents() & partly) != 0;
    terms -= fits ? 1 : 0;
    integer = static_cast<Integer>(digits.only(fits ? above | partly : above).value());
  }
}

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
    for (std::size_t first = 0; first < codes.size(); first += std::min(budget_.group_size, codes.size() - first))
      keep_largest_terms<Encoding>(codes.subspan(first, std::min(budget_.group_size, codes.size() - first)),
                                   budget_.terms);
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
