// SPDX-License-Identifier: MIT
/// \file
/// Learned bases of signs: a value as a few numbers, each added or subtracted.
///
///     value = sum_i v_i e_i,   e_i in {-1, 1},   i < K
///
/// The 2^K levels are no free choice, as those of a codebook are, but a product with +-1 vectors is a population count
/// for each of the K bits of both sides. The basis v is fitted to given values by two steps in turn, neither of which
/// raises the squared error:
///
///     every value takes the signs e of its nearest level;   v = argmin sum_n (x_n - v e_n)^2
///
/// The second is a least-squares problem in K unknowns. Where the signs leave it open (a bit that follows another one),
/// v moves no further than it has to.
///
/// What it is for: 1 to 4 bits for both operands, with bitwise kernels. What it is not for: the smallest error at given
/// bits; a codebook of 2^K levels has a smaller one. With K = 1, v is the mean magnitude, the best single scale of
/// signs.
/// Source: Zhang et al., "LQ-Nets" (ECCV 2018), section 3 (its moving average over batches belongs to training).
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/level_paths.hpp>
#include <bitwright/quantizers/levels.hpp>
#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// Codes of K bits number the levels in order; signs() says what a code means in bits.
class learned_bases {
 public:
  using code_type = std::uint8_t;
  static constexpr std::size_t maximum_bits = 4;

  /// v itself, of 1 to 4 numbers. A negative one stands for its opposite: the levels are the same.
  /// Throws invalid_argument for another number of them, or levels that are not finite.
  explicit learned_bases(std::span<const float> basis) : learned_bases(levels_of(basis), basis) {}

  /// Fitted to `values`, by at most `iterations` repetitions of both steps: at first v_i = 0.6745 s 2^i / 2^(K-1), for
  /// values of which s is the root of the mean square. Ends where no value changes its level. No values, or all 0, have
  /// the basis 0.
  /// Throws invalid_argument unless 1 <= bits <= 4, and for values that are not finite or beyond 2^125.
  static learned_bases fit(std::span<const float> values, int bits, std::size_t iterations = 100);

  /// K.
  int bits() const { return bits_; }

  /// v, in rising order.
  std::span<const float> basis() const { return {basis_.data(), static_cast<std::size_t>(bits_)}; }

  /// One for each level.
  code_range codes() const { return {0, static_cast<std::int32_t>(levels_.size()) - 1}; }

  /// In the order of their codes: strictly increasing. Fewer than 2^K where signs coincide.
  std::span<const float> levels() const { return levels_.levels(); }
  const level_table<16>& table() const { return levels_; }

  /// Bit i says whether v_i is added (1) or subtracted (0).
  std::uint8_t signs(std::uint8_t code) const { return signs_[code & 15]; }

  /// The code of one value: that of the nearest level, ties as in level_table. NaN is taken for 0.
  [[gnu::always_inline]] std::uint8_t quantize(float value) const { return levels_.nearest(value); }

  /// The level of a code; a code that no level has stands for the highest one.
  [[gnu::always_inline]] float dequantize(std::uint8_t code) const {
    return levels_[static_cast<std::uint8_t>(code & 15)];
  }

  /// The code of each value. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::uint8_t> codes) const {
    quantize_each(*this, values, codes, "learned_bases");
  }

  /// The level of each code. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::uint8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "learned_bases");
  }

 private:
  // A level with the signs that make it.
  using signed_level = std::pair<float, std::uint8_t>;

  static std::vector<signed_level> levels_of(std::span<const float> basis) {
    require(basis.size() >= 1 && basis.size() <= maximum_bits, "learned_bases: basis", basis, "one to four numbers");
    std::vector<float> sorted(basis.begin(), basis.end());
    for (float& number : sorted) number = std::abs(number);
    std::ranges::sort(sorted);
    std::vector<signed_level> levels;
    for (unsigned signs = 0; signs < 1u << sorted.size(); ++signs) {
      double sum = 0;
      for (std::size_t i = 0; i < sorted.size(); ++i) sum += (signs >> i & 1) != 0 ? sorted[i] : -double{sorted[i]};
      levels.emplace_back(static_cast<float>(sum), static_cast<std::uint8_t>(signs));
    }
    std::ranges::stable_sort(levels, {}, &signed_level::first);
    const auto same = [](const signed_level& a, const signed_level& b) { return a.first == b.first; };
    levels.erase(std::unique(levels.begin(), levels.end(), same), levels.end());
    return levels;
  }

  static level_table<16> table_of(std::span<const signed_level> levels) {
    std::vector<float> values;
    for (const signed_level& level : levels) values.push_back(level.first);
    return level_table<16>(values);
  }

  learned_bases(std::span<const signed_level> levels, std::span<const float> basis)
      : levels_(table_of(levels)), bits_(static_cast<int>(basis.size())) {
    std::ranges::transform(basis, basis_.begin(), [](float number) { return std::abs(number); });
    std::sort(basis_.begin(), basis_.begin() + bits_);
    signs_.fill(levels.back().second);
    for (std::size_t i = 0; i < levels.size(); ++i) signs_[i] = levels[i].second;
  }

  level_table<16> levels_;
  std::array<float, maximum_bits> basis_{};
  std::array<std::uint8_t, 16> signs_{};
  int bits_;
};

static_assert(quantizer<learned_bases>);

/// The least-squares basis for values and the signs that they took, found from `basis` on: it moves by the least d that
/// solves (B B' + w I) d = B (x - B' v), where w is so small that it only decides what is open. So the error
/// |x - B' v|^2 never rises: v + d has the least |x - B' (v + d)|^2 + w |d|^2, which d = 0 is a candidate for.
class basis_equations {
 public:
  explicit basis_equations(std::span<const float> basis) : basis_(basis.begin(), basis.end()) {}

  void add(float value, std::uint8_t signs) {
    std::array<double, learned_bases::maximum_bits> e{};
    double rest = value;
    for (std::size_t i = 0; i < basis_.size(); ++i) {
      e[i] = (signs >> i & 1) != 0 ? 1 : -1;
      rest -= e[i] * basis_[i];
    }
    for (std::size_t i = 0; i < basis_.size(); ++i) {
      for (std::size_t j = 0; j < basis_.size(); ++j) matrix_[i][j] += e[i] * e[j];
      right_[i] += e[i] * rest;
    }
  }

  /// By Gaussian elimination; the matrix is positive definite, so that no pivot needs to be searched.
  std::vector<float> solve() const {
    const std::size_t size = basis_.size();
    auto matrix = matrix_;
    auto right = right_;
    const double weight = 1e-9 * (matrix[0][0] + 1);
    for (std::size_t i = 0; i < size; ++i) matrix[i][i] += weight;
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = i + 1; j < size; ++j) {
        const double factor = matrix[j][i] / matrix[i][i];
        for (std::size_t k = i; k < size; ++k) matrix[j][k] -= factor * matrix[i][k];
        right[j] -= factor * right[i];
      }
    std::vector<float> moved(size);
    for (std::size_t i = size; i-- > 0;) {
      for (std::size_t k = i + 1; k < size; ++k) right[i] -= matrix[i][k] * right[k];
      right[i] /= matrix[i][i];
      moved[i] = static_cast<float>(basis_[i] + right[i]);
    }
    return moved;
  }

 private:
  std::vector<double> basis_;
  std::array<std::array<double, learned_bases::maximum_bits>, learned_bases::maximum_bits> matrix_{};
  std::array<double, learned_bases::maximum_bits> right_{};
};

inline learned_bases learned_bases::fit(std::span<const float> values, int bits, std::size_t iterations) {
  require(bits >= 1 && bits <= static_cast<int>(maximum_bits), "learned_bases::fit: bits", bits, "[1, 4]");
  double energy = 0;
  for (const float value : values) {
    require(std::abs(value) <= 0x1p125f, "learned_bases::fit: values", value, "finite numbers of at most 2^125");
    energy += double{value} * value;
  }
  const double deviation = values.empty() ? 0 : std::sqrt(energy / static_cast<double>(values.size()));
  std::vector<float> basis(static_cast<std::size_t>(bits));
  for (int i = 0; i < bits; ++i)
    basis[static_cast<std::size_t>(i)] = static_cast<float>(0.6745 * deviation * std::exp2(i - (bits - 1)));
  std::vector<std::uint8_t> signs(values.size()), last;
  for (std::size_t iteration = 0; iteration < iterations; ++iteration) {
    const learned_bases now(basis);
    basis_equations equations(now.basis());
    for (std::size_t i = 0; i < values.size(); ++i) {
      signs[i] = now.signs(now.quantize(values[i]));
      equations.add(values[i], signs[i]);
    }
    if (signs == last) break;
    last = signs;
    basis = equations.solve();
  }
  return learned_bases(basis);
}

}  // namespace bitwright
