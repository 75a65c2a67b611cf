// SPDX-License-Identifier: MIT
/// \file
/// Layer groups: which layers share probes, and which are probed alone.
///
/// A probe that is zero outside the group G gives layer l of G a sample of its trace with the variance
///
///   v_l(G) = 2 |offdiag H_ll|^2 + sum_{j in G, j != l} |H_lj|^2
///
/// so a layer of large curvature spoils the samples of the small ones that share its probes, and weakly coupled layers
/// share a probe for nothing.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/square_matrix.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// Groups of layer indices; every layer is in one group.
using layer_groups = std::vector<std::vector<std::size_t>>;

/// How many probes a group needs until each of its layers has the standard error tolerances[l], and least_probes at
/// least.
/// `coupling` (l, j) is |H_lj|^2, the squared Frobenius norm of the block. H_ll counts as if its diagonal were zero.
inline double expected_probes(std::span<const std::size_t> group, const square_matrix& coupling,
                              std::span<const double> tolerances) {
  double most = static_cast<double>(least_probes);
  for (const std::size_t layer : group) {
    double variance = coupling(layer, layer);
    for (const std::size_t other : group) variance += coupling(layer, other);
    if (variance > 0) most = std::max(most, variance / (tolerances[layer] * tolerances[layer]));
  }
  return most;
}

/// Groups that need few probes together: from layers alone, the two groups that save most by sharing are joined, as
/// long as any two save. Tolerances are positive.
inline layer_groups group_layers(const square_matrix& coupling, std::span<const double> tolerances) {
  layer_groups groups(coupling.size());
  for (std::size_t layer = 0; layer < groups.size(); ++layer) groups[layer] = {layer};
  const auto joined = [](std::vector<std::size_t> a, const std::vector<std::size_t>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  const auto probes = [&](const std::vector<std::size_t>& group) {
    return expected_probes(group, coupling, tolerances);
  };
  for (;;) {
    double most = 0;
    std::pair<std::size_t, std::size_t> best;
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        const double saved = probes(groups[a]) + probes(groups[b]) - probes(joined(groups[a], groups[b]));
        if (saved > most) {
          most = saved;
          best = {a, b};
        }
      }
    if (!(most > 0)) return groups;
    groups[best.first] = joined(groups[best.first], groups[best.second]);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best.second));
  }
}

}  // namespace bitwright
