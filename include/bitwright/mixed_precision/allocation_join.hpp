// SPDX-License-Identifier: MIT
/// \file
/// Meeting in the middle: all partial allocations of one half of the groups, all of the other half, and the pairs of them
/// that fit the limits.
///
/// With multipliers lambda that prove a bound, the omegas of every allocation within the limits add up to
///   bound + sum_g excess_g + sum_m lambda_m slack_m,   slack_m = limit_m - sum_g cost_gm,
/// all terms at least 0. So an allocation that is not above bound + room leaves at most room / lambda_m of a budget unused:
/// in the order of costs, what fits a partial allocation of one half lies close together in the other half. And one of the
/// two has at most half the room in excess, so that few have to be sorted. 10^5 partial allocations on either side stand
/// for 10^10 allocations. Where costs are equal, partial allocations are merged: of identical layers it only counts how
/// many take which choice. Source: Horowitz and Sahni (Journal of the ACM, 1974), for one budget.
#pragma once

#include <bitwright/mixed_precision/allocation_exchange.hpp>
#include <bitwright/mixed_precision/allocation_search.hpp>
#include <bitwright/mixed_precision/multiplier_bound.hpp>
#include <bitwright/mixed_precision/reduced_allocation.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace bitwright {

/// Joins partial allocations of a reduced problem with at least one budget.
class allocation_join {
 public:
  /// Improves `best`, with `root` for the bound to start from. Lists hold at most `maximum_size` partial allocations, at
  /// most 2^26, of some 50 bytes each.
  allocation_join(const reduced_allocation& reduced, const exact_bound& root, incumbent& best, std::size_t maximum_size)
      : reduced_(reduced), root_(root), best_(best), maximum_size_(maximum_size) {}

  /// Leaves no allocation of interest at or below the root's bound + `room` but the incumbent. False where lists or pairs
  /// become too many: then nothing is proven.
  bool run(wide_integer room) {
    set_room(room);
    if (room_ < 0) return true;
    std::vector<std::pair<std::int64_t, std::size_t>> open;
    for (std::size_t g = 0; g < reduced_.groups(); ++g)
      if (const std::int64_t second = second_excess(g); second <= room_) open.emplace_back(-second, g);
    std::ranges::sort(open);  // Groups whose second choice loses little make lists long: they come last.
    set_base(root_.best);
    return std::ranges::all_of(open, [this](const auto& each) { return extend(each.second); }) && join();
  }

  /// Lets as many groups as the lists hold take other choices than those given (one per group), for an allocation at or
  /// below the root's bound + `room`: other groups in each round. Proves nothing.
  void improve(const std::vector<std::size_t>& choices, wide_integer room, std::uint64_t round) {
    set_room(room);
    if (room_ < 0) return;
    set_base(choices);
    for (const std::size_t g : groups_of_close_choices(round))
      if (!extend(g)) break;
    join();
  }

  /// How many partial allocations there were.
  std::int64_t partial_allocations() const { return partial_allocations_; }

 private:
  /// Partial allocations, as differences from the base.
  struct half {
    std::vector<std::int64_t> omegas, excesses, costs;
    std::vector<std::uint32_t> last;  // The last step of each in the trail; 0: none, it is the base.
    std::size_t merge_at = 64;

    std::size_t size() const { return omegas.size(); }
    void resize(std::size_t size, std::size_t budgets) {
      omegas.resize(size);
      excesses.resize(size);
      costs.resize(size * budgets);
      last.resize(size);
    }
  };

  /// One group's choice, and the step before it.
  struct step {
    std::uint32_t before = 0, choice = 0;
  };

  static wide_integer shifted(wide_integer value, int bits) {
    for (; bits > 63; bits -= 63) value = value.shift_right(63);
    return value.shift_right(bits);
  }

  /// Rounded down, so that sums of excesses exclude nothing that they should not.
  std::int64_t excess(std::size_t choice) const { return shifted(root_.excess[choice], shift_).saturated(); }

  std::int64_t second_excess(std::size_t g) const {
    std::int64_t second = std::numeric_limits<std::int64_t>::max();
    for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice)
      if (choice != root_.best[g]) second = std::min(second, excess(choice));
    return second;
  }

  void set_room(wide_integer room) {
    room = std::min(room, root_.scaled(best_.good_enough() - best_.step) - root_.bound);
    for (shift_ = 0; wide_integer(std::int64_t{1} << 40) < shifted(room, shift_);) ++shift_;
    room_ = shifted(room, shift_).saturated();
    if (room_ < 0) return;  // Nothing is to be found.
    // A little more than exact, here and in `share`, by more than doubles round.
    per_room_ = (1 + 0x1p-40) / static_cast<double>(room_ + 1);
    windows_.clear();
    for (const std::int64_t numerator : root_.multipliers.numerators) {
      const double widest = room.to_double() * (1 + 0x1p-40) / static_cast<double>(numerator);
      windows_.push_back(widest < 0x1p60 ? static_cast<std::int64_t>(widest) + 1 : no_window);
    }
  }

  void set_base(const std::vector<std::size_t>& choices) {
    base_ = choices;
    base_omega_ = 0;
    remaining_ = reduced_.limits;
    for (const std::size_t choice : choices) {
      base_omega_ += reduced_.omegas[choice];
      for (std::size_t m = 0; m < reduced_.budgets; ++m) remaining_[m] -= reduced_.cost(choice)[m];
    }
    for (half& each : halves_)
      each = {.omegas = {0}, .excesses = {0}, .costs = std::vector<std::int64_t>(reduced_.budgets), .last = {0}};
    trail_ = {{}};
  }

  /// The groups with more than one choice within the room, those first whose choices differ least in costs: their sums
  /// lie close together. Shuffled a little, so that rounds differ.
  std::vector<std::size_t> groups_of_close_choices(std::uint64_t round) const {
    std::vector<std::pair<double, std::size_t>> ranked;
    for (std::size_t g = 0; g < reduced_.groups(); ++g) {
      double count = 1, spread = 0;
      for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice) {
        if (choice == base_[g] || excess(choice) > room_) continue;
        ++count;
        spread = std::max(spread, distance(choice, base_[g]));
      }
      const double chance = std::ldexp(static_cast<double>(scrambled(g + (round << 32)) >> 11), -53);
      if (count > 1) ranked.emplace_back(spread / std::log2(count) * (1 + 0.3 * chance), g);
    }
    std::ranges::sort(ranked);
    std::vector<std::size_t> groups;
    for (const auto& each : ranked) groups.push_back(each.second);
    return groups;
  }

  /// How far apart two choices' costs are, each budget by its multiplier.
  double distance(std::size_t a, std::size_t b) const {
    double sum = 0;
    for (std::size_t m = 0; m < reduced_.budgets; ++m)
      sum += std::abs(static_cast<double>(reduced_.cost(a)[m] - reduced_.cost(b)[m])) *
             static_cast<double>(root_.multipliers.numerators[m]);
    return sum;
  }

  /// Lets the partial allocations of the shorter list take each choice of a group.
  bool extend(std::size_t g) {
    half& list = halves_[halves_[0].size() <= halves_[1].size() ? 0 : 1];
    const std::size_t before = list.size();
    for (std::size_t choice = reduced_.first[g]; choice < reduced_.first[g + 1]; ++choice)
      if (choice != base_[g] && !append(list, before, choice, base_[g])) return false;
    if (const std::int64_t at_base = excess(base_[g]); at_base > 0)
      for (std::size_t i = 0; i < before; ++i) list.excesses[i] += std::min(at_base, room_ + 1);
    partial_allocations_ += static_cast<std::int64_t>(list.size() - before);
    if (list.size() >= list.merge_at) merge(list);
    return true;
  }

  /// Appends those of the first `before` that can take `choice` rather than `base`. False where they are too many.
  bool append(half& list, std::size_t before, std::size_t choice, std::size_t base) {
    const std::int64_t more = excess(choice), omega = reduced_.omegas[choice] - reduced_.omegas[base];
    const auto fits = [this, more](std::int64_t excess) { return excess <= room_ - more; };
    const std::size_t budgets = reduced_.budgets;
    std::size_t to = list.size(), taken = trail_.size();
    const auto added = static_cast<std::size_t>(std::ranges::count_if(std::span(list.excesses).first(before), fits));
    if (more > room_ || to + added > maximum_size_) return more > room_;
    list.resize(to + added, budgets);
    trail_.resize(taken + added);
    for (std::size_t i = 0; i < before; ++i) {
      if (!fits(list.excesses[i])) continue;
      list.omegas[to] = list.omegas[i] + omega;
      list.excesses[to] = list.excesses[i] + more;
      for (std::size_t m = 0; m < budgets; ++m)
        list.costs[to * budgets + m] = list.costs[i * budgets + m] + reduced_.cost(choice)[m] - reduced_.cost(base)[m];
      trail_[taken] = {list.last[i], static_cast<std::uint32_t>(choice)};
      list.last[to++] = static_cast<std::uint32_t>(taken++);
    }
    return true;
  }

  std::span<const std::int64_t> costs_of(const half& list, std::size_t i) const {
    return std::span(list.costs).subspan(i * reduced_.budgets, reduced_.budgets);
  }

  /// Of partial allocations of equal costs only the first of least omega is of use.
  void merge(half& list) const {
    const std::size_t mask = std::bit_ceil(list.size() * 2) - 1;
    std::vector<std::uint32_t> table(mask + 1);  // By costs: 1 + the place of what is kept.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::span<const std::int64_t> costs = costs_of(list, i);
      std::uint64_t hash = 0;
      for (const std::int64_t cost : costs) hash = scrambled(hash + static_cast<std::uint64_t>(cost));
      std::size_t at = hash & mask;
      while (table[at] != 0 && !std::ranges::equal(costs, costs_of(list, table[at] - 1))) at = (at + 1) & mask;
      const bool is_new = table[at] == 0;
      const std::size_t to = is_new ? kept++ : table[at] - 1;
      if (!is_new && list.omegas[i] >= list.omegas[to]) continue;
      table[at] = static_cast<std::uint32_t>(to + 1);
      std::ranges::copy(costs, list.costs.begin() + static_cast<std::ptrdiff_t>(to * reduced_.budgets));
      list.omegas[to] = list.omegas[i];
      list.excesses[to] = list.excesses[i];
      list.last[to] = list.last[i];
    }
    // A long list without equal costs is not worth another look.
    list.merge_at = kept < 1024 || kept < list.size() - list.size() / 8 ? 2 * kept : maximum_size_ + 1;
    list.resize(kept, reduced_.budgets);
  }

  /// Those partial allocations of a list that have at most half the room in excess: in cells by the cost in one budget
  /// (`outer`), and in each cell by the cost in another (`inner`).
  struct sorted_half {
    struct entry {
      std::int64_t inner_cost, omega;
      std::size_t place;
    };
    const half* list = nullptr;
    std::size_t outer = 0, inner = 0;
    std::int64_t first_cell = 0;
    int cell_bits = 1;                     // A cell is 2^cell_bits wide.
    std::vector<std::size_t> starts = {};  // Of each cell's entries; and the end of the last.
    std::vector<entry> entries = {};
  };

  sorted_half sort_small_ones(const half& list) const {
    sorted_half sorted{.list = &list};
    std::vector<std::size_t> small;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (list.excesses[i] <= room_ / 2) small.push_back(i);
    if (small.empty()) return sorted;
    pick_budgets(sorted, small);
    const auto outer = [&](std::size_t i) { return list.costs[i * reduced_.budgets + sorted.outer]; };
    const auto inner = [&](std::size_t i) { return list.costs[i * reduced_.budgets + sorted.inner]; };
    const auto [least, largest] = std::ranges::minmax(small, {}, outer);
    // Several cells to a window, but no more cells than entries.
    sorted.cell_bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(windows_[sorted.outer]) / 8 | 1));
    while ((outer(largest) >> sorted.cell_bits) - (outer(least) >> sorted.cell_bits) > std::ssize(small))
      ++sorted.cell_bits;
    sorted.first_cell = outer(least) >> sorted.cell_bits;
    const auto cell = [&](std::size_t i) {
      return static_cast<std::size_t>((outer(i) >> sorted.cell_bits) - sorted.first_cell);
    };
    std::ranges::sort(small, {}, [&](std::size_t i) { return std::tuple(cell(i), inner(i), i); });
    sorted.starts.resize(cell(small.back()) + 2);
    for (const std::size_t i : small) {
      sorted.entries.push_back({inner(i), list.omegas[i], i});
      ++sorted.starts[cell(i) + 1];
    }
    std::partial_sum(sorted.starts.begin(), sorted.starts.end(), sorted.starts.begin());
    return sorted;
  }

  /// The two budgets in which costs are most windows apart.
  void pick_budgets(sorted_half& sorted, std::span<const std::size_t> small) const {
    std::vector<std::pair<double, std::size_t>> by;
    for (std::size_t m = 0; m < reduced_.budgets; ++m) {
      const auto cost = [&](std::size_t i) { return static_cast<double>(costs_of(*sorted.list, i)[m]); };
      const auto [least, largest] = std::ranges::minmax(small, {}, cost);
      by.emplace_back((cost(least) - cost(largest)) / static_cast<double>(windows_[m]), m);
    }
    std::ranges::sort(by);
    sorted.inner = by.front().second;
    sorted.outer = by[by.size() > 1 ? 1 : 0].second;
  }

  /// A pair within the limits, by its place in each half.
  struct best_pair {
    bool found = false;
    std::int64_t most = 0;  // What the omegas of a better one add up to at most.
    std::array<std::size_t, 2> places = {};
  };

  /// Looks for partners of halves_[which]'s partial allocation `i`.
  void match(std::size_t which, std::size_t i, const sorted_half& among, best_pair& best) {
    const half& list = halves_[which];
    const std::span<const std::int64_t> costs = costs_of(list, i);
    // What its own excess leaves of the room bounds the slack.
    const double share = static_cast<double>(room_ + 1 - list.excesses[i]) * per_room_;
    const auto most = [&](std::size_t m) { return remaining_[m] - costs[m]; };
    const auto least = [&](std::size_t m) {
      if (windows_[m] == no_window) return std::numeric_limits<std::int64_t>::min();
      return most(m) - static_cast<std::int64_t>(static_cast<double>(windows_[m]) * share) - 1;
    };
    const std::int64_t inner_least = least(among.inner), inner_most = most(among.inner);
    const std::int64_t first = std::max(least(among.outer) >> among.cell_bits, among.first_cell);
    const std::int64_t last =
        std::min(most(among.outer) >> among.cell_bits, among.first_cell + std::ssize(among.starts) - 2);
    for (std::int64_t cell = first; cell <= last; ++cell) {
      const auto start = among.starts.begin() + (cell - among.first_cell);
      const auto entries = std::span(among.entries).subspan(*start, *(start + 1) - *start);
      for (const auto& each : std::ranges::subrange(
               std::ranges::lower_bound(entries, inner_least, {}, &sorted_half::entry::inner_cost), entries.end())) {
        if (each.inner_cost > inner_most) break;
        ++pairs_;
        if (list.omegas[i] + each.omega > best.most) continue;
        const std::span<const std::int64_t> others = costs_of(*among.list, each.place);
        bool fits = true;
        for (std::size_t m = 0; m < others.size(); ++m) fits = fits && others[m] <= most(m);
        if (!fits) continue;
        best = {true, list.omegas[i] + each.omega - best_.step, {}};
        best.places[which] = i;
        best.places[1 - which] = each.place;
      }
    }
  }

  /// Takes the best pair that fits the limits, where it is of interest. False where there are too many to look at.
  bool join() {
    best_pair best{.most = best_.good_enough() - best_.step - base_omega_};
    const std::size_t most_pairs = 64 * maximum_size_;
    for (const std::size_t which : {0u, 1u}) {
      const sorted_half among = sort_small_ones(halves_[1 - which]);
      const half& list = halves_[which];
      for (std::size_t i = 0; i < list.size() && pairs_ <= most_pairs; ++i)  // Two small ones meet but once.
        if (list.excesses[i] <= room_ && (which == 0 || list.excesses[i] > room_ / 2)) match(which, i, among, best);
    }
    if (best.found) take(best.places);
    return pairs_ <= most_pairs;
  }

  void take(const std::array<std::size_t, 2>& places) {
    best_.found = true;
    best_.omega = base_omega_;
    best_.choices = base_;
    for (const std::size_t which : {0u, 1u}) {
      best_.omega += halves_[which].omegas[places[which]];
      for (std::uint32_t at = halves_[which].last[places[which]]; at != 0; at = trail_[at].before) {
        const auto group = std::ranges::upper_bound(reduced_.first, trail_[at].choice) - reduced_.first.begin() - 1;
        best_.choices[static_cast<std::size_t>(group)] = trail_[at].choice;
      }
    }
  }

  static constexpr std::int64_t no_window = std::int64_t{1} << 61;

  const reduced_allocation& reduced_;
  const exact_bound& root_;
  incumbent& best_;
  const std::size_t maximum_size_;

  int shift_ = 0;
  std::int64_t room_ = 0, base_omega_ = 0;  // The room in 2^shift_ units of the bound's grid.
  double per_room_ = 0;
  std::vector<std::int64_t> windows_, remaining_;  // The largest slack of interest; the limits less the base's costs.
  std::vector<std::size_t> base_;
  std::array<half, 2> halves_;
  std::vector<step> trail_;
  std::int64_t partial_allocations_ = 0;
  std::size_t pairs_ = 0;
};

}  // namespace bitwright
