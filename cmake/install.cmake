# SPDX-License-Identifier: MIT
# Install rules: the headers, a CMake package and a pkg-config file. No path is absolute, so the tree can be moved.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/bitwright")

install(TARGETS bitwright EXPORT bitwright_targets
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILE_SET x86_headers DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILE_SET arm_headers DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT bitwright_targets
  NAMESPACE bitwright::
  FILE bitwright-targets.cmake
  DESTINATION "${package_dir}")

# Headers serve every architecture. While the version is 0.x, a minor version may change interfaces.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/bitwright-config-version.cmake"
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_SOURCE_DIR}/cmake/bitwright-config.cmake"
  "${PROJECT_BINARY_DIR}/bitwright-config-version.cmake"
  DESTINATION "${package_dir}")

# The prefix is where the .pc file is found, so a moved tree still works.
file(RELATIVE_PATH prefix_from_pkgconfig
  "/prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/bitwright.pc.in" "${PROJECT_BINARY_DIR}/bitwright.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/bitwright.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
