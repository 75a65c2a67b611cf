// SPDX-License-Identifier: MIT
/// \file
/// An allocation: the candidate of every layer, what it uses of each budget, and what is proven about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bitwright {

/// What an allocator found out.
enum class allocation_status {
  optimal,                ///< No allocation within the budgets has a smaller sum of omegas.
  feasible_with_gap,      ///< Within the budgets; a smaller sum, down to the lower bound, is not ruled out.
  infeasible,             ///< No allocation is within the budgets.
  limit_without_solution  ///< The node limit came before an allocation was found or ruled out.
};

/// "optimal" and so on.
constexpr std::string_view name_of(allocation_status status) {
  switch (status) {
    case allocation_status::optimal:
      return "optimal";
    case allocation_status::feasible_with_gap:
      return "feasible_with_gap";
    case allocation_status::infeasible:
      return "infeasible";
    case allocation_status::limit_without_solution:
      break;
  }
  return "limit_without_solution";
}

/// A budget that cannot be met: alone, or together with the other unmet ones.
struct unmet_budget {
  std::size_t budget = 0;        ///< Its index.
  std::int64_t limit = 0;        ///< What it is.
  std::int64_t least_alone = 0;  ///< The least use of it by any allocation, the other budgets aside.
  /// The least use of it by an allocation within the other unmet budgets; least_alone where it cannot be met alone.
  std::int64_t least = 0;
  bool least_is_proven = true;  ///< False where the node limit came first: then `least` is a lower bound.
};

/// A lower bound by Lagrange multipliers that can be checked without a search: for any lambda >= 0
///   sum_l min_k (Omega_l(k) + sum_m lambda_m cost_lm(k)) - sum_m lambda_m limit_m  <=  the optimum,
/// a sum over l of layers that are not tied (tied ones count as one). Source: Everett 1963; Geoffrion 1974.
struct multiplier_certificate {
  /// lambda_m = numerators[m] / 2^shift, in omega units per unit of budget m.
  std::vector<std::int64_t> numerators = {};
  int shift = 0;
  std::int64_t bound_units = 0;  ///< The bound it proves, in omega units.
};

/// The candidate of every layer and what is proven about it. Sums of omegas are exact integers of `omega_unit`, a power
/// of two: every omega is rounded down to a multiple of it (see omega_grid).
struct allocation {
  allocation_status status = allocation_status::limit_without_solution;
  std::vector<std::size_t> choice = {};  ///< The index of each layer's candidate; empty where none was found.

  double omega_unit = 1;
  std::int64_t objective_units = 0;  ///< The sum of the chosen candidates' omegas.
  /// No allocation within the budgets has a smaller sum: rests on the search. 0 where infeasible.
  std::int64_t lower_bound_units = 0;
  double objective = 0;    ///< objective_units omega_unit, rounded once.
  double lower_bound = 0;  ///< lower_bound_units omega_unit, rounded once.
  double gap = 0;          ///< (objective - lower_bound) / objective; 0 where both are equal.

  std::vector<std::int64_t> used = {};   ///< Of each budget.
  std::vector<std::int64_t> slack = {};  ///< limit - used, at least 0.
  multiplier_certificate certificate = {};
  std::vector<double> multipliers =
      {};  ///< What a unit more of each budget would save, about: the certificate's lambda.

  std::int64_t nodes = 0;  ///< Of the search.
  /// Where infeasible: the budgets that cannot be met even alone; if there are none, budgets that cannot be met together
  /// though they could without any one of them.
  std::vector<unmet_budget> unmet = {};
};

}  // namespace bitwright
