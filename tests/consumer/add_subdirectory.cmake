# SPDX-License-Identifier: MIT
# A project that holds bitwright's sources: it gets no tests, no install rules, no options and no build of ours.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
build_and_run(add_subdirectory "-DBITWRIGHT_SOURCE_DIR=${SOURCE_DIR}")

run(${CMAKE_CTEST_COMMAND} --test-dir "${WORK_DIR}/build" --show-only)
if(NOT output MATCHES "Test +#1: consumer_itself" OR NOT output MATCHES "Total Tests: 1\n")
  message(FATAL_ERROR "the consumer has one test, its own, but CTest shows: ${output}")
endif()

run(${CMAKE_COMMAND} --install "${WORK_DIR}/build" --prefix "${WORK_DIR}/prefix")
file(GLOB_RECURSE installed RELATIVE "${WORK_DIR}/prefix" "${WORK_DIR}/prefix/*")
if(NOT installed STREQUAL "bin/consumer")
  message(FATAL_ERROR "the consumer installs bin/consumer, but the prefix holds: ${installed}")
endif()

build_and_run(add_subdirectory "-DBITWRIGHT_SOURCE_DIR=${SOURCE_DIR}" -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON --fresh)
