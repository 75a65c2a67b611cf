// SPDX-License-Identifier: MIT
// How long does a proven optimal allocation take, and how long with a general solver? Processor time, one core. A row for
// each family of problems: the median and the worst of many seeds, and of the first seeds GLPK and CBC, where they are
// installed, with a limit of 20 s each. Their objectives are recomputed from their choices.
#include "allocation_families.hpp"
#include <bitwright/mixed_precision/allocator.hpp>
#ifdef BITWRIGHT_WITH_GLPK
#include "glpk_allocation.hpp"
#endif
#ifdef BITWRIGHT_WITH_CBC
#include "cbc_allocation.hpp"
#endif

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace bitwright;
namespace reference = bitwright::reference;

struct family {
  const char* name;
  std::function<allocation_problem(std::uint64_t seed)> make;
  int seeds = 30;
  double relative_gap = 0;
  bool with_peers = true;
};

double milliseconds_of(const std::function<void()>& run) {
  const std::clock_t start = std::clock();
  run();
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// "  1234.5 ms" with what a solver's answer is worth: "" where it is as good as ours, else how it differs.
[[maybe_unused]] std::string verdict(const allocation_problem& problem, const std::vector<std::size_t>& choice,
                                     bool optimal, double objective) {
  if (choice.size() != problem.layers.size()) return optimal ? " no answer" : " limit";
  double sum = 0;
  bool within = true;
  std::vector<std::int64_t> used(problem.budgets.size());
  for (std::size_t layer = 0; layer < choice.size(); ++layer) {
    const candidate& taken = problem.layers[layer].candidates[choice[layer]];
    sum += taken.omega;
    for (std::size_t m = 0; m < used.size(); ++m) used[m] += taken.costs[m];
  }
  for (std::size_t m = 0; m < used.size(); ++m) within = within && used[m] <= problem.budgets[m].limit;
  if (!within) return " exceeds a budget";
  if (!optimal) return " limit";
  return sum > objective * (1 + 1e-9) ? " false optimum" : "";
}

void run(const family& each) {
  std::vector<double> times;
  std::int64_t nodes = 0;
  double gap = 0;
  int proven = 0;
  for (int seed = 0; seed < each.seeds; ++seed) {
    const allocation_problem problem = each.make(static_cast<std::uint64_t>(seed));
    allocation best;
    times.push_back(milliseconds_of(
        [&] { best = allocate(problem, {.maximum_nodes = 1'000'000, .relative_gap = each.relative_gap}); }));
    nodes = std::max(nodes, best.nodes);
    gap = std::max(gap, best.gap);
    proven += best.status == allocation_status::optimal || best.gap <= each.relative_gap ? 1 : 0;
  }
  std::ranges::sort(times);
  std::printf("%-34s %9.2f %9.2f %9lld %8.1e %3d/%d", each.name, times[times.size() / 2], times.back(),
              static_cast<long long>(nodes), gap, proven, each.seeds);
  if (each.with_peers) {
    const allocation_problem problem = each.make(0);
    [[maybe_unused]] const double objective = allocate(problem, {.maximum_nodes = 1'000'000}).objective;
#ifdef BITWRIGHT_WITH_GLPK
    reference::glpk_result glpk;
    const double glpk_time = milliseconds_of([&] { glpk = reference::solve_with_glpk(problem, 20'000); });
    std::printf("   GLPK %9.1f%s", glpk_time, verdict(problem, glpk.choice, glpk.optimal, objective).c_str());
#endif
#ifdef BITWRIGHT_WITH_CBC
    reference::cbc_result cbc;
    const double cbc_time = milliseconds_of([&] { cbc = reference::solve_with_cbc(problem, 20); });
    std::printf("   CBC %9.1f%s", cbc_time, verdict(problem, cbc.choice, cbc.optimal, objective).c_str());
#endif
  }
  std::putchar('\n');
  std::fflush(stdout);
}

}  // namespace

int main() {
  using reference::correlated, reference::equal_layers, reference::equal_sizes, reference::network,
      reference::transformer, reference::uncorrelated;
  std::printf("%-34s %9s %9s %9s %8s %s\n", "layers x candidates x budgets", "median ms", "worst ms", "nodes", "gap",
              "proven");
  for (const family& each : std::vector<family>{
           {"network 200x8x3", [](auto seed) { return network(200, 8, 3, seed); }},
           {"network 1000x8x3", [](auto seed) { return network(1000, 8, 3, seed); }},
           {"network 10000x8x3", [](auto seed) { return network(10000, 8, 3, seed); }, 10},
           {"transformer 224x8x3", [](auto seed) { return transformer(32, 8, 3, false, seed); }},
           {"transformer 224x8x3, equal blocks", [](auto seed) { return transformer(32, 8, 3, true, seed); }},
           {"transformer 224x4x1", [](auto seed) { return transformer(32, 4, 1, false, seed); }},
           {"transformer 224x4x1, equal blocks", [](auto seed) { return transformer(32, 4, 1, true, seed); }},
           {"equal sizes 1000x8x3", [](auto seed) { return equal_sizes(1000, 8, 3, seed); }},
           {"equal layers 1000x8x3", [](auto seed) { return equal_layers(1000, 8, 3, seed); }, 10, 0, false},
           {"to 1e-4: uncorrelated 1000x8x3", [](auto seed) { return uncorrelated(1000, 8, 3, seed); }, 10, 1e-4,
            false},
           {"to 1e-4: weakly correlated 1000", [](auto seed) { return correlated(1000, 8, 3, 50, seed); }, 10, 1e-4,
            false},
           {"to 1e-4: strongly correlated 1000", [](auto seed) { return correlated(1000, 8, 3, 0, seed); }, 10, 1e-4,
            false},
           {"to 1e-4: weakly correlated 200", [](auto seed) { return correlated(200, 8, 3, 50, seed); }, 10, 1e-4,
            false},
           {"to 1e-4: strongly correlated 200", [](auto seed) { return correlated(200, 8, 3, 0, seed); }, 10, 1e-4,
            false},
       })
    run(each);
}
