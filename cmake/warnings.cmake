# SPDX-License-Identifier: MIT
# The warnings of our own tests, examples and benchmarks. Nothing here reaches a consumer: only our executables link it.
add_library(bitwright_warnings INTERFACE)
target_compile_options(bitwright_warnings INTERFACE
  $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wsign-conversion;-Wshadow>)
