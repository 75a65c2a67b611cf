// SPDX-License-Identifier: MIT
/// \file
/// Term lists: rows of whole-number weights as signed powers of two, one byte for each shift and addition of a product.
///
///     weight[n][k] = sum of +-2^exponent over the terms of row n at input k
///     bytes = 4 * (outputs + 1) + terms + steps over 8 and more inputs without terms
///
/// It serves all weights that a product can shift by: powers of two and logarithmic ones have one term or none, additive
/// powers of two two or three, term-quantized ones the few that their group's budget allows, and any others those of their
/// non-adjacent form, the fewest there are. Exponents go up to 14, each at most once in a weight, so that |weight| < 2^15;
/// converting weights to terms and back loses nothing.
///
/// What it is for: term_operations() is what a machine without a multiplier does for one row of inputs, where another does
/// multiply_accumulates(). What it is not for: memory. 8-bit weights of three terms take three bytes.
/// Source of the idea: Kung, McDanel and Zhang, "Term Quantization" (SC 2020).
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/core/term_byte.hpp>
#include <bitwright/quantizers/signed_digits.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitwright {

/// The terms of outputs x inputs weights. Values: made once, compared, copied, moved.
class term_list {
 public:
  /// The terms that `Encoding` writes the weights in, whose dimension 0 is the outputs and all others together the inputs.
  /// With the encoding of a term quantizer, codes of its own have the terms that it kept; non_adjacent never has more.
  /// Throws invalid_argument for a weight that takes an exponent beyond 14 (in the non-adjacent form, one beyond +-21845),
  /// for no dimensions, and for a list of 2^32 bytes or more.
  template <signed_digit_encoding Encoding = non_adjacent>
  static term_list of(tensor_view<const std::int8_t> weights, Encoding = {}) {
    return encoded<Encoding>(weights);
  }
  template <signed_digit_encoding Encoding = non_adjacent>
  static term_list of(tensor_view<const std::int16_t> weights, Encoding = {}) {
    return encoded<Encoding>(weights);
  }

  /// From what bytes() and row_ends() of a list gave, such as a file's: row n has the bytes [row_ends[n - 1], row_ends[n]).
  /// Throws invalid_argument naming the row unless every row has the one sequence of bytes for its terms, all of them at
  /// inputs below `inputs`.
  term_list(std::size_t inputs, std::vector<std::uint32_t> row_ends, std::vector<term_byte> bytes)
      : outputs_(row_ends.size()), inputs_(inputs), ends_(std::move(row_ends)), bytes_(std::move(bytes)) {
    std::uint32_t first = 0;
    for (std::size_t n = 0; n < outputs_; first = ends_[n], ++n) {
      if (ends_[n] < first || ends_[n] > bytes_.size())
        fail("term_list: row_ends[" + std::to_string(n) + ']', ends_[n], "within ",
             std::array{std::size_t{first}, bytes_.size()});
      require_valid_row(n);
    }
    require(first == bytes_.size(), "term_list: bytes.size()", bytes_.size(), "the last row's end, ", first);
  }

  std::size_t outputs() const { return outputs_; }
  std::size_t inputs() const { return inputs_; }

  /// Shifts and additions for one row of inputs: how many terms there are.
  std::size_t term_operations() const {
    return static_cast<std::size_t>(std::ranges::count_if(bytes_, &term_byte::is_term));
  }

  /// The products and additions that they replace: outputs * inputs.
  std::size_t multiply_accumulates() const { return outputs_ * inputs_; }

  /// The most terms that `weights` consecutive weights of an output have, its first weight beginning the first group: what
  /// a cell of hardware has to have time for. Throws invalid_argument for groups of no weights.
  std::size_t most_terms(std::size_t weights) const {
    require(weights > 0, "term_list::most_terms: weights", weights, "at least 1");
    std::size_t most = 0, count = 0, group = 0;
    for (std::size_t n = 0; n < outputs_; ++n, count = 0, group = 0)
      for_each_term_of(n, [&](std::size_t input, int, bool) {
        count = input / weights == group ? count + 1 : 1;
        group = input / weights;
        most = std::max(most, count);
      });
    return most;
  }

  /// The bytes of all rows, and where each row ends.
  std::span<const term_byte> bytes() const { return bytes_; }
  std::span<const std::uint32_t> row_ends() const { return ends_; }

  /// Of the whole list, with a first row's beginning: 4 * (outputs + 1) + bytes().size().
  std::size_t stored_bytes() const { return 4 * (outputs_ + 1) + bytes_.size(); }

  /// Calls visit(input, exponent, negative) for each term of output n: by input, and at each from the largest.
  template <class Visit>
  void for_each_term_of(std::size_t n, Visit&& visit) const {
    for_each_term(bytes_.data() + row_begin(n), bytes_.data() + ends_[n], visit);
  }

  /// The weights, outputs x inputs.
  tensor<std::int16_t> integers() const {
    tensor<std::int16_t> weights({outputs_, inputs_});
    for (std::size_t n = 0; n < outputs_; ++n)
      for_each_term_of(n,
                       [row = weights.values().subspan(n * inputs_, inputs_)](std::size_t k, int exponent, bool minus) {
                         row[k] = static_cast<std::int16_t>(row[k] + (minus ? -1 : 1) * (1 << exponent));
                       });
    return weights;
  }

  /// The weights as codes of the ordinary kernels, zero point 0. Throws invalid_argument for one that 8 bits do not hold,
  /// naming it: signed digits of 8-bit codes can overshoot to 128, and are not silently made 127. Start from 7 bits, or use
  /// binary_digits, where such codes are wanted.
  tensor<std::int8_t> decoded() const {
    const tensor<std::int16_t> wide = integers();
    tensor<std::int8_t> codes({outputs_, inputs_});
    for (std::size_t i = 0; i < wide.values().size(); ++i) {
      const std::int16_t weight = wide.values()[i];
      if (!std::in_range<std::int8_t>(weight))
        fail("term_list::decoded: the weight of output " + std::to_string(i / inputs_) + ", input " +
                 std::to_string(i % inputs_),
             weight, "within [-128, 127], which 8-bit kernels take");
      codes.values()[i] = static_cast<std::int8_t>(weight);
    }
    return codes;
  }

  friend bool operator==(const term_list&, const term_list&) = default;

 private:
  term_list(std::size_t outputs, std::size_t inputs) : outputs_(outputs), inputs_(inputs) {}

  std::size_t row_begin(std::size_t n) const { return n == 0 ? 0 : ends_[n - 1]; }

  template <class Encoding, class Integer>
  static term_list encoded(tensor_view<const Integer> weights) {
    require(weights.shape().rank() > 0, "term_list::of: weights.shape()", weights.shape(), "outputs x inputs");
    std::size_t inputs = 1;
    for (std::size_t axis = 1; axis < weights.shape().rank(); ++axis) inputs *= weights.size(axis);
    term_list list(weights.size(0), inputs);
    for (std::size_t n = 0; n < list.outputs_; ++n)
      list.append_row<Encoding>(n, weights.values().subspan(n * list.inputs_, list.inputs_));
    return list;
  }

  template <class Encoding, class Integer>
  void append_row(std::size_t n, std::span<const Integer> weights) {
    std::size_t position = 0;  // The input that the row's bytes have come to.
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const signed_digits digits = Encoding::encode(weights[k]);
      if (digits.exponents() >> (term_byte::greatest_exponent + 1) != 0)
        fail("term_list::of: weights[" + std::to_string(n) + ", " + std::to_string(k) + ']', weights[k],
             "a sum of terms of at most 2^14");
      append_terms(digits, k, position);
    }
    require(bytes_.size() <= std::numeric_limits<std::uint32_t>::max(), "term_list::of: bytes", bytes_.size(),
            "fewer than 2^32");
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }

  void append_terms(signed_digits digits, std::size_t input, std::size_t& position) {
    for (std::uint32_t left = digits.exponents(); left != 0;) {
      const int exponent = static_cast<int>(std::bit_width(left)) - 1;
      while (input - position > term_byte::longest_advance) {
        const std::size_t step =
            std::min((input - position) / term_byte::shortest_step * term_byte::shortest_step, term_byte::longest_step);
        bytes_.push_back(term_byte::step(step));
        position += step;
      }
      bytes_.push_back(term_byte::term(input - position, exponent, (digits.negative >> exponent & 1) != 0));
      position = input;
      left ^= std::uint32_t{1} << exponent;
    }
  }

  void require_valid_row(std::size_t n) const {
    std::size_t position = 0;
    int limit = term_byte::greatest_exponent + 1;  // Exponents at one input fall.
    const term_byte* before = nullptr;
    for (std::size_t i = row_begin(n); i < ends_[n]; before = &bytes_[i], ++i) {
      const term_byte byte = bytes_[i];
      const bool follows_step = before != nullptr && !before->is_term();
      position += byte.advance();
      require_valid(position < inputs_, n, "inputs", position, "inputs below ", inputs_);
      if (byte.advance() > 0) limit = term_byte::greatest_exponent + 1;
      if (byte.is_term()) {
        require_valid(byte.exponent() < limit, n, "exponents", byte.exponent(), "less than before at its input, ",
                      limit);
        limit = byte.exponent();
      } else if (follows_step) {
        require_valid(before->advance() == term_byte::longest_step, n, "steps", before->advance(), "the longest");
      }
    }
    require_valid(before == nullptr || before->is_term(), n, "last byte", before == nullptr ? 0 : before->bits,
                  "a term");
  }

  template <class Value, class... Expected>
  static void require_valid(bool ok, std::size_t n, std::string_view what, const Value& value,
                            const Expected&... expected) {
    if (!ok) fail("term_list: " + std::string(what) + " of row " + std::to_string(n), value, expected...);
  }

  std::size_t outputs_ = 0;
  std::size_t inputs_ = 0;
  std::vector<std::uint32_t> ends_;
  std::vector<term_byte> bytes_;
};

}  // namespace bitwright
