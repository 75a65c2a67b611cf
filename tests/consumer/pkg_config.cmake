# SPDX-License-Identifier: MIT
# A project without CMake that asks pkg-config for the flags of an installed bitwright.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
set(prefix "${WORK_DIR}/prefix")
install_to("${prefix}")

set(ENV{PKG_CONFIG_PATH} "${prefix}/share/pkgconfig")
run("${PKG_CONFIG}" --modversion bitwright)
if(NOT output STREQUAL "${VERSION}\n")
  message(FATAL_ERROR "pkg-config should say ${VERSION}")
endif()
run("${PKG_CONFIG}" --cflags bitwright)
string(STRIP "${output}" cflags)
separate_arguments(cflags UNIX_COMMAND "${cflags}")
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
run("${COMPILER}" ${flags} -std=c++20 ${cflags} "${SOURCE_DIR}/tests/consumer/consumer.cpp" -o "${WORK_DIR}/consumer")
run("${WORK_DIR}/consumer")
