// SPDX-License-Identifier: MIT
/// \file
/// Latencies measured on the machine at hand: of each layer at each bit width, whatever a callable runs there.
///
/// Other programs, changing clock rates and warm caches make single times useless. So every sample lasts long enough for
/// the clock, all callables take turns (what changes over time then changes for all of them), and of each one's samples the
/// median counts; the range of its middle half says how far to trust that.
///
/// ```cpp
/// const std::vector<float> values(1 << 16, 0.3f);
/// std::vector<std::int8_t> codes(values.size());
/// std::vector<latency_task> tasks;  // What a layer does at each bit width; here, quantize its input.
/// for (const int bits : {4, 8}) {
///   const auto input = uniform<dynamic_bits, std::int8_t>::symmetric({-1, 1}, bits);
///   tasks.push_back({.layer = "conv1", .weight_bits = bits, .run = [&, input] { input.quantize(values, codes); }});
/// }
/// const latency_table table = measure_latencies(tasks);
/// const std::int64_t cost = table.nanoseconds("conv1", 4, 8);  // For candidate::costs.
/// ```
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace bitwright {

/// A median time, and how far the middle half of the samples reaches: from the first quartile to the third.
struct latency {
  std::int64_t nanoseconds = 0;
  std::int64_t spread = 0;  ///< In nanoseconds.

  friend bool operator==(const latency&, const latency&) = default;
};

/// Latencies by layer and bit widths: measured here, or elsewhere and set by hand.
class latency_table {
 public:
  /// Sets a latency, of at least 0; one that was set before is replaced.
  void set(const std::string& layer, int weight_bits, int activation_bits, latency value) {
    require(value.nanoseconds >= 0, "latency_table::set: nanoseconds", value.nanoseconds, "at least 0");
    require(value.spread >= 0, "latency_table::set: spread", value.spread, "at least 0");
    entries_[{layer, weight_bits, activation_bits}] = value;
  }

  /// Throws invalid_argument where nothing was set.
  latency at(const std::string& layer, int weight_bits, int activation_bits) const {
    const auto found = entries_.find({layer, weight_bits, activation_bits});
    require(found != entries_.end(), "latency_table: layer", layer, "one that was measured with ", weight_bits,
            "-bit weights and ", activation_bits, "-bit activations");
    return found->second;
  }

  /// The median alone: a cost that a budget can add up. Throws as at() does.
  std::int64_t nanoseconds(const std::string& layer, int weight_bits, int activation_bits) const {
    return at(layer, weight_bits, activation_bits).nanoseconds;
  }

  std::size_t size() const { return entries_.size(); }

 private:
  std::map<std::tuple<std::string, int, int>, latency> entries_;
};

/// What to measure: `run` is the layer at these bits, once.
struct latency_task {
  std::string layer = {};
  int weight_bits = 8;
  int activation_bits = 8;
  std::function<void()> run = {};
};

/// How latencies are measured.
struct latency_measurement {
  int repetitions = 21;                           ///< Samples of each task, at least 1.
  std::int64_t least_sample_nanoseconds = 20000;  ///< A sample runs its task as often as it takes to last so long.
};

/// Median and spread of some samples, which are sorted: of an even number the lower of the two in the middle, and the
/// quartiles are medians of the halves. Throws invalid_argument for no samples.
inline latency summarize_latencies(std::span<std::int64_t> samples) {
  require(!samples.empty(), "summarize_latencies: samples.size()", samples.size(), "at least 1");
  std::ranges::sort(samples);
  const std::size_t last = samples.size() - 1;
  return {samples[last / 2], samples[last - last / 4] - samples[last / 4]};
}

/// Times one task after the other, round by round; a first round, which does not count, warms up and tells how many runs
/// make a sample. Latencies are nanoseconds a run, rounded to the nearest. `Clock` is a standard clock. Throws
/// invalid_argument for options out of range, a task without a callable, and two tasks of one layer and bit widths.
template <class Clock = std::chrono::steady_clock>
latency_table measure_latencies(std::span<const latency_task> tasks, const latency_measurement& how = {}) {
  require(how.repetitions >= 1, "measure_latencies: repetitions", how.repetitions, "at least 1");
  require(how.least_sample_nanoseconds >= 0 && how.least_sample_nanoseconds <= 1'000'000'000,
          "measure_latencies: least_sample_nanoseconds", how.least_sample_nanoseconds, "0 to 10^9");
  for (const latency_task& task : tasks)
    require(static_cast<bool>(task.run), "measure_latencies: run of layer", task.layer, "a callable");

  const auto time = [](const latency_task& task, std::int64_t runs) {
    const auto start = Clock::now();
    for (std::int64_t i = 0; i < runs; ++i) task.run();
    return static_cast<std::int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  };
  std::vector<std::int64_t> runs;
  for (const latency_task& task : tasks) {
    std::int64_t count = 1;
    while (time(task, count) < how.least_sample_nanoseconds && count < 1 << 20) count *= 2;
    runs.push_back(count);
  }
  std::vector<std::vector<std::int64_t>> samples(tasks.size());
  for (int round = 0; round < how.repetitions; ++round)
    for (std::size_t i = 0; i < tasks.size(); ++i)
      samples[i].push_back((time(tasks[i], runs[i]) + runs[i] / 2) / runs[i]);

  latency_table table;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    table.set(tasks[i].layer, tasks[i].weight_bits, tasks[i].activation_bits, summarize_latencies(samples[i]));
  require(table.size() == tasks.size(), "measure_latencies: different layers and bit widths", table.size(),
          "as many as tasks: ", tasks.size());
  return table;
}

/// One callable's latency, measured alone.
template <class Clock = std::chrono::steady_clock>
latency measure_latency(const std::invocable auto& run, const latency_measurement& how = {}) {
  const latency_task task{.run = [&run] { run(); }};
  return measure_latencies<Clock>(std::span(&task, 1), how).at("", 8, 8);
}

}  // namespace bitwright
