// SPDX-License-Identifier: MIT
#include "speed.hpp"

#include <bitwright/core/executor.hpp>
#include <bitwright/kernels/convolution.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <ctime>
#include <functional>
#include <memory>
#include <utility>

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

contestant integer_pass(std::string name, const integer_network& packed, std::span<const std::uint8_t> pixels) {
  return {std::move(name), [&packed, pixels] {
            bitwright::serial_executor one_thread;
            packed.run(pixels, one_thread);
          }};
}

contestant float_pass(const folded_network& net, std::span<const float> values) {
  return {std::string("float, Eigen with ") + Eigen::SimdInstructionSetsInUse(), [&net, values] {
            bitwright::serial_executor one_thread;
            forward(net, values, one_thread);
          }};
}

/// Images a second of each, all taking turns.
std::vector<speed> take_turns(std::vector<contestant> all, double images) {
  for (int round = 0; round < 7; ++round)
    for (contestant& each : all) each.seconds.push_back(processor_seconds_of(each));
  std::vector<speed> speeds;
  for (contestant& each : all) {
    std::ranges::sort(each.seconds);
    speeds.push_back({each.name, images / std::max(1e-9, each.seconds[each.seconds.size() / 2])});
  }
  return speeds;
}

/// Any values do: none of the work depends on them.
std::vector<float> any_values(std::span<const std::uint8_t> pixels) { return {pixels.begin(), pixels.end()}; }

double images_of(const folded_network& net, std::span<const std::uint8_t> pixels) {
  return static_cast<double>(pixels.size()) / static_cast<double>(net.graph->input().outputs_per_image());
}

}  // namespace

std::vector<speed> measure_speeds(const folded_network& net, const quantization& codes,
                                  std::span<const std::uint8_t> pixels) {
  const std::vector<float> values = any_values(pixels);
  std::vector<std::unique_ptr<const integer_network>> networks;
  std::vector<contestant> all;
  for (const auto& path : bitwright::kernels::convolution_paths<std::uint8_t, std::uint8_t, bitwright::half_to_even>) {
    if (!path.available()) continue;
    networks.push_back(std::make_unique<const integer_network>(net, codes, path.name));
    all.push_back(integer_pass(std::string(path.name), *networks.back(), pixels));
  }
  all.push_back(float_pass(net, values));
  return take_turns(std::move(all), images_of(net, pixels));
}

std::vector<double> measure_speeds(std::span<const integer_network> networks, const folded_network& net,
                                   std::span<const std::uint8_t> pixels) {
  const std::vector<float> values = any_values(pixels);
  std::vector<contestant> all;
  for (const integer_network& packed : networks) all.push_back(integer_pass({}, packed, pixels));
  all.push_back(float_pass(net, values));
  std::vector<double> images_per_second;
  for (const speed& each : take_turns(std::move(all), images_of(net, pixels)))
    images_per_second.push_back(each.images_per_second);
  return images_per_second;
}

}  // namespace fashion_mnist
