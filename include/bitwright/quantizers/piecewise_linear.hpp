// SPDX-License-Identifier: MIT
/// \file
/// Piecewise linear quantization: fine steps for the many small values, coarse ones for the few large.
///
/// Breakpoints 0 < p_1 < ... < p_k < m divide the magnitudes into k + 1 pieces, the same on both sides of 0. Every
/// piece has codes of b bits, a sign and a step j in [0, 2^(b-1)), at the levels
///
///     value = +-(offset_i + scale_i j)
///
///     disjoint:     offset_0 = p_1 / (2^b - 1)      scale_0 = 2 offset_0                         over [-p_1, p_1]
///                   offset_i = p_i                  scale_i = (p_(i+1) - p_i) / (2^(b-1) - 1)    over [p_i, p_(i+1)]
///     overlapping:  offset_i = p_(i+1) / (2^b - 1)  scale_i = 2 offset_i              over [-p_(i+1), p_(i+1)]
///
/// with p_(k+1) = m. Each value belongs to one piece, the one with p_i <= |value| < p_(i+1), and takes the nearest of
/// its levels: the error inside [-m, m] is at most scale_i / 2, that is p_1 / (2^b - 1) in the middle and, for disjoint
/// pieces, (p_(i+1) - p_i) / (2^b - 2) outside. No level lies outside [-m, m], and each has its opposite. 0 is not a
/// level: all 2^b levels of the middle are used, evenly spaced, so that the two nearest to 0 are +-offset_0.
///
/// A b-bit piece and the number of the piece make codes of b + 1 bits for one breakpoint and b + 2 for two or three.
/// Where papers write of b-bit piecewise linear weights, they mean b-bit operands of the multiplications.
///
/// What it is for: bell-shaped weights, whose few large values stretch a uniform grid. Papers count 2k + 1 accumulators,
/// one for each piece's steps and one for each offset beyond the middle's. Here k + 1 are enough: levels are shortened so
/// that a disjoint piece begins exactly with the last level of the piece within, whose steps its values count all, too; see
/// layers/summed_weights.hpp. What it is not for: values of even density, where a uniform grid of as many bits is better,
/// and weights where 0 must stay 0, such as pruned ones.
/// Source: Fang et al., "Post-Training Piecewise Linear Quantization for Deep Neural Networks" (ECCV 2020).
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/paths.hpp>
#include <bitwright/quantizers/piecewise_linear_paths.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace bitwright {

/// Where the levels of a piece lie: the magnitude of step j is offset + scale * j.
struct piece_grid {
  double offset;
  double scale;
};

/// A policy that places the levels of the piece that holds the magnitudes from `begin` to `end`, in codes of `bits`
/// bits, sign included. `width(begin, end)` is how much of the magnitudes 2^(bits-1) of its levels share: a piece's
/// expected squared error grows with the square of that. It is linear in both ends, and grows as fast as the end does.
template <class Policy>
concept piece_layout = requires(double begin, double end, int bits) {
  { Policy::grid(begin, end, bits) } -> std::same_as<piece_grid>;
  { Policy::width(begin, end) } -> std::same_as<double>;
};

/// A piece's levels lie between its ends. More levels where they are needed, an accumulator more for each offset.
struct disjoint_pieces {
  static constexpr piece_grid grid(double begin, double end, int bits) {
    if (begin == 0) return {end / ((1 << bits) - 1), 2 * end / ((1 << bits) - 1)};
    return {begin, (end - begin) / ((1 << (bits - 1)) - 1)};
  }
  static constexpr double width(double begin, double end) { return end - begin; }
};

/// A piece's levels go on inwards through all smaller pieces, so that a code is a plain odd integer times offset_i.
struct overlapping_pieces {
  static constexpr piece_grid grid(double, double end, int bits) {
    return {end / ((1 << bits) - 1), 2 * end / ((1 << bits) - 1)};
  }
  static constexpr double width(double, double end) { return end; }
};

static_assert(piece_layout<disjoint_pieces> && piece_layout<overlapping_pieces>);

/// A piece as a kernel needs it: which magnitudes have its codes, and what those are worth.
struct linear_piece {
  float begin;   ///< The least magnitude that belongs here; the next piece's begin, or `limit`, is the first beyond.
  float offset;  ///< The magnitude of step 0.
  float scale;   ///< Between steps. Of 17 significant bits, so that scale * step is exact as a float.

  friend bool operator==(const linear_piece&, const linear_piece&) = default;
};

/// What a code consists of.
struct linear_step {
  int piece;
  bool negative;
  int step;

  friend bool operator==(const linear_step&, const linear_step&) = default;
};

/// Codes of ceil(log2(pieces)) + b bits, at most 8: the piece's number in the highest, then the sign, then the step.
template <piece_layout Layout = disjoint_pieces>
class piecewise_linear {
 public:
  using code_type = std::uint8_t;
  using layout = Layout;
  static constexpr std::size_t maximum_breakpoints = 3;

  /// One to three breakpoints, b = `piece_bits`, m = `limit`. A limit of 0 makes every level 0.
  /// Throws invalid_argument unless 0 < p_1 < ... < p_k < limit <= 2^125, or all are 0, and unless b >= 2 and the codes
  /// have at most 8 bits.
  piecewise_linear(std::span<const float> breakpoints, float limit, int piece_bits)
      : pieces_(breakpoints.size() + 1), piece_bits_(piece_bits), limit_(limit) {
    require(breakpoints.size() >= 1 && breakpoints.size() <= maximum_breakpoints, "piecewise_linear: breakpoints",
            breakpoints, "one, two or three");
    require(piece_bits >= 2 && bits() <= 8, "piecewise_linear: piece_bits", piece_bits, "[2, ",
            8 - std::bit_width(breakpoints.size()), "]");
    require(limit >= 0 && limit <= 0x1p125f, "piecewise_linear: limit", limit, "[0, 2^125]");
    // Nothing is at or above the begin of a piece that is not there.
    begins_.fill(std::numeric_limits<float>::quiet_NaN());
    begins_[0] = 0;
    for (std::size_t i = 0; i < breakpoints.size(); ++i) {
      require(limit == 0 ? breakpoints[i] == 0 : breakpoints[i] > begins_[i] && breakpoints[i] < limit,
              "piecewise_linear: breakpoints", breakpoints, "strictly increasing between 0 and the limit, ", limit);
      begins_[i + 1] = breakpoints[i];
    }
    place();
  }

  /// Bits that number the codes.
  int bits() const { return piece_bits_ + static_cast<int>(std::bit_width(pieces_ - 1)); }
  int piece_bits() const { return piece_bits_; }

  /// Those of all pieces that are there.
  code_range codes() const { return {0, (static_cast<std::int32_t>(pieces_) << piece_bits_) - 1}; }

  /// m: what larger magnitudes are clipped to.
  float limit() const { return limit_; }

  /// k + 1.
  std::size_t pieces() const { return pieces_; }

  /// Piece `index` < pieces(), from the middle outwards.
  linear_piece piece(std::size_t index) const { return {begins_[index], offsets_.of(index), scales_.of(index)}; }

  /// What is added to every value; 0 unless the bias was corrected.
  float shift() const { return shift_; }

  /// What a code consists of: its value is shift() +- (offset + scale * step) of its piece.
  linear_step step_of(std::uint8_t code) const {
    return {code >> piece_bits_, (code >> (piece_bits_ - 1) & 1) != 0, code & ((1 << (piece_bits_ - 1)) - 1)};
  }

  /// The code of one value; ties go to the even step. NaN becomes the code 0, the positive level next to 0; an infinity
  /// becomes the outermost level.
  [[gnu::always_inline]] std::uint8_t quantize(float value) const {
    const float magnitude = std::abs(value);
    // All read before any choice, and no choice inside another one: then compilers make vectors of it.
    const auto begin_1 = begins_[1], begin_2 = begins_[2], begin_3 = begins_[3];
    const float offset_0 = grid_offsets_[0], offset_1 = grid_offsets_[1], offset_2 = grid_offsets_[2],
                offset_3 = grid_offsets_[3];
    const float inverse_0 = inverse_scales_[0], inverse_1 = inverse_scales_[1], inverse_2 = inverse_scales_[2],
                inverse_3 = inverse_scales_[3];
    const float last_step = last_step_, half = last_step + 1, codes_1 = 2 * half, codes_2 = 4 * half,
                codes_3 = 6 * half;
    float first = magnitude >= begin_1 ? codes_1 : 0.0f;  // The code of the piece's step 0.
    first = magnitude >= begin_2 ? codes_2 : first;
    first = magnitude >= begin_3 ? codes_3 : first;
    float offset = magnitude >= begin_1 ? offset_1 : offset_0;
    offset = magnitude >= begin_2 ? offset_2 : offset;
    offset = magnitude >= begin_3 ? offset_3 : offset;
    float inverse_scale = magnitude >= begin_1 ? inverse_1 : inverse_0;
    inverse_scale = magnitude >= begin_2 ? inverse_2 : inverse_scale;
    inverse_scale = magnitude >= begin_3 ? inverse_3 : inverse_scale;
    const float steps = std::nearbyint((magnitude - offset) * inverse_scale);
    const float raised = steps > 0.0f ? steps : 0.0f;  // NaN is not.
    const float step = raised < last_step ? raised : last_step;
    // All whole numbers, added as floats and converted once.
    return static_cast<std::uint8_t>(static_cast<std::int32_t>(first + (value < 0.0f ? half : 0.0f) + step));
  }

  /// The value of one code; that of a piece that is not there is worth shift().
  [[gnu::always_inline]] float dequantize(std::uint8_t code) const {
    const std::int32_t one = 1 << piece_bits_, step = code & (one / 2 - 1);
    const masks beyond{mask(code >= one), mask(code >= 2 * one), mask(code >= 3 * one)};
    const float offset = offsets_.at(beyond), scale = scales_.at(beyond);
    // The product is exact, so that it makes no difference whether a compiler fuses it with the sum.
    const float magnitude = offset + scale * static_cast<float>(step);
    const std::uint32_t sign = (code & sign_bit_) << (32 - piece_bits_);
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) ^ sign) + shift_;
  }

  /// The code of each value. Throws invalid_argument unless both spans have the same size.
  void quantize(std::span<const float> values, std::span<std::uint8_t> codes) const {
    quantize_each(*this, values, codes, "piecewise_linear");
  }

  /// The value of each code. Throws invalid_argument unless both spans have the same size.
  void dequantize(std::span<const std::uint8_t> codes, std::span<float> values) const {
    dequantize_each(*this, codes, values, "piecewise_linear");
  }

  /// The same codes for other levels: gain * level + shift, so that the dequantized `values` have the mean and the
  /// standard deviation that `values` have (but for the float arithmetic). The shift costs a kernel one more sum, that
  /// of its inputs. Values of one code have the gain 1, and an empty span changes nothing.
  piecewise_linear bias_corrected(std::span<const float> values) const {
    piecewise_linear corrected = *this;
    moments exact, quantized;
    for (const float value : values) {
      exact.add(value);
      quantized.add(dequantize(quantize(value)));
    }
    if (values.empty()) return corrected;
    const double gain = quantized.variance() > 0 ? std::sqrt(exact.variance() / quantized.variance()) : 1;
    grids wanted{};
    for (std::size_t i = 0; i < pieces_; ++i) wanted[i] = {gain * piece(i).offset, gain * piece(i).scale};
    corrected.set_levels(wanted);
    corrected.shift_ = static_cast<float>(exact.mean - gain * (quantized.mean - shift_));
    return corrected;
  }

 private:
  // Which pieces lie inside the value's own: all bits set, or none, for each piece but the middle.
  using masks = std::array<std::uint32_t, maximum_breakpoints>;
  [[gnu::always_inline]] static std::uint32_t mask(bool set) { return set ? ~std::uint32_t{0} : 0; }

  // A number for each piece. The choice by masks has no branch and reads all of them, which compilers turn into vectors
  // where they do not with conditions.
  class choice {
   public:
    choice() = default;
    choice(const std::array<float, maximum_breakpoints + 1>& numbers) {
      changes_[0] = std::bit_cast<std::uint32_t>(numbers[0]);
      for (std::size_t i = 1; i < numbers.size(); ++i)
        changes_[i] = std::bit_cast<std::uint32_t>(numbers[i]) ^ std::bit_cast<std::uint32_t>(numbers[i - 1]);
    }
    float of(std::size_t index) const {
      std::uint32_t number = 0;
      for (std::size_t i = 0; i <= index; ++i) number ^= changes_[i];
      return std::bit_cast<float>(number);
    }
    [[gnu::always_inline]] float at(const masks& beyond) const {
      return std::bit_cast<float>(changes_[0] ^ (changes_[1] & beyond[0]) ^ (changes_[2] & beyond[1]) ^
                                  (changes_[3] & beyond[2]));
    }

   private:
    std::array<std::uint32_t, maximum_breakpoints + 1> changes_{};
  };

  // Mean and variance of a stream, without cancellation. Source: Welford (Technometrics 4, 1962).
  struct moments {
    double count = 0, mean = 0, squares = 0;
    void add(double value) {
      count += 1;
      const double from_old = value - mean;
      mean += from_old / count;
      squares += from_old * (value - mean);
    }
    double variance() const { return squares / count; }
  };

  // The greatest float that is not above the number.
  static float rounded_down(double number) {
    const auto rounded = static_cast<float>(number);
    return rounded > number ? std::nextafter(rounded, 0.0f) : rounded;
  }

  // The greatest float of 17 significant bits that is not above the scale: times a step of at most 7 bits, it is exact,
  // and no level leaves its piece. Bits that no float of the size of `reach` has are dropped, too, where 9 are left, so
  // that the levels at which pieces meet are sums without a rounding.
  static float shortened(double scale, double reach) {
    if (scale <= 0) return 0;
    const int last = std::ilogb(scale) - 16, common = std::min(std::ilogb(reach) - 23 + 1, last + 8);
    const double unit = std::ldexp(1.0, std::max({last, common, -148}));
    return rounded_down(std::floor(scale / unit) * unit);
  }

  using grids = std::array<piece_grid, maximum_breakpoints + 1>;

  void place() {
    sign_bit_ = std::uint32_t{1} << (piece_bits_ - 1);
    last_step_ = static_cast<float>(sign_bit_ - 1);
    grids wanted{};
    for (std::size_t i = 0; i < pieces_; ++i)
      wanted[i] = Layout::grid(begins_[i], i + 1 < pieces_ ? begins_[i + 1] : limit_, piece_bits_);
    set_levels(wanted);
    for (std::size_t i = 0; i < pieces_; ++i) {
      grid_offsets_[i] = piece(i).offset;
      // Steps of denormals have no finite inverse: they are taken for as long as the least normal number.
      inverse_scales_[i] = 1 / std::max(piece(i).scale, std::numeric_limits<float>::min());
    }
  }

  // Shortens the scales, and keeps what kernels save an accumulator by: an offset of half a step stays half of the
  // shortened one, and one that is the last level of the piece within stays that level, which its scale makes up for.
  void set_levels(const grids& wanted) {
    std::array<float, maximum_breakpoints + 1> offsets{}, scales{};
    const auto last_level = [this](const piece_grid& grid) { return grid.offset + grid.scale * last_step_; };
    const auto same = [](double a, double b) { return std::abs(a - b) <= 0x1p-40 * b; };
    const double reach = last_level(wanted[pieces_ - 1]);
    for (std::size_t i = 0; i < pieces_; ++i) {
      const piece_grid inner = i == 0 ? piece_grid{} : piece_grid{offsets[i - 1], scales[i - 1]};
      offsets[i] = rounded_down(wanted[i].offset);
      if (i > 0 && same(last_level(wanted[i - 1]), wanted[i].offset)) offsets[i] = rounded_down(last_level(inner));
      scales[i] = shortened((last_level(wanted[i]) - offsets[i]) / last_step_, reach);
      if (!same(2 * wanted[i].offset, wanted[i].scale)) continue;
      scales[i] = shortened(wanted[i].scale, reach);
      offsets[i] = scales[i] / 2;
    }
    offsets_ = offsets;
    scales_ = scales;
  }

  std::array<float, maximum_breakpoints + 1> begins_{}, grid_offsets_{}, inverse_scales_{};
  choice offsets_, scales_;
  std::size_t pieces_;
  std::int32_t piece_bits_;
  std::uint32_t sign_bit_ = 1;
  float limit_, last_step_ = 0, shift_ = 0;
};

static_assert(quantizer<piecewise_linear<>> && quantizer<piecewise_linear<overlapping_pieces>>);

}  // namespace bitwright
