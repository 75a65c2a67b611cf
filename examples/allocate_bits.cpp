// SPDX-License-Identifier: MIT
// allocate_bits FILE: reads a bit allocation problem (`bitalloc 1`, or a small one of its own where no file is given) and
// prints the best allocation, an item a line. Exit code: 0 optimal, 1 malformed input, 2 infeasible, 3 a limit or a gap
// came first.
#include "write_whole.hpp"
#include <bitwright/mixed_precision/allocator.hpp>
#include <bitwright/mixed_precision/bitalloc.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace {

/// Three layers of 2, 4 or 8 bits, the last two with the same; size in kilobytes and time in microseconds.
const std::string small_problem = R"(bitalloc 1
name three layers
layers 3 resources 2
budget 100 70
layer 0 choices 3 tie -1 fixed -1
2 900 5 10
4 80 10 12
8 1 20 20
layer 1 choices 3 tie 0 fixed -1
2 400 15 10
4 40 30 16
8 2 60 28
layer 2 choices 3 tie 0 fixed -1
2 300 15 10
4 50 30 16
8 3 60 28
)";

bitwright::bitalloc_file read(const std::string& path) {
  if (path.empty()) {
    std::istringstream stream(small_problem);
    return bitwright::read_bitalloc(stream);
  }
  std::ifstream stream(path);
  if (!stream) bitwright::fail("allocate_bits: FILE", path, "a file that can be read");
  return bitwright::read_bitalloc(stream);
}

void print_unmet(const bitwright::allocation_problem& problem, const bitwright::allocation& result) {
  for (const bitwright::unmet_budget& unmet : result.unmet)
    std::fprintf(stderr, "%s cannot be met%s: limit %lld, least %s%lld\n",
                 bitwright::describe_budget(problem, unmet.budget).c_str(),
                 result.unmet.size() > 1 ? " with the others" : "", static_cast<long long>(unmet.limit),
                 unmet.least_is_proven ? "" : "at least ", static_cast<long long>(unmet.least));
}

void write_plan(const std::string& path, const bitwright::bitalloc_file& file, const bitwright::allocation& result) {
  nlohmann::ordered_json plan{{"name", file.name},
                              {"status", bitwright::name_of(result.status)},
                              {"objective", result.objective},
                              {"lower_bound", result.lower_bound},
                              {"layers", nlohmann::ordered_json::array()},
                              {"budgets", nlohmann::ordered_json::array()}};
  for (std::size_t layer = 0; layer < result.choice.size(); ++layer)
    plan["layers"].push_back(
        {{"name", file.problem.layers[layer].name},
         {"weight_bits", file.problem.layers[layer].candidates[result.choice[layer]].weight_bits}});
  for (std::size_t m = 0; m < result.used.size(); ++m)
    plan["budgets"].push_back({{"name", file.problem.budgets[m].name},
                               {"limit", file.problem.budgets[m].limit},
                               {"used", result.used[m]},
                               {"multiplier", result.multipliers[m]}});
  write_whole(path, plan.dump(2) + '\n');
}

int run(const std::string& path, const std::string& plan_path, const bitwright::allocator_options& options) {
  const bitwright::bitalloc_file file = read(path);
  const auto start = std::chrono::steady_clock::now();
  const bitwright::allocation result = bitwright::allocate(file.problem, options);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;

  std::cout << "status " << bitwright::name_of(result.status) << '\n';
  const bool found =
      result.choice.size() == file.problem.layers.size() && result.status != bitwright::allocation_status::infeasible;
  if (found) std::cout << "objective " << result.objective_units << '\n';
  if (result.status != bitwright::allocation_status::infeasible)
    std::cout << "lower_bound " << result.lower_bound_units << '\n';
  std::cout << "nodes " << result.nodes << "\nmilliseconds " << time.count() << '\n';
  if (found) {
    std::cout << "bits";
    for (std::size_t layer = 0; layer < result.choice.size(); ++layer)
      std::cout << ' ' << file.problem.layers[layer].candidates[result.choice[layer]].weight_bits;
    std::cout << '\n';
  }
  print_unmet(file.problem, result);
  if (!plan_path.empty()) write_plan(plan_path, file, result);
  if (result.status == bitwright::allocation_status::optimal) return 0;
  return result.status == bitwright::allocation_status::infeasible ? 2 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Gives every layer the bits with which the sum of omegas is least within all budgets.");
  std::string path, plan_path;
  bitwright::allocator_options options;
  app.add_option("FILE", path, "A problem in the format bitalloc 1; a small example where left out");
  app.add_option("--json", plan_path, "Write the plan to this file, too");
  app.add_option("--nodes", options.maximum_nodes, "Stop the search after so many nodes")->capture_default_str();
  app.add_option("--gap", options.relative_gap, "Stop at this relative gap")->capture_default_str();
  try {
    app.parse(argc, argv);
    return run(path, plan_path, options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
