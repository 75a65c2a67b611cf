# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.25)
set(ENV{LC_ALL} C)  # Plain quotes in the compiler's messages.
set(compile "${COMPILER}" -std=c++20 -fsyntax-only "-I${SOURCE_DIR}/include" "${SOURCE}")
file(STRINGS "${SOURCE}" expected REGEX "^// expect: ")
string(REPLACE "// expect: " "" expected "${expected}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${SOURCE} has no line `// expect: <regular expression>`")
endif()

execute_process(COMMAND ${compile} RESULT_VARIABLE result ERROR_VARIABLE messages)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "should compile without -DREFUSED:\n${messages}")
endif()

execute_process(COMMAND ${compile} -DREFUSED RESULT_VARIABLE result ERROR_VARIABLE messages)
if(result EQUAL 0)
  message(FATAL_ERROR "should be refused with -DREFUSED, but compiles")
endif()
if(NOT messages MATCHES "${expected}")
  message(FATAL_ERROR "the message should match `${expected}`, but reads:\n${messages}")
endif()
