// SPDX-License-Identifier: MIT
/// \file
/// Improving an allocation by exchanging the choices of two groups at once: a good incumbent closes more of a search than the
/// search itself.
#pragma once

#include <bitwright/mixed_precision/multiplier_bound.hpp>
#include <bitwright/mixed_precision/reduced_allocation.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace bitwright {

/// A permutation of 64-bit numbers without pattern: splitmix64's (Steele et al. 2014).
inline std::uint64_t scrambled(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// One choice per group, improved step by step.
class allocation_exchange {
 public:
  /// `bound` tells which choices are worth a try.
  allocation_exchange(const reduced_allocation& reduced, const exact_bound& bound) : reduced_(reduced) {
    for (const wide_integer& excess : bound.excess) excess_.push_back(excess.to_double());
    noise_ = 1e-9 * std::abs(bound.bound.to_double());
  }

  /// Exchanges `choices` (one per group) until they are within the limits: each time those two that leave
  /// the least excess over limits, in parts of each limit. False where it does not get there.
  bool repair(std::vector<std::size_t>& choices) {
    set_remaining(choices);
    double excess = violation({});
    for (std::uint64_t round = 0; round < rounds && excess > 0; ++round) {
      collect_moves(choices, round);
      moves_made best;
      for (std::size_t i = 0; i < moves_.size(); ++i)
        for (std::size_t j = i; j < moves_.size(); ++j) {  // i and i: one move.
          if (i != j && moves_[i].group == moves_[j].group) continue;
          const double left = i == j ? violation({i}) : violation({i, j});
          if (left >= excess) continue;
          excess = left;
          best = {i, i == j ? std::optional<std::size_t>() : j};
        }
      take(choices, best);
    }
    return excess == 0;
  }

  /// Exchanges feasible `choices` (one per group) as long as that lowers their sum of omegas. Returns by how much it has.
  std::int64_t improve(std::vector<std::size_t>& choices) {
    set_remaining(choices);
    std::int64_t gained = 0;
    for (std::uint64_t round = 0, in_vain = 0; round < rounds && in_vain < 4; ++round) {
      collect_moves(choices, round);
      const std::int64_t gain = -take(choices, best_pair());
      gained += gain;
      in_vain = gain > 0 ? 0 : in_vain + 1;
    }
    return gained;
  }

 private:
  static constexpr std::uint64_t rounds = 50;

  /// A group leaves its choice for another.
  struct move {
    std::size_t group, choice;
    std::int64_t omega;  // By how much the sum changes.
    double excess;
  };
  struct moves_made {
    std::optional<std::size_t> first = {}, second = {};
  };

  void set_remaining(const std::vector<std::size_t>& choices) {
    remaining_ = reduced_.limits;
    for (const std::size_t choice : choices)
      for (std::size_t m = 0; m < reduced_.budgets; ++m) remaining_[m] -= reduced_.cost(choice)[m];
  }

  /// The excess over limits after some moves.
  double violation(std::initializer_list<std::size_t> made) const {
    double sum = 0;
    for (std::size_t m = 0; m < reduced_.budgets; ++m) {
      std::int64_t left = remaining_[m];
      for (const std::size_t i : made) left -= costs_[i * reduced_.budgets + m];
      if (left < 0)
        sum -= static_cast<double>(left) / static_cast<double>(std::max<std::int64_t>(1, reduced_.limits[m]));
    }
    return sum;
  }

  /// The moves that lose least in the sense of the bound: with more of them, more pairs than are worth the time. Those that
  /// lose nothing but rounding are drawn without order, others in each round.
  void collect_moves(const std::vector<std::size_t>& choices, std::uint64_t round) {
    constexpr std::size_t most = 600;
    moves_.clear();
    for (std::size_t g = 0; g < reduced_.groups(); ++g)
      for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice)
        if (choice != choices[g])
          moves_.push_back({g, choice, reduced_.omegas[choice] - reduced_.omegas[choices[g]],
                            excess_[choice] - excess_[choices[g]]});
    if (moves_.size() > most) {
      const auto rank = [this, round](const move& each) {
        return std::pair(std::max(each.excess, noise_), scrambled(each.choice + round * reduced_.choices()));
      };
      std::ranges::nth_element(moves_, moves_.begin() + most, {}, rank);
      moves_.resize(most);
    }
    std::ranges::sort(moves_, {}, [](const move& each) { return std::pair(each.omega, each.choice); });
    costs_.clear();
    for (const move& each : moves_)
      for (std::size_t m = 0; m < reduced_.budgets; ++m)
        costs_.push_back(reduced_.cost(each.choice)[m] - reduced_.cost(choices[each.group])[m]);
  }

  bool fits(std::size_t i) const {
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      if (costs_[i * reduced_.budgets + m] > remaining_[m]) return false;
    return true;
  }

  bool fits(std::size_t i, std::size_t j) const {
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      if (costs_[i * reduced_.budgets + m] + costs_[j * reduced_.budgets + m] > remaining_[m]) return false;
    return true;
  }

  /// The one or two moves that fit and lower the sum most. Moves are sorted by omega, so both loops end early.
  moves_made best_pair() const {
    moves_made best;
    std::int64_t lowest = 0;
    for (std::size_t i = 0; i < moves_.size() && moves_[i].omega < 0; ++i) {
      if (moves_[i].omega < lowest && fits(i)) {
        best = {i, {}};
        lowest = moves_[i].omega;
      }
      for (std::size_t j = i + 1; j < moves_.size() && moves_[i].omega + moves_[j].omega < lowest; ++j) {
        if (moves_[i].group == moves_[j].group || !fits(i, j)) continue;
        best = {i, j};
        lowest = moves_[i].omega + moves_[j].omega;
        break;  // Later ones lower it less.
      }
    }
    return best;
  }

  /// Returns by how much the sum of omegas changes.
  std::int64_t take(std::vector<std::size_t>& choices, const moves_made& made) {
    std::int64_t omega = 0;
    for (const std::optional<std::size_t>& i : {made.first, made.second}) {
      if (!i) continue;
      choices[moves_[*i].group] = moves_[*i].choice;
      for (std::size_t m = 0; m < reduced_.budgets; ++m) remaining_[m] -= costs_[*i * reduced_.budgets + m];
      omega += moves_[*i].omega;
    }
    return omega;
  }

  const reduced_allocation& reduced_;
  std::vector<double> excess_;
  double noise_ = 0;
  std::vector<std::int64_t> remaining_, costs_;
  std::vector<move> moves_;
};

}  // namespace bitwright
