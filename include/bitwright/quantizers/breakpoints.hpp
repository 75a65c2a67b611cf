// SPDX-License-Identifier: MIT
/// \file
/// Breakpoints for piecewise linear quantizers: in closed form, from the stationarity condition, or by search on data.
///
/// With p_0 = 0 < p_1 < ... < p_(k+1) = m and the distribution function F of the values, symmetric around 0, the
/// expected squared error is, in units that depend on the bits alone,
///
///     E = sum_i width_i^2 * 2 (F(p_(i+1)) - F(p_i))
///
/// where width_i = p_(i+1) - p_i for disjoint pieces and p_(i+1) for overlapping ones. A uniform quantizer with codes
/// of the bits of one piece has E = m^2 (2 F(m) - 1). For one breakpoint p and disjoint pieces, dE/dp = 0 reads
///
///     p - 2m + 2m F(p) + m f(p) (2p - m) = 0,   with F(m) taken as 1: what is clipped counts to the outermost piece
///
/// Source: Fang et al., "Post-Training Piecewise Linear Quantization for Deep Neural Networks" (ECCV 2020), sections 3
/// and 4.
#pragma once

#include <bitwright/core/distortion.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/piecewise_linear.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numbers>
#include <ranges>
#include <span>
#include <vector>

namespace bitwright {

/// Distributions around 0: the share of the values up to x >= 0, and the density there.
template <class Distribution>
concept symmetric_distribution = requires(const Distribution& d, double x) {
  { d.cumulative(x) } -> std::convertible_to<double>;
  { d.density(x) } -> std::convertible_to<double>;
};

struct gaussian {
  double sigma = 1;  ///< The standard deviation.
  double cumulative(double x) const { return 0.5 * std::erfc(-x / (sigma * std::numbers::sqrt2)); }
  double density(double x) const {
    return std::exp(-0.5 * (x / sigma) * (x / sigma)) * std::numbers::inv_sqrtpi / (sigma * std::numbers::sqrt2);
  }
};

struct laplacian {
  double sigma = 1;  ///< The standard deviation: sqrt(2) times the mean magnitude.
  double cumulative(double x) const { return 1 - 0.5 * std::exp(-std::numbers::sqrt2 * x / sigma); }
  double density(double x) const { return std::exp(-std::numbers::sqrt2 * x / sigma) / (sigma * std::numbers::sqrt2); }
};

static_assert(symmetric_distribution<gaussian> && symmetric_distribution<laplacian>);

/// The published fit to the best breakpoint of disjoint pieces, p / sigma = ln(0.86143114 m / sigma + 0.607901097): for
/// limits m of 3 to 10 sigma within 0.013 sigma of it.
/// Throws invalid_argument unless 1 <= limit / sigma <= 2^20.
inline double closed_form_breakpoint(gaussian values, double limit) {
  const double ratio = limit / values.sigma;
  require(ratio >= 1 && ratio <= 0x1p20, "closed_form_breakpoint: limit / sigma", ratio, "[1, 2^20]");
  return values.sigma * std::log(0.86143114 * ratio + 0.607901097);
}

/// The published fit for Laplacian values, p / sigma = 0.80304483 sqrt(m / sigma) - 0.316678551.
/// Throws invalid_argument unless 1 <= limit / sigma <= 2^20.
inline double closed_form_breakpoint(laplacian values, double limit) {
  const double ratio = limit / values.sigma;
  require(ratio >= 1 && ratio <= 0x1p20, "closed_form_breakpoint: limit / sigma", ratio, "[1, 2^20]");
  return values.sigma * (0.80304483 * std::sqrt(ratio) - 0.316678551);
}

/// E beside that of a uniform quantizer with codes of the bits of one piece, in the limit of many bits; for the values
/// that lie inside [-limit, limit].
template <piece_layout Layout = disjoint_pieces>
double error_ratio(const symmetric_distribution auto& values, std::span<const double> breakpoints, double limit) {
  double error = 0, begin = 0;
  for (std::size_t i = 0; i <= breakpoints.size(); ++i) {
    const double end = i == breakpoints.size() ? limit : breakpoints[i], width = Layout::width(begin, end);
    error += width * width * 2 * (values.cumulative(end) - values.cumulative(begin));
    begin = end;
  }
  return error / (limit * limit * (2 * values.cumulative(limit) - 1));
}

/// Where E, with F(m) = 1, is stationary in each of `count` breakpoints: one after the other by bisection, again and
/// again until none moves by more than 2^-40 of the limit.
/// Throws invalid_argument unless count is 1 to 3 and limit is positive and finite.
template <piece_layout Layout = disjoint_pieces>
std::vector<double> stationary_breakpoints(const symmetric_distribution auto& values, double limit,
                                           std::size_t count = 1) {
  require(count >= 1 && count <= 3, "stationary_breakpoints: count", count, "[1, 3]");
  require(limit > 0 && std::isfinite(limit), "stationary_breakpoints: limit", limit, "a positive number");
  std::vector<double> points(count + 2);  // With both ends.
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = limit * static_cast<double>(i) / static_cast<double>(count + 1);
  // dE/dp at points[i] = p, from the pieces on both sides. A piece's width grows with its end as fast as that does.
  const auto slope = [&](std::size_t i, double p) {
    const double before = points[i - 1], after = points[i + 1], total = i == count ? 1 : values.cumulative(after);
    const double inner = Layout::width(before, p), outer = Layout::width(p, after);
    constexpr double outer_slope = Layout::width(1, 1) - Layout::width(0, 1);
    return 2 * inner * (values.cumulative(p) - values.cumulative(before)) +
           2 * outer * outer_slope * (total - values.cumulative(p)) +
           (inner * inner - outer * outer) * values.density(p);
  };
  double moved = limit;
  for (int round = 0; round < 1000 && moved > limit * 0x1p-40; ++round) {
    moved = 0;
    for (std::size_t i = 1; i <= count; ++i) {
      double low = points[i - 1], high = points[i + 1];  // E falls at the one and rises at the other.
      for (int halving = 0; halving < 60; ++halving) {
        const double middle = low + (high - low) / 2;
        (slope(i, middle) < 0 ? low : high) = middle;
      }
      moved = std::max(moved, std::abs(points[i] - low));
      points[i] = low;
    }
  }
  return {points.begin() + 1, points.end() - 1};
}

/// The quantizer with `count` breakpoints of least measured squared error over `values`: they are tried at tenths of
/// the limit, in all combinations; then one after the other in hundredths within a tenth of where it was, and in
/// thousandths within a hundredth. The limit is max|value| where that is less than `clip`, which with few bits pays to
/// be lower. Limits below 2^-100 count as 0, as that of no values.
/// Throws invalid_argument for values that are not finite or beyond 2^125, and unless count is 1 to 3, clip is positive
/// and `piece_bits` suits piecewise_linear.
template <piece_layout Layout = disjoint_pieces>
piecewise_linear<Layout> search_breakpoints(std::span<const float> values, int piece_bits, std::size_t count = 1,
                                            float clip = std::numeric_limits<float>::infinity()) {
  require(count >= 1 && count <= 3, "search_breakpoints: count", count, "[1, 3]");
  require(clip > 0, "search_breakpoints: clip", clip, "a positive number");
  const float most = values.empty() ? 0 : std::min(clip, range_of(values).limit()), limit = most < 0x1p-100f ? 0 : most;
  constexpr int whole = 1000;  // The limit, in thousandths of itself.
  const auto made_of = [&](std::span<const int> points) {
    std::array<float, 3> breakpoints{};
    for (std::size_t i = 0; i < count; ++i) breakpoints[i] = static_cast<float>(double{limit} * points[i] / whole);
    return piecewise_linear<Layout>(std::span(breakpoints).first(count), limit, piece_bits);
  };
  std::vector<std::uint8_t> codes(values.size());
  std::vector<float> restored(values.size());
  std::vector<int> best;
  double least = std::numeric_limits<double>::infinity();
  const auto attempt = [&](const std::vector<int>& points) {
    if (std::ranges::adjacent_find(points, std::greater_equal()) != points.end()) return;
    if (points.front() <= 0 || points.back() >= whole) return;
    const piecewise_linear<Layout> q = made_of(points);
    q.quantize(values, codes);
    q.dequantize(codes, restored);
    if (const double error = measure_distortion(values, restored).squared_error; error < least) {
      least = error;
      best = points;
    }
  };
  for (unsigned chosen = 0; chosen < 1u << 9; ++chosen) {  // Bit i says whether (i + 1) / 10 is a breakpoint.
    if (std::popcount(chosen) != static_cast<int>(count)) continue;
    std::vector<int> points;
    for (int tenth = 1; tenth < 10; ++tenth)
      if ((chosen >> (tenth - 1) & 1) != 0) points.push_back(tenth * whole / 10);
    attempt(points);
  }
  for (const int step : {whole / 100, whole / 1000})
    for (std::size_t i = 0; i < count; ++i)
      for (const std::vector<int> centre = best; const int away : std::views::iota(-10, 11)) {
        std::vector<int> points = centre;
        points[i] += away * step;
        attempt(points);
      }
  return made_of(best);
}

}  // namespace bitwright
