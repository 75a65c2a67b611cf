// SPDX-License-Identifier: MIT
/// \file
/// Depth-first branch and bound over the choices that a bound leaves open.
///
/// Where multipliers prove a bound, an allocation that is better than bound + room takes no choice whose excess is above
/// room. Most groups then have one choice left; the others are the core, which is searched: the multipliers are improved
/// for what is left, choices are closed by their excess again, and the search branches on a group that the linear
/// relaxation splits.
#pragma once

#include <bitwright/mixed_precision/multiplier_bound.hpp>
#include <bitwright/mixed_precision/multiplier_walk.hpp>
#include <bitwright/mixed_precision/reduced_allocation.hpp>

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// The best choices found so far, and by how much others have to be better to be of interest.
struct incumbent {
  bool found = false;
  std::vector<std::size_t> choices = {};  ///< One per group, where found.
  std::int64_t omega = 0;                 ///< In units; where not found, more than any allocation has.
  std::int64_t step = 1;                  ///< What sums of omegas are apart.
  double relative_gap = 0;                ///< What may be lost.

  /// No allocation below it is of no interest.
  std::int64_t good_enough() const {
    return omega - (found ? static_cast<std::int64_t>(relative_gap * static_cast<double>(omega)) : 0);
  }
};

/// Searches the core of a reduced allocation.
class allocation_search {
 public:
  /// Improves `best`, with `root` for the bound to start from.
  allocation_search(const reduced_allocation& reduced, const exact_bound& root, incumbent& best,
                    std::int64_t maximum_nodes)
      : reduced_(reduced), root_(root), best_(best), maximum_nodes_(maximum_nodes), slack_(reduced.limits) {
    for (std::size_t g = 0; g < reduced.groups(); ++g) {
      group_of_choice_.resize(reduced.first[g + 1], g);
      base_omega_ += reduced.omegas[root.best[g]];
      for (std::size_t m = 0; m < reduced.budgets; ++m) slack_[m] -= reduced.cost(root.best[g])[m];
    }
    // Powers of two, so that scaling costs rounds nothing.
    scales_.resize(reduced.budgets);
    for (std::size_t m = 0; m < reduced.budgets; ++m)
      std::frexp(static_cast<double>(extreme_cost_sum(reduced, m, true)), &scales_[m]);
  }

  /// Leaves no allocation of interest at or below the root's bound + `room` but the incumbent; or is stopped by the node
  /// limit, and returns false.
  bool run(wide_integer room, std::int64_t maximum_work = std::numeric_limits<std::int64_t>::max()) {
    maximum_work_ = maximum_work;
    room_ = std::min(room, room_below_incumbent());
    if (room_ < wide_integer(0)) return true;
    if (maximum_nodes_ == 0) return false;
    node start = core();
    expand(start);
    return !stopped_;
  }

  std::int64_t nodes() const { return nodes_; }

  /// The least bound that was above the room: with less room than that, the search would have gone the same way.
  double least_excluded() const { return least_excluded_; }

 private:
  /// Open groups, with their open choices, and what is already decided. Values are excesses at the root's multipliers, in
  /// doubles; the multipliers are differences from the root's; costs are differences from each group's best choice at
  /// the root, scaled. So all that is rounded is small.
  struct node {
    multiplier_problem open = {};
    std::vector<std::size_t> kinds = {};    // Of each open group: groups of a kind are alike in every choice.
    std::vector<std::size_t> choices = {};  // Of each open choice, its index.
    std::vector<std::size_t> decided = {};  // Choices, where they are not the root's best.
    // The limits less the costs, and the omegas: of what is decided, and else of the root's best choices.
    std::vector<std::int64_t> remaining = {};
    std::int64_t decided_omega = 0;
    multiplier_vertex vertex = {};
    multiplier_bound bound = {};
  };

  wide_integer room_below_incumbent() const { return root_.scaled(best_.good_enough() - best_.step) - root_.bound; }

  /// Above any room that a node's bound may be compared to, also after rounding.
  double room() const { return room_.to_double() * (1 + 0x1p-50) + 0x1p-50; }

  bool excluded(const multiplier_bound& bound, double excess = 0) const {
    return bound.value + excess - bound.error * 2 > room();
  }

  /// The part of the problem that the room leaves open.
  node core() {
    node start;
    multiplier_problem& open = start.open;
    open.budgets = reduced_.budgets;
    for (std::size_t g = 0; g < reduced_.groups(); ++g) {
      std::size_t count = 0;
      for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice)
        count += root_.excess[choice] <= room_ ? 1u : 0u;
      if (count < 2) continue;
      ++core_groups_;
      for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice) {
        if (root_.excess[choice] > room_) continue;
        start.choices.push_back(choice);
        open.values.push_back(root_.excess[choice].to_double());
        for (std::size_t m = 0; m < reduced_.budgets; ++m)
          open.costs.push_back(
              std::ldexp(static_cast<double>(reduced_.cost(choice)[m] - reduced_.cost(root_.best[g])[m]), -scales_[m]));
      }
      open.first.push_back(start.choices.size());
    }
    for (std::size_t m = 0; m < reduced_.budgets; ++m) {
      open.limits.push_back(std::ldexp(static_cast<double>(slack_[m]), -scales_[m]));
      open.lowest.push_back(-std::ldexp(static_cast<double>(root_.multipliers.numerators[m]), scales_[m]));
    }
    start.kinds = kinds_of(start);
    start.remaining = slack_;
    start.decided_omega = base_omega_;
    start.vertex = vertex_at_root(open);
    climb(start);
    return start;
  }

  /// Numbers the open groups so that those with the same omegas and costs have the same number.
  std::vector<std::size_t> kinds_of(const node& at) const {
    const auto table = [&](std::size_t g) {
      const std::size_t group = group_of_choice_[at.choices[at.open.first[g]]];
      const std::size_t begin = reduced_.first[group], count = reduced_.choices_of(group);
      return std::pair(std::span(reduced_.omegas).subspan(begin, count),
                       std::span(reduced_.costs).subspan(begin * reduced_.budgets, count * reduced_.budgets));
    };
    const auto compare = [&](std::size_t a, std::size_t b) {
      const auto order = [](const auto& x, const auto& y) {
        return std::lexicographical_compare_three_way(x.begin(), x.end(), y.begin(), y.end());
      };
      const auto by_omegas = order(table(a).first, table(b).first);
      return by_omegas != 0 ? by_omegas : order(table(a).second, table(b).second);
    };
    std::vector<std::size_t> sorted(at.open.groups()), kinds(sorted.size());
    std::iota(sorted.begin(), sorted.end(), std::size_t{0});
    std::ranges::stable_sort(sorted, [&](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
    for (std::size_t i = 1; i < sorted.size(); ++i)
      kinds[sorted[i]] = kinds[sorted[i - 1]] + (compare(sorted[i - 1], sorted[i]) == 0 ? 0u : 1u);
    return kinds;
  }

  /// The root's multipliers (differences of zero) as a vertex: held by constraints that have to leave.
  static multiplier_vertex vertex_at_root(const multiplier_problem& open) {
    multiplier_vertex vertex = lowest_vertex(open);
    for (std::size_t m = 0; m < open.budgets; ++m) {
      if (open.lowest[m] != 0) vertex.tight[m].what = tight_constraint::kind::released;
      vertex.rights[m] = 0;
    }
    for (std::size_t g = 0; g < open.groups(); ++g) {
      const auto values = open.values.begin();
      vertex.best[g] =
          static_cast<std::size_t>(std::min_element(values + static_cast<std::ptrdiff_t>(open.first[g]),
                                                    values + static_cast<std::ptrdiff_t>(open.first[g + 1])) -
                                   values);
    }
    return vertex;
  }

  void climb(node& at) {
    ++nodes_;
    work_ += static_cast<std::int64_t>(at.open.groups()) + 1;
    walk_.climb(at.open, at.vertex, room() * (1 + 1e-6));
    at.bound = evaluate(at.open, at.vertex.multipliers, core_groups_);
  }

  static double value_at(const node& at, std::size_t choice) {
    return at.open.values[choice] + dot(at.open.cost(choice), at.vertex.multipliers);
  }

  /// How much each open choice exceeds its group's least at the node's multipliers.
  static std::vector<double> excesses(const node& at) {
    std::vector<double> excess(at.choices.size());
    for (std::size_t g = 0; g < at.open.groups(); ++g) {
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t choice = at.open.first[g]; choice < at.open.first[g + 1]; ++choice)
        least = std::min(least, excess[choice] = value_at(at, choice));
      for (std::size_t choice = at.open.first[g]; choice < at.open.first[g + 1]; ++choice) excess[choice] -= least;
    }
    return excess;
  }

  void decide(node& at, std::size_t choice, double value) const {
    at.open.constant += value;
    const std::size_t best = root_.best[group_of_choice_[choice]];
    if (choice == best) return;
    at.decided.push_back(choice);
    at.decided_omega += reduced_.omegas[choice] - reduced_.omegas[best];
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      at.remaining[m] -= reduced_.cost(choice)[m] - reduced_.cost(best)[m];
  }

  /// The node with only those open choices that `keep` tells; groups with one choice left are decided. Every group has to
  /// keep one. The vertex stays where it is, for a walk to start from: what no longer holds there is released.
  template <class Keep>
  node restricted(const node& from, Keep keep) const {
    constexpr std::size_t gone = static_cast<std::size_t>(-1);
    node to{.open = {.budgets = from.open.budgets,
                     .limits = from.open.limits,
                     .lowest = from.open.lowest,
                     .constant = from.open.constant},
            .decided = from.decided,
            .remaining = from.remaining,
            .decided_omega = from.decided_omega,
            .vertex = from.vertex,
            .bound = from.bound};
    to.vertex.best.clear();
    to.open.first.reserve(from.open.first.size());
    to.open.values.reserve(from.choices.size());
    to.open.costs.reserve(from.open.costs.size());
    to.choices.reserve(from.choices.size());
    to.kinds.reserve(from.kinds.size());
    std::vector<std::size_t> new_choice(from.choices.size(), gone), new_group(from.open.groups(), gone);
    for (std::size_t g = 0; g < from.open.groups(); ++g) {
      std::size_t kept = 0, last = 0;
      for (std::size_t choice = from.open.first[g]; choice < from.open.first[g + 1]; ++choice)
        if (keep(choice)) ++kept, last = choice;
      if (kept == 1) {
        decide(to, from.choices[last], from.open.values[last]);
        continue;
      }
      new_group[g] = to.open.groups();
      to.kinds.push_back(from.kinds[g]);
      for (std::size_t choice = from.open.first[g]; choice < from.open.first[g + 1]; ++choice) {
        if (!keep(choice)) continue;
        new_choice[choice] = to.choices.size();
        to.choices.push_back(from.choices[choice]);
        to.open.values.push_back(from.open.values[choice]);
        for (const double cost : from.open.cost(choice)) to.open.costs.push_back(cost);
      }
      to.vertex.best.push_back(new_choice[from.vertex.best[g]]);
      if (to.vertex.best.back() == gone) to.vertex.best.back() = least_choice(to, to.open.first.back());
      to.open.first.push_back(to.choices.size());
    }
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      to.open.limits[m] = std::ldexp(static_cast<double>(to.remaining[m]), -scales_[m]);
    for (tight_constraint& tight : to.vertex.tight) {
      if (tight.what != tight_constraint::kind::equal) continue;
      const bool holds = new_choice[tight.choice] != gone && new_choice[from.vertex.best[tight.index]] != gone;
      tight = holds && new_group[tight.index] != gone
                  ? tight_constraint{tight_constraint::kind::equal, new_group[tight.index], new_choice[tight.choice]}
                  : tight_constraint{tight_constraint::kind::released, 0, 0};
    }
    return to;
  }

  /// Of the last choices, from `begin` on, the one of least value.
  static std::size_t least_choice(const node& at, std::size_t begin) {
    std::size_t least = begin;
    for (std::size_t choice = begin + 1; choice < at.choices.size(); ++choice)
      if (value_at(at, choice) < value_at(at, least)) least = choice;
    return least;
  }

  /// The open groups that the relaxation splits between choices: each with its best choice and the others.
  static std::vector<std::pair<std::size_t, std::vector<std::size_t>>> split_groups(const node& at) {
    std::vector<std::pair<std::size_t, std::vector<std::size_t>>> split;
    for (const tight_constraint& tight : at.vertex.tight) {
      if (tight.what != tight_constraint::kind::equal) continue;
      auto found = std::ranges::find(split, tight.index, [](const auto& entry) { return entry.first; });
      if (found == split.end()) found = split.insert(found, {tight.index, {at.vertex.best[tight.index]}});
      found->second.push_back(tight.choice);
    }
    return split;
  }

  /// What a full choice of the core would come to.
  struct sums {
    std::int64_t omega = 0;
    std::vector<std::int64_t> remaining = {};  // The limits less its costs.
  };

  /// Replaces one choice of a group by another.
  void exchange(sums& of, std::size_t from, std::size_t to) const {
    of.omega += reduced_.omegas[to] - reduced_.omegas[from];
    for (std::size_t m = 0; m < reduced_.budgets; ++m) of.remaining[m] -= reduced_.cost(to)[m] - reduced_.cost(from)[m];
  }

  /// Tries every way to round the split groups (of the first eight; more budgets are rare).
  void round(const node& at) {
    sums rounded{.omega = at.decided_omega, .remaining = at.remaining};
    for (const std::size_t choice : at.vertex.best)
      exchange(rounded, root_.best[group_of_choice_[at.choices[choice]]], at.choices[choice]);
    auto split = split_groups(at);
    if (split.size() > 8) split.resize(8);
    std::vector<std::size_t> best = at.vertex.best;
    const auto try_from = [&](const auto& self, std::size_t i) -> void {
      if (i == split.size()) return offer(at, best, rounded);
      for (const std::size_t choice : split[i].second) {
        exchange(rounded, at.choices[std::exchange(best[split[i].first], choice)], at.choices[choice]);
        self(self, i + 1);
      }
    };
    try_from(try_from, 0);
  }

  /// Takes a node's decisions and one choice of every open group as the incumbent if they are feasible and better.
  void offer(const node& at, std::span<const std::size_t> open_choices, const sums& of) {
    if (of.omega >= best_.omega) return;
    if (std::ranges::any_of(of.remaining, [](std::int64_t left) { return left < 0; })) return;
    best_.found = true;
    best_.omega = of.omega;
    best_.choices = root_.best;
    for (const std::size_t choice : at.decided) best_.choices[group_of_choice_[choice]] = choice;
    for (const std::size_t choice : open_choices)
      best_.choices[group_of_choice_[at.choices[choice]]] = at.choices[choice];
    room_ = std::min(room_, room_below_incumbent());
  }

  /// Searches below a node whose vertex is found.
  void expand(node& at) {
    if (excluded(at.bound)) return;
    const std::vector<double> excess = excesses(at);
    at = restricted(at, [&](std::size_t choice) { return !excluded(at.bound, excess[choice]); });
    round(at);
    if (excluded(at.bound) || at.open.groups() == 0) return;
    for (node& child : best_branches(at)) {
      if (stopped_) return;
      expand(child);
    }
  }

  /// Children that together hold whatever the node holds, least bound first. Of the ways to branch on what the relaxation
  /// splits it is the one whose children's least bound is highest (strong branching). Empty where all are excluded.
  std::vector<node> best_branches(const node& at) {
    std::vector<std::size_t> groups;
    for (const auto& [group, choices] : split_groups(at)) groups.push_back(group);
    if (groups.empty()) groups.push_back(closest_group(at));
    std::vector<node> best;
    double highest = -std::numeric_limits<double>::infinity();
    for (const std::size_t group : groups) {
      const std::optional<copies_split> copies = split_copies(at, group);
      std::vector<node> children = copies ? branches(at, *copies) : branches(at, group);
      if (children.empty() || stopped_) return {};
      if (children.front().bound.value > highest) {
        highest = children.front().bound.value;
        best = std::move(children);
      }
    }
    return best;
  }

  /// A child for every choice of a group.
  std::vector<node> branches(const node& at, std::size_t group) {
    std::vector<node> children;
    const std::size_t begin = at.open.first[group], end = at.open.first[group + 1];
    for (std::size_t taken = begin; taken < end; ++taken)
      add_child(children, at, [&](std::size_t choice) { return choice < begin || choice >= end || choice == taken; });
    return children;
  }

  /// Groups of a kind can be permuted, so let them take their choices in ascending order. Either the one in `position`, and
  /// with it all before, takes a choice up to `last`, or it takes a later one, and with it all behind.
  struct copies_split {
    std::vector<std::size_t> groups = {};
    std::size_t position = 0, last = 0;
  };

  /// A choice's place among those of its group.
  std::size_t place(const node& at, std::size_t choice) const {
    return at.choices[choice] - reduced_.first[group_of_choice_[at.choices[choice]]];
  }

  /// Splits where the relaxation gives a fractional number of a group's kind a choice up to some choice; nothing where no
  /// other open group is of the kind, or no such number is fractional.
  std::optional<copies_split> split_copies(const node& at, std::size_t group) const {
    copies_split split;
    for (std::size_t g = 0; g < at.open.groups(); ++g)
      if (at.kinds[g] == at.kinds[group]) split.groups.push_back(g);
    if (split.groups.size() < 2) return {};
    const std::vector<double> taken = relaxed_counts(at, split.groups);
    double most_split = 1e-6, sum = 0;
    for (std::size_t choice = 0; choice < taken.size(); ++choice) {
      sum += taken[choice];
      const double distance = std::abs(sum - std::round(sum));
      if (distance <= most_split || sum < 0 || sum > static_cast<double>(split.groups.size())) continue;
      most_split = distance;
      split.position = static_cast<std::size_t>(sum);
      split.last = choice;
    }
    if (most_split == 1e-6) return {};
    return split;
  }

  /// How many of groups of one kind take each choice in the linear relaxation.
  std::vector<double> relaxed_counts(const node& at, std::span<const std::size_t> groups) const {
    std::vector<double> taken(reduced_.choices_of(group_of_choice_[at.choices[at.open.first[groups.front()]]]));
    for (const std::size_t g : groups) taken[place(at, at.vertex.best[g])] += 1;
    for (std::size_t i = 0; i < at.vertex.tight.size(); ++i) {
      const tight_constraint& tight = at.vertex.tight[i];
      if (tight.what != tight_constraint::kind::equal || at.kinds[tight.index] != at.kinds[groups.front()]) continue;
      taken[place(at, tight.choice)] += at.vertex.weights[i];
      taken[place(at, at.vertex.best[tight.index])] -= at.vertex.weights[i];
    }
    return taken;
  }

  std::vector<node> branches(const node& at, const copies_split& split) {
    std::vector<node> children;
    for (const bool up_to_last : {true, false}) {
      const auto begin = split.groups.begin() + static_cast<std::ptrdiff_t>(up_to_last ? 0 : split.position);
      const auto end =
          up_to_last ? split.groups.begin() + static_cast<std::ptrdiff_t>(split.position + 1) : split.groups.end();
      std::vector<bool> closed(at.choices.size());
      bool possible = true;
      for (const std::size_t g : std::ranges::subrange(begin, end)) {
        std::size_t open = 0;
        for (std::size_t choice = at.open.first[g]; choice < at.open.first[g + 1]; ++choice) {
          closed[choice] = (place(at, choice) <= split.last) != up_to_last;
          open += closed[choice] ? 0u : 1u;
        }
        possible = possible && open > 0;
      }
      if (possible) add_child(children, at, [&](std::size_t choice) { return !closed[choice]; });
    }
    return children;
  }

  /// Adds the node with the choices that `keep` tells, unless it is excluded; least bound first.
  template <class Keep>
  void add_child(std::vector<node>& children, const node& at, Keep keep) {
    if (stopped_) return;
    node child = restricted(at, keep);
    climb(child);
    stopped_ = nodes_ >= maximum_nodes_ || work_ >= maximum_work_;
    if (excluded(child.bound)) {
      least_excluded_ = std::min(least_excluded_, child.bound.value);
      return;
    }
    const auto after =
        std::ranges::upper_bound(children, child.bound.value, {}, [](const node& other) { return other.bound.value; });
    children.insert(after, std::move(child));
  }

  /// The open group whose second-best choice is closest to its best.
  static std::size_t closest_group(const node& at) {
    const std::vector<double> excess = excesses(at);
    std::size_t closest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t g = 0; g < at.open.groups(); ++g)
      for (std::size_t choice = at.open.first[g]; choice < at.open.first[g + 1]; ++choice)
        if (choice != at.vertex.best[g] && excess[choice] < least) {
          least = excess[choice];
          closest = g;
        }
    return closest;
  }

  const reduced_allocation& reduced_;
  const exact_bound& root_;
  incumbent& best_;
  const std::int64_t maximum_nodes_;

  wide_integer room_ = 0;
  std::vector<int> scales_;
  std::vector<std::int64_t> slack_;  // The limits less the costs of the root's best choices.
  std::int64_t base_omega_ = 0;      // Of the root's best choices.
  std::vector<std::size_t> group_of_choice_;
  std::size_t core_groups_ = 0;
  multiplier_walk walk_;
  std::int64_t nodes_ = 0, work_ = 0, maximum_work_ = 0;
  double least_excluded_ = std::numeric_limits<double>::infinity();
  bool stopped_ = false;
};

}  // namespace bitwright
