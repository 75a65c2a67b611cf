// SPDX-License-Identifier: MIT
/// \file
/// What a layer costs at given bit widths, as integers that budgets add up: bytes, bit operations, energy, latency by the
/// roofline model. latency.hpp measures latencies instead.
///
/// ```cpp
/// const layer_work conv{.rows = 64, .row_weights = 576, .operations = 64 * 576 * 196, .inputs = 12544, .outputs = 12544};
/// const candidate choice{.weight_bits = 4, .activation_bits = 8,
///                        .costs = {weight_bytes(conv, 4), bit_operations(conv, 4, 8)}};
/// ```
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace bitwright {

/// How much a layer stores, computes and moves for one input.
struct layer_work {
  std::int64_t rows = 0;         ///< Output channels: rows of the weight matrix, each with scales of its own.
  std::int64_t row_weights = 0;  ///< Weights per row.
  std::int64_t operations = 0;   ///< Multiply-accumulates.
  std::int64_t inputs = 0;       ///< Activations read.
  std::int64_t outputs = 0;      ///< Activations written.

  std::int64_t weights() const { return rows * row_weights; }
};

/// How packed weights lie in memory.
struct weight_storage {
  std::int64_t group = 0;             ///< Weights that share a scale; 0: all of a row.
  std::int64_t scale_bytes = 4;       ///< Per group.
  std::int64_t zero_point_bytes = 0;  ///< Per group; 0 where weights are symmetric.
  std::int64_t row_alignment = 1;     ///< Bytes that a row's codes are padded to a multiple of.
};

/// Throws invalid_argument unless a layer's counts are at least 0 and its weights and operations below 2^53.
inline void check_layer_work(const layer_work& work) {
  for (const auto& [name, count] : {std::pair{"rows", work.rows},
                                    {"row_weights", work.row_weights},
                                    {"operations", work.operations},
                                    {"inputs", work.inputs},
                                    {"outputs", work.outputs}})
    require(count >= 0 && count <= std::int64_t{1} << 53, std::string("layer_work: ") + name, count, "0 to 2^53");
  require(static_cast<double>(work.rows) * static_cast<double>(work.row_weights) <= 0x1p53, "layer_work: weights",
          static_cast<double>(work.rows) * static_cast<double>(work.row_weights), "at most 2^53");
}

inline void check_bits(const char* function, const char* name, int bits) {
  require(bits >= 0 && bits <= 64, std::string(function) + ": " + name, bits, "0 to 64");
}

/// Bytes of a layer's codes, padding, scales and zero points. At 0 bits the layer is pruned and takes none.
inline std::int64_t weight_bytes(const layer_work& work, int bits, const weight_storage& storage = {}) {
  check_layer_work(work);
  check_bits("weight_bytes", "bits", bits);
  require(storage.group >= 0, "weight_bytes: storage.group", storage.group, "at least 0");
  require(storage.row_alignment >= 1 && storage.row_alignment <= 4096, "weight_bytes: storage.row_alignment",
          storage.row_alignment, "1 to 4096");
  require(storage.scale_bytes >= 0 && storage.scale_bytes <= 64, "weight_bytes: storage.scale_bytes",
          storage.scale_bytes, "0 to 64");
  require(storage.zero_point_bytes >= 0 && storage.zero_point_bytes <= 64, "weight_bytes: storage.zero_point_bytes",
          storage.zero_point_bytes, "0 to 64");
  if (bits == 0 || work.weights() == 0) return 0;
  const auto rounded_up = [](std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit; };
  const std::int64_t codes = rounded_up(work.row_weights * bits, 8);
  const std::int64_t padded = rounded_up(codes, storage.row_alignment) * storage.row_alignment;
  const std::int64_t groups = storage.group == 0 ? 1 : rounded_up(work.row_weights, storage.group);
  const std::int64_t row = padded + groups * (storage.scale_bytes + storage.zero_point_bytes);
  require(row <= (std::int64_t{1} << 62) / work.rows, "weight_bytes: bytes of a row", row,
          "less, so that all fit 2^62");
  return work.rows * row;
}

/// BOPS: multiply-accumulates times weight bits times activation bits. Source: HAWQ-V3 (Yao et al., ICML 2021).
inline std::int64_t bit_operations(const layer_work& work, int weight_bits, int activation_bits) {
  check_layer_work(work);
  check_bits("bit_operations", "weight_bits", weight_bits);
  check_bits("bit_operations", "activation_bits", activation_bits);
  const std::int64_t factor = std::int64_t{weight_bits} * activation_bits;
  require(factor == 0 || work.operations <= std::numeric_limits<std::int64_t>::max() / factor,
          "bit_operations: work.operations", work.operations, "less, so that bit operations fit 64 bits");
  return work.operations * factor;
}

/// What integer operations and memory take, in picojoules. Source: Horowitz, ISSCC 2014, at 45 nm.
struct energy_table {
  double multiply_8_bits = 0.2;  ///< Grows with the product of both operands' bits.
  double add_32_bits = 0.1;
  double buffer_32_bits = 5;    ///< A buffer of 8 KB on the chip: where activations come from.
  double memory_32_bits = 640;  ///< Memory off the chip: where weights come from, once per input.
};

/// Femtojoules for one input: every multiply-accumulate, weights read once from memory, activations from a buffer on chip.
inline std::int64_t energy(const layer_work& work, int weight_bits, int activation_bits,
                           const energy_table& table = {}) {
  check_layer_work(work);
  check_bits("energy", "weight_bits", weight_bits);
  check_bits("energy", "activation_bits", activation_bits);
  if (weight_bits == 0) return 0;
  const double multiply = table.multiply_8_bits * weight_bits * activation_bits / 64;
  const double compute = static_cast<double>(work.operations) * (multiply + table.add_32_bits);
  const double weights = static_cast<double>(work.weights()) * weight_bits / 32 * table.memory_32_bits;
  const double activations =
      static_cast<double>(work.inputs + work.outputs) * activation_bits / 32 * table.buffer_32_bits;
  const double femtojoules = 1000 * (compute + weights + activations);
  require(femtojoules >= 0 && femtojoules < 0x1p62, "energy: femtojoules", femtojoules, "0 to 2^62");
  return std::llround(femtojoules);
}

/// A machine that computes and moves data at the same time. Source: the roofline model (Williams et al., 2009).
struct roofline {
  double operations_per_second = 1e11;  ///< Multiply-accumulates of 8 by 8 bits.
  double bytes_per_second = 1e10;
  double overhead_seconds = 0;  ///< Per layer.
  /// From these bits on, fewer bits compute faster, in proportion to the larger operand; below them, no faster. 8: a machine
  /// without arithmetic below 8 bits, where fewer bits only move less.
  int least_arithmetic_bits = 8;
};

/// Nanoseconds for one input: the longer of computing and moving, and the overhead.
inline std::int64_t roofline_latency(const layer_work& work, int weight_bits, int activation_bits,
                                     const roofline& machine, const weight_storage& storage = {}) {
  check_bits("roofline_latency", "weight_bits", weight_bits);
  check_bits("roofline_latency", "activation_bits", activation_bits);
  require(machine.operations_per_second > 0 && machine.bytes_per_second > 0, "roofline_latency: rates",
          std::min(machine.operations_per_second, machine.bytes_per_second), "more than 0");
  const std::int64_t weights = weight_bytes(work, weight_bits, storage);
  if (weight_bits == 0) return 0;
  const int arithmetic_bits = std::max({weight_bits, activation_bits, machine.least_arithmetic_bits});
  const double compute = static_cast<double>(work.operations) * arithmetic_bits / 8 / machine.operations_per_second;
  const double moved =
      static_cast<double>(weights) + static_cast<double>(work.inputs + work.outputs) * activation_bits / 8;
  const double nanoseconds = 1e9 * (std::max(compute, moved / machine.bytes_per_second) + machine.overhead_seconds);
  require(nanoseconds >= 0 && nanoseconds < 0x1p62, "roofline_latency: nanoseconds", nanoseconds, "0 to 2^62");
  return std::llround(nanoseconds);
}

}  // namespace bitwright
