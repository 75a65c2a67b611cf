# SPDX-License-Identifier: MIT
# What our own tests, examples and benchmarks are built with: the system's packages, fetched only where those are missing.
include(FetchContent)

FetchContent_Declare(googletest
  GIT_REPOSITORY https://github.com/google/googletest.git
  GIT_TAG release-1.12.1
  GIT_SHALLOW ON
  SYSTEM
  FIND_PACKAGE_ARGS NAMES GTest)

FetchContent_Declare(benchmark
  GIT_REPOSITORY https://github.com/google/benchmark.git
  GIT_TAG v1.7.1
  GIT_SHALLOW ON
  SYSTEM
  FIND_PACKAGE_ARGS)

FetchContent_Declare(Eigen3
  GIT_REPOSITORY https://gitlab.com/libeigen/eigen.git
  GIT_TAG 3.4.0
  GIT_SHALLOW ON
  SYSTEM
  FIND_PACKAGE_ARGS 3.4 GLOBAL NO_MODULE)

FetchContent_Declare(CLI11
  GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git
  GIT_TAG v2.1.2
  GIT_SHALLOW ON
  SYSTEM
  FIND_PACKAGE_ARGS)

FetchContent_Declare(nlohmann_json
  GIT_REPOSITORY https://github.com/nlohmann/json.git
  GIT_TAG v3.11.2
  GIT_SHALLOW ON
  SYSTEM
  FIND_PACKAGE_ARGS)

# A fetched package brings neither its tests nor its install rules, and its warnings are not ours.
macro(bitwright_make_available)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # Or their options would not see these variables.
  set(INSTALL_GTEST OFF)
  set(BUILD_GMOCK OFF)
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  set(EIGEN_BUILD_DOC OFF)
  set(CLI11_BUILD_TESTS OFF)
  set(CLI11_BUILD_EXAMPLES OFF)
  set(JSON_BuildTests OFF)
  set(JSON_Install OFF)
  set(BUILD_TESTING OFF)
  set(warnings_are_errors ${CMAKE_COMPILE_WARNING_AS_ERROR})
  set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
  FetchContent_MakeAvailable(${ARGV})
  unset(BUILD_TESTING)
  unset(CMAKE_POLICY_DEFAULT_CMP0077)
  set(CMAKE_COMPILE_WARNING_AS_ERROR ${warnings_are_errors})
endmacro()
