// SPDX-License-Identifier: MIT
/// \file
/// Bit allocation by GLPK, a general solver of integer programs: an oracle for problems too large to try everything.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <glpk.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace bitwright::reference {

/// What GLPK found; `optimal` is false at its time limit.
struct glpk_result {
  bool optimal = false, feasible = false;
  std::vector<std::size_t> choice = {};
};

/// One binary variable per candidate, one row per layer and budget, equal variables for tied layers.
inline glpk_result solve_with_glpk(const allocation_problem& problem, int limit_milliseconds) {
  glp_term_out(GLP_OFF);
  const std::unique_ptr<glp_prob, void (*)(glp_prob*)> program(glp_create_prob(), glp_delete_prob);
  glp_prob* const p = program.get();
  const auto add_row = [p](int kind, double right, const std::vector<int>& columns,
                           const std::vector<double>& factors) {
    const int row = glp_add_rows(p, 1);
    glp_set_row_bnds(p, row, kind, right, right);
    glp_set_mat_row(p, row, static_cast<int>(columns.size()) - 1, columns.data(), factors.data());
  };

  std::vector<int> first_column;
  for (const allocation_layer& layer : problem.layers) {
    const int first = glp_add_cols(p, static_cast<int>(layer.candidates.size()));
    first_column.push_back(first);
    std::vector<int> columns{0};  // GLPK counts from 1.
    for (std::size_t k = 0; k < layer.candidates.size(); ++k) {
      const int column = first + static_cast<int>(k);
      glp_set_col_kind(p, column, GLP_BV);
      if (!allows(layer, k)) glp_set_col_bnds(p, column, GLP_FX, 0, 0);
      glp_set_obj_coef(p, column, layer.candidates[k].omega);
      columns.push_back(column);
    }
    add_row(GLP_FX, 1, columns, std::vector<double>(columns.size(), 1));
  }
  for (std::size_t m = 0; m < problem.budgets.size(); ++m) {
    std::vector<int> columns{0};
    std::vector<double> factors{0};
    for (std::size_t l = 0; l < problem.layers.size(); ++l)
      for (std::size_t k = 0; k < problem.layers[l].candidates.size(); ++k) {
        columns.push_back(first_column[l] + static_cast<int>(k));
        factors.push_back(static_cast<double>(problem.layers[l].candidates[k].costs[m]));
      }
    add_row(GLP_UP, static_cast<double>(problem.budgets[m].limit), columns, factors);
  }
  for (const std::vector<std::size_t>& tie : problem.ties)
    for (const std::size_t layer : tie)
      for (std::size_t k = 0; layer != tie.front() && k < problem.layers[layer].candidates.size(); ++k)
        add_row(GLP_FX, 0,
                {0, first_column[layer] + static_cast<int>(k), first_column[tie.front()] + static_cast<int>(k)},
                {0, 1, -1});

  glp_iocp options;
  glp_init_iocp(&options);
  options.presolve = GLP_ON;
  options.tm_lim = limit_milliseconds;
  const int ended = glp_intopt(p, &options);
  const int status = glp_mip_status(p);
  glpk_result result{.optimal = ended == GLP_ENOPFS || (ended == 0 && (status == GLP_OPT || status == GLP_NOFEAS)),
                     .feasible = ended == 0 && (status == GLP_OPT || status == GLP_FEAS)};
  for (std::size_t l = 0; result.feasible && l < problem.layers.size(); ++l)
    for (std::size_t k = 0; k < problem.layers[l].candidates.size(); ++k)
      if (glp_mip_col_val(p, first_column[l] + static_cast<int>(k)) > 0.5) result.choice.push_back(k);
  return result;
}

}  // namespace bitwright::reference
