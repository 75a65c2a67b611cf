// SPDX-License-Identifier: MIT
// Which path a processor gets, where whoever runs the tests knows it: an emulator of an older processor.
#include <bitwright/core/path.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/kernels/gemm.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

namespace bitwright {
namespace {

using u8 = std::uint8_t;

TEST(dispatch, takes_the_path_that_the_environment_expects_of_this_processor) {
  const char* const expected = std::getenv("BITWRIGHT_EXPECTED_PATH");
  if (expected == nullptr) GTEST_SKIP() << "BITWRIGHT_EXPECTED_PATH names no path";
  EXPECT_EQ(best_path(kernels::gemm_paths<u8, u8, half_to_even>).name, expected);
  EXPECT_EQ(best_path(kernels::convolution_paths<u8, u8, half_to_even>).name, expected);
}

}  // namespace
}  // namespace bitwright
