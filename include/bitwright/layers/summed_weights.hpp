// SPDX-License-Identifier: MIT
/// \file
/// Weights that are sums of a few integers, each with a scale of its own: what no single grid of 8 bits holds exactly.
///
///     weight[n][k] = sum_r scale_r[n] * level_r[n][k]
///
/// A layer makes an accumulator for each summand r and requantizes them jointly: summed_linear, summed_convolution. Each
/// summand has few levels and is packed narrow by itself.
///
/// Piecewise linear weights with k breakpoints have k + 1 summands. Where a disjoint piece begins with the last level of
/// the piece within, a weight beyond it counts that piece's last step and goes on with its own: with codes of 4 bits a
/// piece and one breakpoint, +-(2 j + 1) with j = 7 outside, and +-j. So the first summand has 16 levels, none of them 0,
/// the other ones 15. Any other offset is a summand of its own, of signs, as in the paper's 2k + 1.
/// Source of the accumulators for each piece: Fang et al. (ECCV 2020), section 5.
///
/// Learned bases have a summand of signs for each bit: Zhang et al., "LQ-Nets" (ECCV 2018).
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/quantizers/learned_bases.hpp>
#include <bitwright/quantizers/piecewise_linear.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// One integer of each weight.
struct weight_summand {
  tensor<std::int8_t> levels;  ///< Output channels in dimension 0.
  std::vector<float> scales;   ///< One for each output channel; 0 where the channel has no such summand.
};

/// At least one summand, all of one shape.
struct summed_weights {
  std::vector<weight_summand> summands;
};

/// How piecewise linear values become sums: for each piece the summand of its steps, and what its offset is.
template <class Layout>
class piece_summands {
 public:
  explicit piece_summands(const piecewise_linear<Layout>& q) : q_(q), last_step_((1 << (q.piece_bits() - 1)) - 1) {
    for (std::size_t i = 0; i < q.pieces(); ++i) {
      const linear_piece piece = q.piece(i), inner = i == 0 ? piece : q.piece(i - 1);
      if (2 * piece.offset == piece.scale)
        offsets_[i] = offset::half_a_step;
      else if (i > 0 && double{inner.offset} + double{inner.scale} * last_step_ == piece.offset)
        offsets_[i] = offset::last_level_within;
      else
        offsets_[i] = offset::number;
    }
  }

  /// Of steps, one for each piece that there can be; of offsets that are numbers, as many; of the shift.
  static constexpr std::size_t count() { return 2 * most + 1; }

  /// What summand r is worth, 0 where it is not there.
  float scale(std::size_t r) const {
    if (r == 2 * most) return q_.shift();
    const std::size_t piece = r % most;
    if (piece >= q_.pieces()) return 0;
    if (r < most) return offsets_[piece] == offset::half_a_step ? q_.piece(piece).offset : q_.piece(piece).scale;
    return offsets_[piece] == offset::number ? q_.piece(piece).offset : 0;
  }

  /// The integer of summand r in the value of a code.
  std::int8_t level(std::uint8_t code, std::size_t r) const {
    if (r == 2 * most) return 1;
    const linear_step step = q_.step_of(code);
    const int magnitude = level_of(static_cast<std::size_t>(step.piece), step.step, r);
    return static_cast<std::int8_t>(step.negative ? -magnitude : magnitude);
  }

 private:
  enum class offset { half_a_step, last_level_within, number };
  static constexpr std::size_t most = piecewise_linear<Layout>::maximum_breakpoints + 1;

  int level_of(std::size_t piece, int step, std::size_t r) const {
    if (r == piece) return offsets_[piece] == offset::half_a_step ? 2 * step + 1 : step;
    if (r == piece + most) return offsets_[piece] == offset::number ? 1 : 0;
    return offsets_[piece] == offset::last_level_within ? level_of(piece - 1, last_step_, r) : 0;
  }

  const piecewise_linear<Layout>& q_;
  int last_step_;
  std::array<offset, most> offsets_{};
};

/// For the summands of learned bases: v_r e_r.
class basis_summands {
 public:
  explicit basis_summands(const learned_bases& q) : q_(q) {}

  static constexpr std::size_t count() { return learned_bases::maximum_bits; }
  float scale(std::size_t r) const { return r < q_.basis().size() ? q_.basis()[r] : 0; }
  std::int8_t level(std::uint8_t code, std::size_t r) const { return (q_.signs(code) >> r & 1) != 0 ? 1 : -1; }

 private:
  const learned_bases& q_;
};

template <class Layout>
piece_summands<Layout> summands_of(const piecewise_linear<Layout>& q) {
  return piece_summands<Layout>(q);
}
inline basis_summands summands_of(const learned_bases& q) { return basis_summands(q); }

/// A quantizer whose values are sums of scaled integers; `summands_of(q)` says which.
template <class Q>
concept summable_quantizer = quantizer<Q> && requires(const Q& q, typename Q::code_type code, std::size_t r) {
  { decltype(summands_of(q))::count() } -> std::same_as<std::size_t>;
  { summands_of(q).scale(r) } -> std::same_as<float>;
  { summands_of(q).level(code, r) } -> std::same_as<std::int8_t>;
};

static_assert(summable_quantizer<piecewise_linear<>> && summable_quantizer<learned_bases>);

/// The integers and scales of summand r of codes that there is one of for each element.
template <summable_quantizer Q, class Granularity>
weight_summand make_summand(const sliced<Q, Granularity>& fitted, std::span<const typename Q::code_type> codes,
                            std::size_t r) {
  const std::size_t channels = fitted.shape()[0], length = codes.size() / std::max<std::size_t>(1, channels);
  weight_summand summand{tensor<std::int8_t>(fitted.shape()), {}};
  for (std::size_t n = 0; n < channels; ++n) {
    const auto parts = summands_of(fitted.quantizers()[fitted.quantizers().size() == 1 ? 0 : n]);
    summand.scales.push_back(parts.scale(r));
    std::ranges::transform(codes.subspan(n * length, length), summand.levels.values().subspan(n * length).begin(),
                           [&parts, r](auto code) { return parts.level(code, r); });
  }
  return summand;
}

/// The values of `codes` as sums: what dequantize gives, but for the rounding of its floats. Of the summands that no
/// channel has, all but the first are left out. Throws invalid_argument unless there is a code for each element, for
/// shapes without dimensions, and for channels along any axis but 0.
template <summable_quantizer Q, per_tensor_or_channel Granularity>
summed_weights sum_weights(const sliced<Q, Granularity>& fitted, std::span<const typename Q::code_type> codes) {
  if constexpr (std::same_as<Granularity, per_channel>)
    require(fitted.division().axis == 0, "sum_weights: fitted.division().axis", fitted.division().axis,
            "0, the output channels");
  require(fitted.shape().rank() > 0, "sum_weights: fitted.shape()", fitted.shape(), "at least one dimension");
  require(codes.size() == fitted.shape().elements(), "sum_weights: codes.size()", codes.size(),
          "the product of the shape ", fitted.shape());
  summed_weights weights;
  for (std::size_t r = 0; r < decltype(summands_of(std::declval<const Q&>()))::count(); ++r) {
    weight_summand summand = make_summand(fitted, codes, r);
    if (r == 0 || std::ranges::any_of(summand.scales, [](float scale) { return scale != 0; }))
      weights.summands.push_back(std::move(summand));
  }
  return weights;
}

/// The sums that the quantizers of `fitted` give the weights `values`. Throws invalid_argument as sliced and sum_weights
/// of codes do.
template <summable_quantizer Q, per_tensor_or_channel Granularity>
summed_weights sum_weights(const sliced<Q, Granularity>& fitted, std::span<const float> values) {
  std::vector<typename Q::code_type> codes(fitted.shape().elements());
  fitted.quantize(values, codes);
  return sum_weights(fitted, std::span<const typename Q::code_type>(codes));
}

}  // namespace bitwright
