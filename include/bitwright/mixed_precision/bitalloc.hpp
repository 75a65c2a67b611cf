// SPDX-License-Identifier: MIT
/// \file
/// `bitalloc 1`, a plain text format for bit allocation problems: lines of words and integers.
///
///   bitalloc 1
///   name S                                  the rest of the line
///   layers L resources M
///   budget B1 ... BM
///   layer i choices K tie g fixed b         once per layer, i ascending by 1 from 0 or from 1
///   bits omega w1 ... wM                    K times: at most 2^53 for omega, at least 0 for all
///
/// Layers of the same g share their bits, where g is not negative; b is the bits a layer has to take, or -1. Empty lines
/// and lines that start with # are skipped.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <limits>
#include <map>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace bitwright {

/// A problem and what it is called.
struct bitalloc_file {
  std::string name = {};
  allocation_problem problem = {};
};

/// Reads a file's lines one after the other, and says where it is when something is wrong.
class bitalloc_reader {
 public:
  explicit bitalloc_reader(std::istream& stream) : stream_(stream) {}

  bitalloc_file read() {
    bitalloc_file file;
    if (next_line(); words_.size() != 2 || words_[0] != "bitalloc" || words_[1] != "1") refuse("bitalloc 1");
    if (next_line(); words_.empty() || words_[0] != "name") refuse("name S");
    file.name = line_.substr(std::min(line_.size(), line_.find("name") + 5));
    if (next_line(); words_.size() != 4 || words_[0] != "layers" || words_[2] != "resources")
      refuse("layers L resources M");
    const std::int64_t layers = integer(1, 0, std::numeric_limits<std::int64_t>::max());
    const auto resources = static_cast<std::size_t>(integer(3, 0, 1000));
    read_budgets(resources, file.problem);
    for (std::int64_t i = 0; i < layers; ++i) read_layer(file.problem);
    if (next_line(); !words_.empty()) refuse("the end of the file after the last layer");
    for (auto& [group, tied] : ties_) file.problem.ties.push_back(std::move(tied));
    check_allocation_problem(file.problem);
    return file;
  }

 private:
  static constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

  [[noreturn]] void refuse(const std::string& expected) const {
    const std::string text = line_.size() > 80 ? line_.substr(0, 80) + "..." : line_;
    fail("bitalloc: line " + std::to_string(number_), text, expected);
  }

  /// The next line that says something, in words; none at the end of the file.
  void next_line() {
    words_.clear();
    while (words_.empty() && std::getline(stream_, line_)) {
      ++number_;
      if (!line_.empty() && line_.back() == '\r') line_.pop_back();
      constexpr const char* blanks = " \t\v\f";
      for (std::size_t end, begin = line_.find_first_not_of(blanks); begin != std::string::npos;
           begin = line_.find_first_not_of(blanks, end)) {
        end = std::min(line_.size(), line_.find_first_of(blanks, begin));
        words_.push_back(line_.substr(begin, end - begin));
      }
      if (!words_.empty() && words_[0].starts_with('#')) words_.clear();
    }
    if (!words_.empty()) return;
    line_.clear();
    ++number_;
  }

  std::int64_t integer(std::size_t word, std::int64_t from, std::int64_t to) const {
    const std::string& text = words_[word];
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < from || value > to)
      refuse("an integer from " + std::to_string(from) + " to " + std::to_string(to) + " for word " +
             std::to_string(word + 1));
    return value;
  }

  void read_budgets(std::size_t resources, allocation_problem& problem) {
    if (next_line(); words_.size() != resources + 1 || words_[0] != "budget")
      refuse("budget and " + std::to_string(resources) + " integers");
    for (std::size_t m = 0; m < resources; ++m)
      problem.budgets.push_back({.name = "resource " + std::to_string(m + 1), .limit = integer(m + 1, least, largest)});
  }

  void read_layer(allocation_problem& problem) {
    if (next_line(); words_.size() != 8 || words_[0] != "layer" || words_[2] != "choices" || words_[4] != "tie" ||
                     words_[6] != "fixed")
      refuse("layer i choices K tie g fixed b");
    const auto position = static_cast<std::int64_t>(problem.layers.size());
    if (position == 0) first_index_ = integer(1, 0, 1);
    integer(1, first_index_ + position, first_index_ + position);
    const std::int64_t choices = integer(3, 1, largest), tie = integer(5, least, largest), fixed = integer(7, -1, 64);
    const std::size_t header = number_;

    allocation_layer layer{.name = words_[1]};
    for (std::int64_t k = 0; k < choices; ++k) layer.candidates.push_back(read_candidate(problem.budgets.size()));
    std::ranges::stable_sort(layer.candidates, {}, &candidate::weight_bits);  // So that tied layers correspond.
    for (std::size_t k = 0; k < layer.candidates.size(); ++k)
      if (fixed >= 0 && layer.candidates[k].weight_bits != fixed) layer.forbidden.push_back(k);
    if (layer.forbidden.size() == layer.candidates.size())
      fail(at_line(header) + "fixed", fixed, "the bits of one of the choices");
    add_to_sums(layer, header);
    problem.layers.push_back(std::move(layer));
    if (tie >= 0) add_to_tie(problem, tie, header);
  }

  candidate read_candidate(std::size_t resources) {
    if (next_line(); words_.size() != resources + 2)
      refuse("bits, omega and " + std::to_string(resources) + " costs: " + std::to_string(resources + 2) + " integers");
    candidate choice{.weight_bits = static_cast<int>(integer(0, 0, 64)),
                     .omega = static_cast<double>(integer(1, 0, std::int64_t{1} << 53))};
    for (std::size_t m = 0; m < resources; ++m) choice.costs.push_back(integer(m + 2, 0, largest_cost_sum));
    return choice;
  }

  static std::string at_line(std::size_t number) { return "bitalloc: line " + std::to_string(number) + ": "; }

  /// Refuses a layer with which the layers' largest omegas, or costs, add up to more than 2^62.
  void add_to_sums(const allocation_layer& layer, std::size_t header) {
    const auto add = [&](std::int64_t& sum, std::int64_t value, const std::string& name) {
      require(value <= largest_cost_sum - sum, at_line(header) + "the layer's largest " + name, value, "at most ",
              largest_cost_sum - sum, ", so that sums stay within 2^62");
      sum += value;
    };
    const double omega = std::ranges::max(layer.candidates, {}, &candidate::omega).omega;
    add(omegas_, static_cast<std::int64_t>(omega), "omega");
    costs_.resize(layer.candidates.front().costs.size());
    for (std::size_t m = 0; m < costs_.size(); ++m) {
      const auto cost = [m](const candidate& choice) { return choice.costs[m]; };
      add(costs_[m], cost(std::ranges::max(layer.candidates, {}, cost)), "cost " + std::to_string(m + 1));
    }
  }

  /// Ties the last layer to those of the same g before it. Refuses it where it has other bits to choose from than they
  /// have, or none that all of them may take.
  void add_to_tie(const allocation_problem& problem, std::int64_t tie, std::size_t header) {
    std::vector<std::size_t>& tied = ties_[tie];
    tied.push_back(problem.layers.size() - 1);
    const std::vector<candidate>&first = problem.layers[tied.front()].candidates,
          &last = problem.layers.back().candidates;
    const bool same_bits = std::ranges::equal(first, last, {}, &candidate::weight_bits, &candidate::weight_bits);
    require(same_bits, at_line(header) + "tie", tie, "a layer of the same bits as the first with that tie");
    const auto may_take = [&](std::size_t k) {
      return std::ranges::all_of(tied, [&](std::size_t layer) { return allows(problem.layers[layer], k); });
    };
    for (std::size_t k = 0; k < last.size(); ++k)
      if (may_take(k)) return;
    fail(at_line(header) + "tie", tie, "no two layers with that tie fixed to different bits");
  }

  std::istream& stream_;
  std::string line_;
  std::vector<std::string> words_;
  std::size_t number_ = 0;
  std::int64_t first_index_ = 0, omegas_ = 0;
  std::vector<std::int64_t> costs_;  // The largest of the layers so far, added up.
  std::map<std::int64_t, std::vector<std::size_t>> ties_;
};

/// Reads a problem. Throws invalid_argument that names the line where the text is not as the format has it, or from which
/// on the problem cannot be one: sums of more than 2^62, ties of layers that do not correspond.
inline bitalloc_file read_bitalloc(std::istream& stream) { return bitalloc_reader(stream).read(); }

/// Writes a problem; quantizers, standard errors, activation bits and the names of layers and budgets are left out. Throws
/// invalid_argument for what the format cannot hold: omegas that are no integers up to 2^53, and restrictions that leave a
/// layer more than one of its bits but not all.
inline void write_bitalloc(std::ostream& stream, const bitalloc_file& file) {
  const allocation_problem& problem = file.problem;
  check_allocation_problem(problem);
  const std::vector<std::size_t> groups = tie_groups(problem);
  stream << "bitalloc 1\nname " << file.name << "\nlayers " << problem.layers.size() << " resources "
         << problem.budgets.size() << "\nbudget";
  for (const budget& each : problem.budgets) stream << ' ' << each.limit;
  for (std::size_t l = 0; l < problem.layers.size(); ++l) {
    const allocation_layer& layer = problem.layers[l];
    int fixed = -1;
    std::size_t allowed = 0;
    for (std::size_t k = 0; k < layer.candidates.size(); ++k)
      if (allows(layer, k)) ++allowed, fixed = layer.candidates[k].weight_bits;
    if (allowed == layer.candidates.size()) fixed = -1;
    if (fixed >= 0)
      for (std::size_t k = 0; k < layer.candidates.size(); ++k)
        if (allows(layer, k) != (layer.candidates[k].weight_bits == fixed))
          fail("write_bitalloc: " + describe_candidate(problem, l, k) +
               " is allowed or forbidden apart from its bits, expected one number of bits fixed, or all free");
    stream << "\nlayer " << l << " choices " << layer.candidates.size() << " tie " << groups[l] << " fixed " << fixed;
    for (std::size_t k = 0; k < layer.candidates.size(); ++k) {
      const candidate& choice = layer.candidates[k];
      if (choice.omega != std::floor(choice.omega) || choice.omega > 0x1p53)
        fail("write_bitalloc: " + describe_candidate(problem, l, k) + ": omega", choice.omega, "an integer up to 2^53");
      stream << '\n' << choice.weight_bits << ' ' << static_cast<std::int64_t>(choice.omega);
      for (const std::int64_t cost : choice.costs) stream << ' ' << cost;
    }
  }
  stream << '\n';
}

}  // namespace bitwright
