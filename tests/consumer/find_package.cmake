# SPDX-License-Identifier: MIT
# A project that finds an installed bitwright, with Eigen and without, in versions that fit and that do not.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
set(prefix "${WORK_DIR}/prefix")
install_to("${prefix}")

build_and_run(find_package "-DCMAKE_PREFIX_PATH=${prefix}" "-DWANTED=${VERSION}")
build_and_run(find_package "-DCMAKE_PREFIX_PATH=${prefix}" -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON --fresh)

string(REGEX MATCH "^[0-9]+\\.([0-9]+)" major_minor "${VERSION}")
math(EXPR next_minor "${CMAKE_MATCH_1} + 1")
string(REGEX REPLACE "\\..*" ".${next_minor}" next "${VERSION}")
execute_process(
  COMMAND ${CMAKE_COMMAND} -S "${SOURCE_DIR}/tests/consumer/find_package" -B "${WORK_DIR}/refused" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${prefix}" "-DWANTED=${next}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0 OR NOT output MATCHES "compatible with[ \n]+requested version \"${next}\"")
  message(FATAL_ERROR "version ${next} should be refused, but: ${output}")
endif()
