// SPDX-License-Identifier: MIT
/// \file
/// Checks an allocation against its problem, and the bound that its multipliers prove, in exact integer arithmetic and
/// without anything of the solver: a reader who trusts this file need not trust the search.
///
/// What multipliers prove is a lower bound; where the allocation's own lower bound is higher, the difference rests on the
/// search, and `bound_is_certified` is false.
#pragma once

#include <bitwright/mixed_precision/allocation.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/omega_grid.hpp>
#include <bitwright/mixed_precision/wide_integer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// What verify() found.
struct verification {
  bool accepted = false;       ///< Whether everything the allocation says of itself is so, the search's word aside.
  std::string objection = {};  ///< The first thing that is not so; empty where accepted.
  bool bound_is_certified =
      false;  ///< Whether the multipliers alone prove the lower bound (or that nothing is feasible).
};

/// The steps of verify().
class allocation_verifier {
 public:
  allocation_verifier(const allocation_problem& problem, const allocation& result)
      : problem_(problem), result_(result), grid_(problem), groups_(tie_groups(problem)), tables_(add_up_groups()) {}

  verification run() {
    verification found;
    found.objection = first_objection();
    found.accepted = found.objection.empty();
    if (found.accepted) found.bound_is_certified = bound_is_certified();
    return found;
  }

 private:
  using status = allocation_status;

  std::string first_objection() {
    if (result_.omega_unit != grid_.unit()) return "omega_unit is not the grid's";
    const bool claims_choice = result_.status == status::optimal || result_.status == status::feasible_with_gap;
    if (result_.choice.size() != (claims_choice ? problem_.layers.size() : 0)) return "choice does not fit the status";
    if (std::string objection = claims_choice ? objection_to_choice() : std::string(); !objection.empty())
      return objection;
    if (std::string objection = objection_to_certificate(); !objection.empty()) return objection;
    if (result_.lower_bound != grid_.value(result_.lower_bound_units)) return "lower_bound is not lower_bound_units";
    if (result_.status == status::infeasible) return objection_to_infeasibility();
    if (std::max<std::int64_t>(0, result_.certificate.bound_units) > result_.lower_bound_units)
      return "lower_bound_units is below what the certificate proves";
    return "";
  }

  std::string objection_to_choice() const {
    std::vector<std::optional<std::size_t>> of_group(problem_.layers.size());
    std::vector<std::int64_t> used(problem_.budgets.size());
    std::int64_t objective = 0;
    for (std::size_t layer = 0; layer < problem_.layers.size(); ++layer) {
      const std::size_t taken = result_.choice[layer];
      const allocation_layer& here = problem_.layers[layer];
      if (taken >= here.candidates.size() || !allows(here, taken))
        return describe_layer(problem_, layer) + " takes what is not allowed";
      std::optional<std::size_t>& others = of_group[groups_[layer]];
      if (others && *others != taken) return describe_layer(problem_, layer) + " differs from a layer it is tied to";
      others = taken;
      objective += grid_.units(here.candidates[taken].omega);
      for (std::size_t m = 0; m < used.size(); ++m) used[m] += here.candidates[taken].costs[m];
    }
    if (objective != result_.objective_units) return "objective_units is not the sum of the omegas";
    if (result_.objective != grid_.value(objective)) return "objective is not objective_units";
    if (used != result_.used) return "used is not the sum of the costs";
    if (result_.slack.size() != used.size()) return "slack is not limit - used";
    for (std::size_t m = 0; m < used.size(); ++m) {
      if (used[m] > problem_.budgets[m].limit) return describe_budget(problem_, m) + " is exceeded";
      if (result_.slack[m] != problem_.budgets[m].limit - used[m]) return "slack is not limit - used";
    }
    const std::int64_t difference = objective - result_.lower_bound_units;
    if (difference < 0) return "lower_bound_units is above objective_units";
    if ((difference == 0) != (result_.status == status::optimal)) return "status does not fit the lower bound";
    const double gap = difference == 0 ? 0 : static_cast<double>(difference) / static_cast<double>(objective);
    return result_.gap == gap ? "" : "gap is not (objective - lower bound) / objective";
  }

  std::string objection_to_certificate() {
    const multiplier_certificate& certificate = result_.certificate;
    if (certificate.numerators.size() != problem_.budgets.size())
      return "the certificate has not one multiplier per budget";
    if (certificate.shift < 0 || certificate.shift > 62) return "the certificate's shift is not in [0, 62]";
    for (const std::int64_t numerator : certificate.numerators)
      if (numerator < 0) return "a multiplier is negative";
    if (!fits_128_bits()) return "the certificate's sums do not fit 128 bits";
    if (bound_of_multipliers() != wide_integer(certificate.bound_units))
      return "bound_units is not what the multipliers prove";
    for (std::size_t m = 0; m < certificate.numerators.size(); ++m)
      if (result_.multipliers.size() != certificate.numerators.size() ||
          result_.multipliers[m] !=
              std::ldexp(static_cast<double>(certificate.numerators[m]), -certificate.shift) * grid_.unit())
        return "multipliers are not the certificate's";
    return "";
  }

  /// A budget that cannot be met alone is checked here; budgets that cannot be met together rest on the certificate or on
  /// the search.
  std::string objection_to_infeasibility() const {
    for (const unmet_budget& unmet : result_.unmet) {
      if (unmet.budget >= problem_.budgets.size()) return "an unmet budget is none of the problem's";
      if (unmet.limit != problem_.budgets[unmet.budget].limit) return "an unmet budget's limit is not the problem's";
      if (unmet.least_alone != least_sum(unmet.budget)) return "least_alone is not the sum of the least costs";
      if (unmet.least < unmet.least_alone) return "least is below least_alone";
      if (unmet.least_is_proven && unmet.least <= unmet.limit) return "an unmet budget can be met";
    }
    return result_.unmet.empty() ? "nothing is said to be unmet" : "";
  }

  bool bound_is_certified() const {
    if (result_.status != status::infeasible)
      return std::max<std::int64_t>(0, result_.certificate.bound_units) >= result_.lower_bound_units;
    for (const unmet_budget& unmet : result_.unmet)
      if (unmet.least_alone > unmet.limit) return true;
    // Where every allocation is above the sum of the largest omegas there is none.
    return result_.certificate.bound_units > largest_omegas();
  }

  /// One candidate of a group of tied layers, summed over them.
  struct group_choice {
    std::int64_t omega = 0;
    std::vector<std::int64_t> costs = {};
  };

  /// The candidates of every group that all of its layers allow.
  std::vector<std::vector<group_choice>> add_up_groups() const {
    std::vector<std::vector<std::size_t>> members;
    for (std::size_t layer = 0; layer < groups_.size(); ++layer) {
      if (groups_[layer] == members.size()) members.emplace_back();
      members[groups_[layer]].push_back(layer);
    }
    std::vector<std::vector<group_choice>> tables;
    for (const std::vector<std::size_t>& layers : members) {
      tables.emplace_back();
      for (std::size_t index = 0; index < problem_.layers[layers.front()].candidates.size(); ++index) {
        if (!std::ranges::all_of(layers, [&](std::size_t layer) { return allows(problem_.layers[layer], index); }))
          continue;
        group_choice sum{.costs = std::vector<std::int64_t>(problem_.budgets.size())};
        for (const std::size_t layer : layers) {
          const candidate& added = problem_.layers[layer].candidates[index];
          sum.omega += grid_.units(added.omega);
          for (std::size_t m = 0; m < sum.costs.size(); ++m) sum.costs[m] += added.costs[m];
        }
        tables.back().push_back(std::move(sum));
      }
    }
    return tables;
  }

  std::int64_t least_sum(std::size_t m) const {
    std::int64_t sum = 0;
    for (const std::vector<group_choice>& table : tables_)
      sum += std::ranges::min(table, {}, [m](const group_choice& each) { return each.costs[m]; }).costs[m];
    return sum;
  }

  std::int64_t largest_sum(std::size_t m) const {
    std::int64_t sum = 0;
    for (const std::vector<group_choice>& table : tables_)
      sum += std::ranges::max(table, {}, [m](const group_choice& each) { return each.costs[m]; }).costs[m];
    return sum;
  }

  std::int64_t largest_omegas() const {
    std::int64_t sum = 0;
    for (const std::vector<group_choice>& table : tables_)
      sum += std::ranges::max(table, {}, &group_choice::omega).omega;
    return sum;
  }

  /// The largest number up to the limit of budget m that sums of costs can reach, as far as their common divisor tells: a
  /// sum is that of the groups' first costs plus a multiple of the divisor of all differences within groups.
  std::int64_t reachable_limit(std::size_t m) const {
    std::int64_t base = 0, divisor = 0;
    for (const std::vector<group_choice>& table : tables_) {
      base += table.front().costs[m];
      for (const group_choice& each : table) divisor = std::gcd(divisor, each.costs[m] - table.front().costs[m]);
    }
    const std::int64_t limit = std::clamp<std::int64_t>(problem_.budgets[m].limit, -1, largest_sum(m));
    if (divisor == 0) return limit;
    const std::int64_t above = ((limit - base) % divisor + divisor) % divisor;
    return limit - above;
  }

  /// ceil(sum_g min_k (Omega_gk + lambda . cost_gk) - lambda . limits), in omega units.
  wide_integer bound_of_multipliers() const {
    const multiplier_certificate& certificate = result_.certificate;
    const auto term = [&](const group_choice& choice) {
      wide_integer sum = wide_integer::product(choice.omega, std::int64_t{1} << certificate.shift);
      for (std::size_t m = 0; m < choice.costs.size(); ++m)
        sum += wide_integer::product(certificate.numerators[m], choice.costs[m]);
      return sum;
    };
    wide_integer bound = 0;
    for (const std::vector<group_choice>& table : tables_) {
      wide_integer least = term(table.front());
      for (const group_choice& choice : table) least = std::min(least, term(choice));
      bound += least;
    }
    for (std::size_t m = 0; m < problem_.budgets.size(); ++m)
      bound -= wide_integer::product(certificate.numerators[m], reachable_limit(m));
    return -(-bound).shift_right(certificate.shift);
  }

  bool fits_128_bits() const {
    double magnitude = std::ldexp(static_cast<double>(largest_omegas()), result_.certificate.shift);
    for (std::size_t m = 0; m < problem_.budgets.size(); ++m)
      magnitude +=
          static_cast<double>(result_.certificate.numerators[m]) * 2 * (static_cast<double>(largest_sum(m)) + 1);
    return magnitude < 0x1p126;
  }

  const allocation_problem& problem_;
  const allocation& result_;
  omega_grid grid_;
  std::vector<std::size_t> groups_;
  std::vector<std::vector<group_choice>> tables_;
};

/// Checks that `result` is an allocation of `problem` as it says: choices allowed and tied, sums and limits, bounds and
/// status consistent, and the multipliers' bound. What is left to believe is the search, where bound_is_certified is
/// false: that the lower bound (or infeasibility of budgets together) holds. Throws invalid_argument for a problem that is
/// not as documented.
inline verification verify(const allocation_problem& problem, const allocation& result) {
  check_allocation_problem(problem);
  return allocation_verifier(problem, result).run();
}

}  // namespace bitwright
