// SPDX-License-Identifier: MIT
#include "speed.hpp"

#include "integer_network.hpp"
#include <bitwright/core/executor.hpp>
#include <bitwright/kernels/convolution.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <ctime>
#include <functional>
#include <memory>

namespace fashion_mnist {
namespace {

struct contestant {
  std::string name;
  std::function<void()> run;
  std::vector<double> seconds = {};
};

double processor_seconds_of(const contestant& one) {
  const std::clock_t start = std::clock();
  one.run();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::vector<contestant> contestants(const folded_network& net, const quantization& codes,
                                    std::span<const std::uint8_t> pixels, std::span<const float> values) {
  std::vector<contestant> all;
  for (const auto& path : bitwright::kernels::convolution_paths<std::uint8_t, std::uint8_t, bitwright::half_to_even>) {
    if (!path.available()) continue;
    const auto packed = std::make_shared<const integer_network>(net, codes, path.name);
    all.push_back({std::string(path.name), [packed, pixels] {
                     bitwright::serial_executor one_thread;
                     packed->run(pixels, one_thread);
                   }});
  }
  all.push_back({std::string("float, Eigen with ") + Eigen::SimdInstructionSetsInUse(), [&net, values] {
                   bitwright::serial_executor one_thread;
                   forward(net, values, one_thread);
                 }});
  return all;
}

}  // namespace

std::vector<speed> measure_speeds(const folded_network& net, const quantization& codes,
                                  std::span<const std::uint8_t> pixels) {
  const std::vector<float> values(pixels.begin(), pixels.end());  // Any values: none of the work depends on them.
  std::vector<contestant> all = contestants(net, codes, pixels, values);
  for (int round = 0; round < 7; ++round)
    for (contestant& each : all) each.seconds.push_back(processor_seconds_of(each));
  const double images =
      static_cast<double>(pixels.size()) / static_cast<double>(net.graph->input().outputs_per_image());
  std::vector<speed> speeds;
  for (contestant& each : all) {
    std::ranges::sort(each.seconds);
    speeds.push_back({each.name, images / std::max(1e-9, each.seconds[each.seconds.size() / 2])});
  }
  return speeds;
}

}  // namespace fashion_mnist
