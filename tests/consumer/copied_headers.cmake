# SPDX-License-Identifier: MIT
# No build system: the headers copied into a project, and one call of the compiler.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
file(COPY "${SOURCE_DIR}/include" DESTINATION "${WORK_DIR}")
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
run("${COMPILER}" ${flags} -std=c++20 "-I${WORK_DIR}/include" "${SOURCE_DIR}/tests/consumer/consumer.cpp"
  -o "${WORK_DIR}/consumer")
run("${WORK_DIR}/consumer")
