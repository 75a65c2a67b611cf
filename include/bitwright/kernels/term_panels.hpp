// SPDX-License-Identifier: MIT
/// \file
/// Terms as the vector paths of shift_add read them, in two forms; and what all rows of a column need.
///
/// Many rows lie in the lanes of a vector, and a term is one addition: the shifts are taken out of the sum. Of each column
/// (an output) the terms come by exponent, from the greatest to the least,
///
///     sum = ((s14 * 2 + s13) * 2 + ... + s1) * 2 + s0,   s_e the sum of +-activation over the terms +-2^e
///
/// and a run is so many of one exponent that their sum fits 16 bits. There is no term where a weight is 0.
///
/// For a few rows, columns lie in the lanes, and a term is a shift by a lane's own count, and an addition. A step has a slot
/// for each lane of a vector, `lanes` columns and `depth` inputs of each; where the next term of some lane's input is to be
/// added, the other lanes add their own next one, or nothing.
///
/// Many rows are unsigned bytes, activations less the least one of their type, and the rest of their zero point is in the
/// initial sums. A few rows are activations less their zero point.
#pragma once

#include <bitwright/core/term_byte.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/shift_add_arguments.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace bitwright::kernels {

/// Terms of a column that have the same exponent.
struct term_run {
  static constexpr std::size_t most_terms = 128;  ///< Of one sign.
  static_assert(most_terms * 255 <= std::numeric_limits<std::int16_t>::max());

  std::uint32_t first_input;  ///< What the run's inputs are counted from.
  std::uint8_t added;         ///< Terms, whose inputs come first.
  std::uint8_t subtracted;    ///< As many more.
  std::uint8_t shift;         ///< Of the column's sum up to this run, to the left.
  std::uint8_t unused;
};

/// Columns that are turned into codes together, a multiple of every path's lanes.
inline constexpr std::size_t term_panel_columns = 8;

/// Where everything lies in packed memory, in bytes from its beginning, where this is.
struct term_panel_header {
  std::size_t run_ends = 0;      ///< A column's runs, std::uint32_t for each column.
  std::size_t input_ends = 0;    ///< And the inputs of its terms.
  std::size_t runs = 0;          ///< term_run.
  std::size_t inputs = 0;        ///< std::uint16_t.
  std::size_t initial = 0;       ///< What a column's sum begins with, std::int32_t.
  std::size_t step_initial = 0;  ///< The same for the form of few rows.
  std::size_t multipliers = 0;   ///< Of factors, std::int32_t.
  std::size_t shifts = 0;        ///< The same.
  std::size_t step_ends = 0;     ///< std::uint32_t for each vector of columns.
  std::size_t step_inputs = 0;   ///< The first input of each step, std::uint32_t.
  std::size_t slots = 0;         ///< Tile::slot, a vector's for each step.
  std::size_t has_steps = 1;     ///< Whether there is the form of few rows.
};

/// Makes packed memory, for the paths' `packed_bytes` and `pack`. A `Tile` says by `lanes`, `depth`, `slot`, `slot_of` and
/// `empty_slot` what steps are, by `greatest_step_exponent` for which terms there are any, and by `adds_complement` whether a
/// term is subtracted as ~x + 1 with the ones in the initial sums.
template <class Tile, class Activation>
class term_panels {
 public:
  explicit term_panels(const shift_add_constants& constants)
      : columns_(round_up(constants.sums.outputs, term_panel_columns)) {
    for (std::size_t n = 0; n < columns_; ++n) add_column(constants, n);
    for (std::size_t first = 0; first < columns_ && header_.has_steps != 0; first += Tile::lanes)
      add_vector(constants, first);
    place_all();
  }

  std::size_t bytes() const { return bytes_; }

  void write(std::byte* packed) const {
    std::memset(packed, 0, bytes_);
    std::memcpy(packed, &header_, sizeof header_);
    write(run_ends_, packed + header_.run_ends), write(input_ends_, packed + header_.input_ends);
    write(runs_, packed + header_.runs), write(inputs_, packed + header_.inputs);
    write(initial_, packed + header_.initial), write(step_initial_, packed + header_.step_initial);
    write(multipliers_, packed + header_.multipliers), write(shifts_, packed + header_.shifts);
    write(step_ends_, packed + header_.step_ends), write(step_inputs_, packed + header_.step_inputs);
    write(slots_, packed + header_.slots);
  }

 private:
  struct signed_input {
    std::size_t input;
    bool negative;
  };
  using inputs_by_exponent = std::array<std::vector<signed_input>, term_byte::greatest_exponent + 1>;

  void add_column(const shift_add_constants& constants, std::size_t n) {
    const weighted_sum& sums = constants.sums;
    const bool exists = n < sums.outputs;
    inputs_by_exponent terms;
    std::uint32_t weights = 0, subtracted = 0;  // Modulo 2^32.
    if (exists)
      for_each_term(constants.row_begin(n), constants.row_end(n), [&](std::size_t input, int exponent, bool negative) {
        terms[static_cast<std::size_t>(exponent)].push_back({input, negative});
        weights += (negative ? ~std::uint32_t{0} : 1u) << exponent;
        subtracted += negative ? 1 : 0;
        if (exponent > Tile::greatest_step_exponent) header_.has_steps = 0;
      });
    add_runs(terms);
    const std::uint32_t bias = exists ? static_cast<std::uint32_t>(sums.bias[n]) : 0;
    const std::int32_t zero_point = sums.activation_zero_point - std::numeric_limits<Activation>::min();
    initial_.push_back(bias - static_cast<std::uint32_t>(zero_point) * weights);
    step_initial_.push_back(bias + (Tile::adds_complement ? subtracted : 0));
    // A column that no output has computes 0 and is never written.
    multipliers_.push_back(exists ? sums.factors[n].multiplier : (std::int32_t{1} << 30) + 1);
    shifts_.push_back(exists ? sums.factors[n].shift : 40);
  }

  void add_runs(const inputs_by_exponent& terms) {
    const std::size_t first_run = runs_.size();
    std::size_t last_exponent = 0;  // Of the runs so far.
    for (std::size_t exponent = terms.size(); exponent-- > 0;) {
      if (terms[exponent].empty()) continue;
      if (runs_.size() > first_run) runs_.back().shift = static_cast<std::uint8_t>(last_exponent - exponent);
      last_exponent = exponent;
      for (auto first = terms[exponent].begin(); first != terms[exponent].end();) {
        const auto last = end_of_run(first, terms[exponent].end());
        add_run(first, last);
        first = last;
      }
    }
    if (runs_.size() > first_run) runs_.back().shift = static_cast<std::uint8_t>(last_exponent);
    run_ends_.push_back(static_cast<std::uint32_t>(runs_.size()));
    input_ends_.push_back(static_cast<std::uint32_t>(inputs_.size()));
  }

  /// As far as a run from `first` may go: neither sign too often, and no input that 16 bits do not count.
  template <class Iterator>
  static Iterator end_of_run(Iterator first, Iterator end) {
    std::array<std::size_t, 2> counts{};
    return std::find_if(first, end, [&](const signed_input& term) {
      return ++counts[term.negative ? 1 : 0] > term_run::most_terms ||
             term.input - first->input > std::numeric_limits<std::uint16_t>::max();
    });
  }

  template <class Iterator>
  void add_run(Iterator first, Iterator last) {
    term_run run{
        .first_input = static_cast<std::uint32_t>(first->input), .added = 0, .subtracted = 0, .shift = 0, .unused = 0};
    for (const bool negative : {false, true})
      for (Iterator term = first; term != last; ++term)
        if (term->negative == negative) {
          inputs_.push_back(static_cast<std::uint16_t>(term->input - first->input));
          ++(negative ? run.subtracted : run.added);
        }
    runs_.push_back(run);
  }

  struct lane_term {
    std::size_t step_input;  ///< The first input of its step.
    std::size_t lane;        ///< Its slot.
    typename Tile::slot slot;
  };

  void add_vector(const shift_add_constants& constants, std::size_t first_column) {
    std::vector<lane_term> terms;
    for (std::size_t column = 0; column < Tile::lanes && first_column + column < constants.sums.outputs; ++column)
      for_each_term(constants.row_begin(first_column + column), constants.row_end(first_column + column),
                    [&](std::size_t input, int exponent, bool negative) {
                      terms.push_back({input / Tile::depth * Tile::depth, column * Tile::depth + input % Tile::depth,
                                       Tile::slot_of(exponent, negative)});
                    });
    std::ranges::stable_sort(terms, {}, &lane_term::step_input);
    for (auto first = terms.begin(); first != terms.end();) {
      const auto last =
          std::find_if(first, terms.end(), [&](const lane_term& term) { return term.step_input != first->step_input; });
      add_steps(first, last);
      first = last;
    }
    step_ends_.push_back(static_cast<std::uint32_t>(step_inputs_.size()));
  }

  /// As many steps as a lane has terms at most.
  template <class Iterator>
  void add_steps(Iterator first, Iterator last) {
    constexpr std::size_t width = Tile::lanes * Tile::depth;
    const std::size_t begin = step_inputs_.size();
    std::array<std::size_t, width> used{};
    for (Iterator term = first; term != last; ++term) {
      const std::size_t step = begin + used[term->lane]++;
      if (step == step_inputs_.size()) {
        step_inputs_.push_back(static_cast<std::uint32_t>(term->step_input));
        slots_.resize(slots_.size() + width, Tile::empty_slot);
      }
      slots_[step * width + term->lane] = term->slot;
    }
  }

  void place_all() {
    bytes_ = sizeof header_;
    header_.run_ends = place(run_ends_), header_.input_ends = place(input_ends_);
    header_.runs = place(runs_), header_.inputs = place(inputs_);
    header_.initial = place(initial_), header_.step_initial = place(step_initial_);
    header_.multipliers = place(multipliers_), header_.shifts = place(shifts_);
    header_.step_ends = place(step_ends_), header_.step_inputs = place(step_inputs_), header_.slots = place(slots_);
  }

  template <class Element>
  std::size_t place(const std::vector<Element>& elements) {
    const std::size_t at = round_up(bytes_, 64);
    bytes_ = at + elements.size() * sizeof(Element);
    return at;
  }

  template <class Element>
  static void write(const std::vector<Element>& elements, std::byte* target) {
    std::copy(elements.begin(), elements.end(), reinterpret_cast<Element*>(target));
  }

  std::size_t columns_;
  std::size_t bytes_ = 0;
  term_panel_header header_;
  std::vector<std::uint32_t> run_ends_, input_ends_, initial_, step_initial_, step_ends_, step_inputs_;
  std::vector<std::int32_t> multipliers_, shifts_;
  std::vector<term_run> runs_;
  std::vector<std::uint16_t> inputs_;
  std::vector<typename Tile::slot> slots_;
};

}  // namespace bitwright::kernels
