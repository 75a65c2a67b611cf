// SPDX-License-Identifier: MIT
// How long does a proven optimal allocation take, and how long with a general solver? Processor time on one core.
//
// The first table has a row for each family of problems: median and worst time of many seeds beside what they should stay
// within, and the largest gap that is left. The second one solves a few of the realistic problems with GLPK and CBC, too,
// where they are installed: their times, how far the objectives of their choices are above ours, and how many times as long
// the faster of them takes. A solver stops after the seconds that the first argument gives, 20 if there is none.
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
using reference::correlated, reference::equal_layers, reference::equal_sizes, reference::network,
    reference::transformer, reference::uncorrelated;

using make_problem = std::function<allocation_problem(std::uint64_t seed)>;

double milliseconds_of(const std::function<void()>& run) {
  const std::clock_t start = std::clock();
  run();
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

struct family {
  const char* name;
  make_problem make;
  int seeds = 30;
  double relative_gap = 0;
  double median_limit = 0, worst_limit = 0;  // In milliseconds; 0: none.
};

std::vector<family> families() {
  return {
      {"network 200x8x3", [](auto seed) { return network(200, 8, 3, seed); }},
      {"network 1000x8x3", [](auto seed) { return network(1000, 8, 3, seed); }, 30, 0, 5, 30},
      {"network 10000x8x3", [](auto seed) { return network(10000, 8, 3, seed); }, 10, 0, 50},
      {"transformer 224x8x3", [](auto seed) { return transformer(32, 8, 3, false, seed); }, 30, 0, 20, 20},
      {"  its blocks all equal", [](auto seed) { return transformer(32, 8, 3, true, seed); }, 30, 0, 20, 20},
      {"transformer 224x4x1", [](auto seed) { return transformer(32, 4, 1, false, seed); }},
      {"  its blocks all equal", [](auto seed) { return transformer(32, 4, 1, true, seed); }},
      {"equal layers 1000x8x3", [](auto seed) { return equal_layers(1000, 8, 3, seed); }, 10},
      {"equal sizes 1000x8x3", [](auto seed) { return equal_sizes(1000, 8, 3, seed); }, 30, 1e-4, 200, 200},
      {"weakly correlated 200x8x3", [](auto seed) { return correlated(200, 8, 3, 50, seed); }, 10, 1e-4, 200, 200},
      {"weakly correlated 1000x8x3", [](auto seed) { return correlated(1000, 8, 3, 50, seed); }, 10, 1e-4, 200, 200},
      {"strongly correlated 200x8x3", [](auto seed) { return correlated(200, 8, 3, 0, seed); }, 10, 1e-4, 200, 200},
      {"strongly correlated 1000x8x3", [](auto seed) { return correlated(1000, 8, 3, 0, seed); }, 10, 1e-4, 200, 200},
      {"uncorrelated 1000x8x3", [](auto seed) { return uncorrelated(1000, 8, 3, seed); }, 10, 1e-4, 200},
      {"equal sizes 1000x8x3", [](auto seed) { return equal_sizes(1000, 8, 3, seed); }},
      {"weakly correlated 200x8x3", [](auto seed) { return correlated(200, 8, 3, 50, seed); }, 10},
      {"weakly correlated 1000x8x3", [](auto seed) { return correlated(1000, 8, 3, 50, seed); }, 10},
      {"strongly correlated 200x8x3", [](auto seed) { return correlated(200, 8, 3, 0, seed); }, 10},
      {"strongly correlated 1000x8x3", [](auto seed) { return correlated(1000, 8, 3, 0, seed); }, 10},
      {"uncorrelated 1000x8x3", [](auto seed) { return uncorrelated(1000, 8, 3, seed); }, 10},
  };
}

/// "   5" or "   -": a limit, and whether it is kept.
std::string limit_text(double limit, double value) {
  char text[40];
  if (limit > 0)
    std::snprintf(text, sizeof text, "%5.0f %s", limit, value <= limit ? " ok " : "OVER");
  else
    std::snprintf(text, sizeof text, "    -     ");
  return text;
}

void measure(const family& each) {
  std::vector<double> times;
  std::int64_t nodes = 0;
  double gap = 0;
  int closed = 0;
  for (int seed = 0; seed < each.seeds; ++seed) {
    const allocation_problem problem = each.make(static_cast<std::uint64_t>(seed));
    allocation best;
    times.push_back(milliseconds_of(
        [&] { best = allocate(problem, {.maximum_nodes = 1'000'000, .relative_gap = each.relative_gap}); }));
    nodes = std::max(nodes, best.nodes);
    gap = std::max(gap, best.gap);
    closed += best.choice.size() == problem.layers.size() && best.gap <= each.relative_gap ? 1 : 0;
  }
  std::ranges::sort(times);
  const double median = times[times.size() / 2], worst = times.back();
  std::printf("%-29s %6.0e %8.2f %s %8.2f %s %8lld %8.1e %5d of %d\n", each.name, each.relative_gap, median,
              limit_text(each.median_limit, median).c_str(), worst, limit_text(each.worst_limit, worst).c_str(),
              static_cast<long long>(nodes), gap, closed, each.seeds);
  std::fflush(stdout);
}

/// A general solver's time, and what its answer is worth.
struct peer_answer {
  double milliseconds = 0;
  bool stopped = false;  // By its time limit.
  std::string worth = {};
};

/// Its choices' objective beside ours, summed exactly: a solver's own sums are rounded.
[[maybe_unused]] std::string worth_of(const allocation_problem& problem, const std::vector<std::size_t>& choice,
                                      double objective) {
  if (choice.size() != problem.layers.size()) return "nothing found";
  double sum = 0;
  std::vector<std::int64_t> used(problem.budgets.size());
  for (std::size_t layer = 0; layer < choice.size(); ++layer) {
    const candidate& taken = problem.layers[layer].candidates[choice[layer]];
    sum += taken.omega;
    for (std::size_t m = 0; m < used.size(); ++m) used[m] += taken.costs[m];
  }
  for (std::size_t m = 0; m < used.size(); ++m)
    if (used[m] > problem.budgets[m].limit) return "over a budget";
  if (sum == objective) return "optimum";
  char text[40];
  std::snprintf(text, sizeof text, "+%.1e", sum / objective - 1);
  return text;
}

[[maybe_unused]] void print(const char* name, const peer_answer& answer) {
  std::printf("   %s %s%9.1f %-13s", name, answer.stopped ? ">" : " ", answer.milliseconds, answer.worth.c_str());
}

void compare(const char* name, const allocation_problem& problem, std::uint64_t seed, [[maybe_unused]] int seconds) {
  allocation best;
  std::vector<double> times;
  for (int run = 0; run < 5; ++run) times.push_back(milliseconds_of([&] { best = allocate(problem); }));
  std::ranges::sort(times);
  std::printf("%-29s %4d %8.2f", name, static_cast<int>(seed), times[2]);
  std::vector<peer_answer> answers;
#ifdef BITWRIGHT_WITH_GLPK
  reference::glpk_result glpk;
  answers.push_back(
      {.milliseconds = milliseconds_of([&] { glpk = reference::solve_with_glpk(problem, 1000 * seconds); })});
  answers.back().stopped = !glpk.optimal;
  answers.back().worth = worth_of(problem, glpk.choice, best.objective);
  print("GLPK", answers.back());
#endif
#ifdef BITWRIGHT_WITH_CBC
  reference::cbc_result cbc;
  answers.push_back({.milliseconds = milliseconds_of([&] { cbc = reference::solve_with_cbc(problem, seconds); })});
  answers.back().stopped = !cbc.optimal;
  answers.back().worth = worth_of(problem, cbc.choice, best.objective);
  print("CBC", answers.back());
#endif
  if (!answers.empty()) {
    const peer_answer& faster = std::ranges::min(answers, {}, &peer_answer::milliseconds);
    std::printf(" %s%8.0f x", faster.stopped ? ">" : " ", faster.milliseconds / times[2]);
  }
  std::putchar('\n');
  std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) {
  const int seconds = argument_count > 1 ? std::max(1, std::atoi(arguments[1])) : 20;
  std::printf("%-29s %6s %8s %10s %8s %10s %8s %8s %s\n", "layers x candidates x budgets", "to gap", "median",
              "limit ms", "worst", "limit ms", "nodes", "gap left", "   closed");
  for (const family& each : families()) measure(each);
#if defined(BITWRIGHT_WITH_GLPK) || defined(BITWRIGHT_WITH_CBC)
  std::printf("\n%-29s %4s %8s   general solvers: ms, and their objectives beside the optimum; the faster one / ours\n",
              "to gap 0", "seed", "ms");
#endif
  struct realistic {
    const char* name;
    make_problem make;
    std::uint64_t seeds;
  };
  for (const realistic& each : std::vector<realistic>{
           {"network 200x8x3", [](auto seed) { return network(200, 8, 3, seed); }, 5},
           {"network 1000x8x3", [](auto seed) { return network(1000, 8, 3, seed); }, 3},
           {"network 10000x8x3", [](auto seed) { return network(10000, 8, 3, seed); }, 1},
           {"transformer 224x8x3", [](auto seed) { return transformer(32, 8, 3, false, seed); }, 1},
           {"  its blocks all equal", [](auto seed) { return transformer(32, 8, 3, true, seed); }, 1},
           {"transformer 224x4x1", [](auto seed) { return transformer(32, 4, 1, false, seed); }, 3},
           {"  its blocks all equal", [](auto seed) { return transformer(32, 4, 1, true, seed); }, 3},
           {"equal sizes 1000x8x3", [](auto seed) { return equal_sizes(1000, 8, 3, seed); }, 3},
           {"equal layers 1000x8x3", [](auto seed) { return equal_layers(1000, 8, 3, seed); }, 1},
       })
    for (std::uint64_t seed = 0; seed < each.seeds; ++seed) compare(each.name, each.make(seed), seed, seconds);
}
