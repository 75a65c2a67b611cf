// SPDX-License-Identifier: MIT
/// \file
/// What every plan costs and keeps: as a table to read, as files for programs, as a plot.
#pragma once

#include <bitwright/mixed_precision/pareto.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace fashion_mnist {

/// One plan's costs and accuracies. Accuracies are fractions of the test images, in [0, 1].
struct plan_result {
  std::string plan;              ///< Its name, such as "W4A8".
  std::string scheme;            ///< "float", "uniform", "mixed", or another scheme of the weights.
  double mean_weight_bits = 0;   ///< Over all weights of all layers.
  std::int64_t size_bytes = 0;   ///< Weights packed at their bit widths, their scales, and the biases.
  std::int64_t bops = 0;         ///< Bit operations an image: weight bits x activation bits x multiply-accumulates.
  std::int64_t nanoseconds = 0;  ///< An image, one thread: the layers' measured latencies. Of plans alone, else 0.
  double omega = 0;              ///< What the allocator minimises. Of plans alone.
  double top1_float = 0;         ///< Of the float network that every plan comes from.
  double top1_integer = 0;       ///< In integers only.
  double top1_corrected = 0;  ///< In integers only, with biases that take back the shift of each layer's mean outputs.
  double images_per_second = 0;  ///< On one thread, of the integer network (of the float one in its own row).
};

/// A line of headings, and a line for each plan, aligned with them. Accuracies are shown in percent, and how many points
/// they are from `top1_of_8_bits`.
std::string table_heading();
std::string table_line(const plan_result& result, double top1_of_8_bits);

/// Writes report.csv and report.json into `directory`, and where gnuplot is installed accuracy.png and frontier.png, too.
/// `frontier` is the least Omega for each size in bytes. Returns whether the plots were drawn.
/// Throws bitwright::invalid_argument where a file cannot be written.
bool write_report(std::span<const plan_result> results, std::span<const bitwright::frontier_point> frontier,
                  const std::filesystem::path& directory);

}  // namespace fashion_mnist
