# SPDX-License-Identifier: MIT
# What the consumers have in common. A step that fails ends the test with all it printed.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")

# Runs a command; its output is left in `output`.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  list(JOIN ARGV " " command)
  message("${command}\n${output}")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed (${result}): ${command}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Configures, builds and runs tests/consumer/<name>, with further arguments for configuring.
function(build_and_run name)
  run(${CMAKE_COMMAND} -S "${SOURCE_DIR}/tests/consumer/${name}" -B "${WORK_DIR}/build" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}" ${ARGN})
  run(${CMAKE_COMMAND} --build "${WORK_DIR}/build")
  run("${WORK_DIR}/build/consumer")
endfunction()

# Installs bitwright into a prefix, then moves the prefix: no installed file may hold an absolute path.
function(install_to prefix)
  run(${CMAKE_COMMAND} --install "${INSTALL_FROM}" --prefix "${prefix}-first")
  file(RENAME "${prefix}-first" "${prefix}")
  file(GLOB_RECURSE installed "${prefix}/*")
  foreach(file IN LISTS installed)
    file(READ "${file}" text)
    string(FIND "${text}" "${prefix}" found_prefix)
    string(FIND "${text}" "${SOURCE_DIR}" found_source)
    if(NOT found_prefix EQUAL -1 OR NOT found_source EQUAL -1)
      message(FATAL_ERROR "${file} holds an absolute path")
    endif()
  endforeach()
endfunction()
