// SPDX-License-Identifier: MIT
// Compiled with -fno-exceptions -fno-rtti: bad input still ends with its message, in the program's own handler.
#include <bitwright.hpp>

#include <cstdio>
#include <cstdlib>

int main() {
  bitwright::on_error = [](const char* message) {
    std::printf("handler: %s\n", message);
    std::exit(0);
  };
  bitwright::require(false, "without_exceptions: bits", 17, "1 to 16");
  std::puts("require returned");
  return 1;
}
