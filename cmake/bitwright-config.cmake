# SPDX-License-Identifier: MIT
# Eigen is optional: core/eigen.hpp and mixed_precision/ use it, the other headers do not.
if(NOT TARGET Eigen3::Eigen)
  find_package(Eigen3 3.4 QUIET NO_MODULE)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/bitwright-targets.cmake")
