// SPDX-License-Identifier: MIT
/// \file
/// a * b + c rounded once, in whole numbers: beside std::fma, which kernels use.
#pragma once

#include <cassert>
#include <cmath>
#include <cstdint>

namespace bitwright::reference {

__extension__ using wide = __int128;

/// value = integer * 2^exponent, for a finite value.
struct whole_float {
  std::int64_t integer;
  int exponent;

  explicit whole_float(float value) {
    const float fraction = std::frexp(value, &exponent);
    integer = static_cast<std::int64_t>(std::ldexp(fraction, 24));
    exponent -= 24;
  }
};

/// integer * 2^exponent to the nearest float, of two the even one. For normal results.
inline float nearest_float(wide integer, int exponent) {
  if (integer == 0) return 0;
  const bool negative = integer < 0;
  wide magnitude = negative ? -integer : integer;
  int dropped = 0;
  while (magnitude >> dropped >= wide{1} << 24) ++dropped;
  const wide half = dropped > 0 ? wide{1} << (dropped - 1) : 0, rest = magnitude & ((wide{1} << dropped) - 1);
  wide kept = magnitude >> dropped;
  if (rest > half || (dropped > 0 && rest == half && kept % 2 == 1)) ++kept;
  const double value = std::ldexp(static_cast<double>(static_cast<std::int64_t>(kept)), exponent + dropped);
  assert(value >= 0x1p-126);
  return static_cast<float>(negative ? -value : value);
}

/// For numbers whose product and sum have bits within 2^126 of each other, and a normal result or 0.
inline float exact_fma(float a, float b, float c) {
  const whole_float left(a), right(b), added(c);
  wide product = wide{left.integer} * right.integer, addend = added.integer;
  int exponent = left.exponent + right.exponent;
  if (product == 0) exponent = added.exponent;
  const int apart = addend == 0 ? 0 : added.exponent - exponent;
  assert(apart < 100 && apart > -75);
  if (apart >= 0) {
    addend *= wide{1} << apart;
  } else {
    product *= wide{1} << -apart;
    exponent += apart;
  }
  return nearest_float(product + addend, exponent);
}

}  // namespace bitwright::reference
