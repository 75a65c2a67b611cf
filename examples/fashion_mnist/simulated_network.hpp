// SPDX-License-Identifier: MIT
/// \file
/// The quantized network simulated in float, as quantization toolkits do: every weight and every output is rounded to
/// the value of a code, and all arithmetic between is float. What it computes is close to the integer network, not equal.
#pragma once

#include "folded_network.hpp"
#include "quantization.hpp"
#include <bitwright/core/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fashion_mnist {

class simulated_network {
 public:
  /// `codes` must outlive this.
  simulated_network(const folded_network& net, const quantization& codes);

  /// The outputs, [images][classes], for `pixels` in [0, 1].
  template <bitwright::executor Executor>
  std::vector<float> run(std::span<const float> pixels, Executor& pool) const {
    return forward(rounded_, pixels, pool, [this](std::size_t node, std::span<float> values) { round(node, values); });
  }

  /// The codes of every node's outputs for a few images: by node, [images][size][size][channels].
  std::vector<std::vector<std::int16_t>> node_codes(std::span<const float> pixels) const;

 private:
  void round(std::size_t node, std::span<float> values) const;

  folded_network rounded_;
  const quantization* codes_;
};

}  // namespace fashion_mnist
