// SPDX-License-Identifier: MIT
// expect: rounding_policy
#include <bitwright/core/rounding.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cstdint>

// gemmlowp's double rounding divides integers; it says nothing about floats.
#ifdef REFUSED
using rounding = bitwright::gemmlowp_double;
#else
using rounding = bitwright::half_up;
#endif

static_assert(sizeof(bitwright::uniform<8, std::int8_t, rounding>) > 0);
