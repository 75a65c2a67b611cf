// SPDX-License-Identifier: MIT
// expect: 'q\.dequantize\(stored, out\)' (is|would be) invalid
#include <bitwright/core/granularity.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cstdint>
#include <span>

/// A quantizer but for `dequantize`.
struct no_way_back {
  using code_type = std::int8_t;
  int bits() const { return 8; }
  void quantize(std::span<const float>, std::span<std::int8_t>) const {}
};

#ifdef REFUSED
using chosen = no_way_back;
#else
using chosen = bitwright::uniform<8>;
#endif

using per_tensor_quantizer = bitwright::sliced<chosen, bitwright::per_tensor>;
static_assert(sizeof(per_tensor_quantizer) > 0);
