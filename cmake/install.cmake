# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
# Headers, the CMake package and the pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(hotwatch_config_dir "${CMAKE_INSTALL_DATADIR}/cmake/hotwatch")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(TARGETS hotwatch EXPORT hotwatch-targets)
install(EXPORT hotwatch-targets NAMESPACE hotwatch:: DESTINATION "${hotwatch_config_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/hotwatch-config.cmake.in" hotwatch-config.cmake
                              INSTALL_DESTINATION "${hotwatch_config_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break; headers alone fit every architecture.
write_basic_package_version_file(hotwatch-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/hotwatch-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/hotwatch-config-version.cmake" DESTINATION "${hotwatch_config_dir}")

set(hotwatch_frameworks "")
if(CMAKE_SYSTEM_NAME STREQUAL "Darwin")
  set(hotwatch_frameworks " -framework CoreServices -framework CoreFoundation")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/hotwatch.pc.in" hotwatch.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/hotwatch.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/hotwatch")
