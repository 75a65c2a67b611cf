// SPDX-License-Identifier: MIT
/// \file
/// A weight times an activation as shifts and additions, one in each byte: what term lists store and kernels run.
///
///     bits 0-3 = e < 15   a term, + or - 2^e:     bit 4 its sign, 1 for minus; bits 5-7 the inputs to go on before it
///     bits 0-3 = 15       no term, a long step:   8 * (1 + bits 4-7) inputs to go on
///
/// A row's bytes begin at its input 0. They have the inputs in order, and at each input the terms from the largest to the
/// smallest; a step is the longest that fits, and only where 7 inputs are not enough. So a row has one sequence of bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitwright {

/// One byte of a row's terms.
struct term_byte {
  static constexpr int greatest_exponent = 14;
  static constexpr std::size_t longest_advance = 7;    ///< Of a term.
  static constexpr std::size_t shortest_step = 8;      ///< All steps are multiples of it.
  static constexpr std::size_t longest_step = 16 * 8;  ///< Of a byte without a term.

  std::uint8_t bits;

  /// `advance` is at most longest_advance, `exponent` in [0, greatest_exponent].
  static constexpr term_byte term(std::size_t advance, int exponent, bool negative) {
    return {static_cast<std::uint8_t>(advance << 5 | (negative ? 16u : 0u) | static_cast<unsigned>(exponent))};
  }

  /// `inputs` is a multiple of shortest_step in [shortest_step, longest_step].
  static constexpr term_byte step(std::size_t inputs) {
    return {static_cast<std::uint8_t>((inputs / shortest_step - 1) << 4 | 15u)};
  }

  constexpr bool is_term() const { return exponent() <= greatest_exponent; }

  /// Inputs to go on: before its term, where it has one.
  constexpr std::size_t advance() const {
    return is_term() ? std::size_t{bits} >> 5 : (1 + (std::size_t{bits} >> 4)) * shortest_step;
  }

  constexpr int exponent() const { return bits & 15; }
  constexpr bool is_negative() const { return (bits & 16) != 0; }

  friend constexpr bool operator==(term_byte, term_byte) = default;
};

static_assert(sizeof(term_byte) == 1);

/// Calls visit(input, exponent, negative) for each term of a row's bytes, [first, last), in their order.
template <class Visit>
constexpr void for_each_term(const term_byte* first, const term_byte* last, Visit&& visit) {
  std::size_t input = 0;
  for (; first != last; ++first) {
    input += first->advance();
    if (first->is_term()) visit(input, first->exponent(), first->is_negative());
  }
}

}  // namespace bitwright
