// SPDX-License-Identifier: MIT
/// \file
/// A small dense Hessian whose last layer is dominant and coupled to the others, as in a trained network.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace reference {

/// 24 weights in layers of 6, 8 and 10. H = A + b b': A indefinite and of order 1, b of order 1 but 6 in the last
/// layer.
struct coupled_hessian {
  static constexpr std::size_t size = 24;
  inline static const std::vector<std::size_t> layers{6, 8, 10};

  static double entry(std::size_t i, std::size_t j) {
    const auto along = [](std::size_t k) { return (k < 14 ? 1 : 6) * std::sin(static_cast<double>(k + 1)); };
    const double symmetric = std::cos(static_cast<double>(3 * (i + j) + i * j)) / 4;
    return along(i) * along(j) + (i == j ? 0.5 * static_cast<double>(i % 5) - 0.6 : symmetric);
  }
  static double trace(std::size_t layer) {
    double sum = 0;
    const std::size_t first = layer == 0 ? 0 : layer == 1 ? 6 : 14;
    for (std::size_t i = first; i < first + layers[layer]; ++i) sum += entry(i, i);
    return sum;
  }
  void operator()(std::span<const double> direction, std::span<double> result) const {
    static const std::vector<double> matrix = [] {
      std::vector<double> entries;
      for (std::size_t i = 0; i < size * size; ++i) entries.push_back(entry(i / size, i % size));
      return entries;
    }();
    for (std::size_t i = 0; i < size; ++i) {
      result[i] = 0;
      for (std::size_t j = 0; j < size; ++j) result[i] += matrix[i * size + j] * direction[j];
    }
  }
};

}  // namespace reference
