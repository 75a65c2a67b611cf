// SPDX-License-Identifier: MIT
// What every consumer builds: all of bitwright, and one of its answers.
#include <bitwright.hpp>

#include <cstdio>
#include <string>
#ifdef EIGEN_EXPECTED
#include <bitwright/core/eigen.hpp>
#endif

int main() {
  try {
    bitwright::require(false, "consumer: bits", 17, "1 to 16");
  } catch (const bitwright::invalid_argument& error) {
    std::puts(error.what());
    return error.what() == std::string("consumer: bits is 17, expected 1 to 16") ? 0 : 1;
  }
  return 1;
}
