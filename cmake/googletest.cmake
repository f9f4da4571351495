# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
# GTest::gtest_main, from the system; never downloaded. A TSan build has to see GoogleTest's own locks, so it builds the
# sources that Debian's package googletest lays in /usr/src.
set(HOTWATCH_GTEST_SOURCE /usr/src/googletest CACHE PATH "Where the sources of GoogleTest lie")

if(NOT HOTWATCH_GTEST_FROM_SOURCE)
  find_package(GTest QUIET)
endif()
if(NOT TARGET GTest::gtest_main)
  if(NOT EXISTS "${HOTWATCH_GTEST_SOURCE}/CMakeLists.txt")
    message(FATAL_ERROR "hotwatch's tests need GoogleTest: install libgtest-dev (it brings ${HOTWATCH_GTEST_SOURCE} along), "
                        "or configure with -DHOTWATCH_BUILD_TESTS=OFF")
  endif()
  set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
  set(BUILD_GMOCK OFF CACHE BOOL "" FORCE)
  add_subdirectory("${HOTWATCH_GTEST_SOURCE}" "${CMAKE_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
  if(NOT TARGET GTest::gtest_main)
    add_library(GTest::gtest_main ALIAS gtest_main)
  endif()
endif()
