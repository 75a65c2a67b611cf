// SPDX-License-Identifier: MIT
/// \file
/// Contestants that do the same work in turns, A B C A B C ..., so that a clock that drifts and programs beside this one
/// meet all of them alike. What is compared is paired within each round.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace bitwright::benchmarks {

/// Somebody's way to do a piece of work.
struct contestant {
  std::string name;                                       ///< "bitwright", "oneDNN", ..., or "limit".
  std::string path;                                       ///< The instruction set or implementation that is measured.
  std::function<void()> run;                              ///< Does the work once.
  double work;                                            ///< Operations or bytes of one run.
  std::function<std::vector<std::uint8_t>()> codes = {};  ///< What the last run gave, where it is to be compared.
  std::vector<double> rates = {};                         ///< 1e9 of work a second, one for each round.
};

/// Processor seconds of this thread: what others do on the machine does not count.
inline double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline double seconds_of(const contestant& one, std::size_t runs) {
  const double start = thread_seconds();
  for (std::size_t i = 0; i < runs; ++i) one.run();
  return thread_seconds() - start;
}

/// Slices of about a millisecond, for `seconds` in all and 3 rounds at least. A run before each slice warms the caches,
/// but for work that takes so long that it does so itself.
inline void hold(std::vector<contestant>& all, double seconds) {
  std::vector<std::size_t> runs;
  std::vector<bool> is_long;
  for (const contestant& one : all) {
    const double first = seconds_of(one, 1);
    is_long.push_back(first > 0.05);
    const double once = is_long.back() ? first : seconds_of(one, 1);
    runs.push_back(1 + static_cast<std::size_t>(0.001 / std::max(1e-8, once)));
  }
  const double start = thread_seconds();
  for (std::size_t round = 0; round < 3 || thread_seconds() - start < seconds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!is_long[i]) all[i].run();
      all[i].rates.push_back(all[i].work * static_cast<double>(runs[i]) / seconds_of(all[i], runs[i]) / 1e9);
    }
}

inline double quantile(std::vector<double> values, double part) {
  const auto position = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), position, values.end());
  return *position;
}

/// The middle of a ratio and of its halves, over the rounds.
struct ratio_of_rounds {
  double median, lower_quartile, upper_quartile;

  ratio_of_rounds(const contestant& one, const contestant& other) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < one.rates.size(); ++round)
      ratios.push_back(one.rates[round] / other.rates[round]);
    median = quantile(ratios, 0.5), lower_quartile = quantile(ratios, 0.25), upper_quartile = quantile(ratios, 0.75);
  }
};

}  // namespace bitwright::benchmarks
