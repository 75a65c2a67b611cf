// SPDX-License-Identifier: MIT
/// \file
/// How many images a second the network takes, in integers on each path and in floats.
#pragma once

#include "folded_network.hpp"
#include "integer_network.hpp"
#include "quantization.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fashion_mnist {

/// One way to run the network.
struct speed {
  std::string name;          ///< A path's, or that of the float pass and its instruction set.
  double images_per_second;  ///< Of one thread's processor time: the median over rounds in which all take turns.
};

/// Measures every path that this processor can run, best first, and the float pass last. `pixels` is
/// [images][28][28]; a few dozen images will do.
std::vector<speed> measure_speeds(const folded_network& net, const quantization& codes,
                                  std::span<const std::uint8_t> pixels);

/// The same for networks on their best paths, and for the float pass last.
std::vector<double> measure_speeds(std::span<const integer_network> networks, const folded_network& net,
                                   std::span<const std::uint8_t> pixels);

}  // namespace fashion_mnist
