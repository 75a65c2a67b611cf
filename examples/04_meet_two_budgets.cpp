// SPDX-License-Identifier: MIT
// Choose each layer's bits under a size and a latency budget at once, and learn why budgets cannot be met.
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/allocator.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

int main() {
  // A layer's Omega falls by about 4 with each bit; its costs grow with its bits.
  struct layer_facts {
    const char* name;
    double omega_at_8_bits;
    std::int64_t weights, nanoseconds_per_bit;
  };
  const layer_facts facts[] = {
      {"stem", 3e-4, 432, 700}, {"branch", 1e-5, 9216, 900}, {"shortcut", 2e-5, 1024, 100}, {"classes", 6e-5, 640, 10}};
  bitwright::allocation_problem problem{.budgets = {{.name = "bytes"}, {.name = "nanoseconds"}}};
  for (const layer_facts& layer : facts) {
    problem.layers.push_back({.name = layer.name});
    double omega = layer.omega_at_8_bits;
    for (int bits = 8; bits >= 2; --bits, omega *= 4)
      problem.layers.back().candidates.push_back(
          {.weight_bits = bits,
           .omega = omega,
           .costs = {(layer.weights * bits + 7) / 8, layer.nanoseconds_per_bit * bits}});
  }
  problem.ties = {{1, 2}};  // Branch and shortcut are added: they take the same bits.

  for (const auto& [bytes, nanoseconds] : {std::pair{8000, 12000}, {5000, 9000}, {2000, 9000}}) {
    problem.budgets[0].limit = bytes;
    problem.budgets[1].limit = nanoseconds;
    const bitwright::allocation best = bitwright::allocate(problem);
    std::printf("%d bytes and %d ns: %s", bytes, nanoseconds, std::string(name_of(best.status)).c_str());
    for (std::size_t layer = 0; layer < best.choice.size(); ++layer)
      std::printf(", %s %d bits", problem.layers[layer].name.c_str(),
                  problem.layers[layer].candidates[best.choice[layer]].weight_bits);
    for (const bitwright::unmet_budget& unmet : best.unmet)
      std::printf(", at least %lld %s are needed", static_cast<long long>(unmet.least),
                  problem.budgets[unmet.budget].name.c_str());
    std::printf("\n");
  }
}
