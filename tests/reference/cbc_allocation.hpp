// SPDX-License-Identifier: MIT
/// \file
/// Bit allocation by CBC, the general solver that tools for mixed precision call.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <Cbc_C_Interface.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace bitwright::reference {

/// What CBC says; the choice is empty where it found none.
struct cbc_result {
  bool optimal = false;
  std::vector<std::size_t> choice = {};
};

/// One binary variable per candidate, one row per layer and budget. Ties are not supported.
inline cbc_result solve_with_cbc(const allocation_problem& problem, int limit_seconds) {
  const auto layers = static_cast<int>(problem.layers.size()), budgets = static_cast<int>(problem.budgets.size());
  std::vector<CoinBigIndex> starts{0};
  std::vector<int> rows;
  std::vector<double> factors, omegas;
  for (int layer = 0; layer < layers; ++layer)
    for (const candidate& choice : problem.layers[static_cast<std::size_t>(layer)].candidates) {
      omegas.push_back(choice.omega);
      rows.push_back(layer);
      factors.push_back(1);
      for (int m = 0; m < budgets; ++m) {
        rows.push_back(layers + m);
        factors.push_back(static_cast<double>(choice.costs[static_cast<std::size_t>(m)]));
      }
      starts.push_back(static_cast<CoinBigIndex>(rows.size()));
    }
  const auto columns = static_cast<int>(omegas.size());
  const std::vector<double> zeros(omegas.size(), 0), ones(omegas.size(), 1);
  std::vector<double> least(problem.layers.size(), 1), largest(problem.layers.size(), 1);
  for (const budget& each : problem.budgets) {
    least.push_back(-std::numeric_limits<double>::infinity());
    largest.push_back(static_cast<double>(each.limit));
  }

  const std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)> model(Cbc_newModel(), Cbc_deleteModel);
  Cbc_setLogLevel(model.get(), 0);
  Cbc_setParameter(model.get(), "seconds", std::to_string(limit_seconds).c_str());
  Cbc_loadProblem(model.get(), columns, layers + budgets, starts.data(), rows.data(), factors.data(), zeros.data(),
                  ones.data(), omegas.data(), least.data(), largest.data());
  for (int column = 0; column < columns; ++column) Cbc_setInteger(model.get(), column);
  Cbc_solve(model.get());
  cbc_result result{.optimal = Cbc_isProvenOptimal(model.get()) != 0};
  const double* const taken = Cbc_getColSolution(model.get());
  for (std::size_t column = 0; const allocation_layer& layer : problem.layers)
    for (std::size_t k = 0; k < layer.candidates.size(); ++k, ++column)
      if (taken[column] > 0.5) result.choice.push_back(k);
  if (result.choice.size() != problem.layers.size()) result.choice.clear();
  return result;
}

}  // namespace bitwright::reference
