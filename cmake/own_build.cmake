# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
# How this project builds its own programs: with all warnings, each of them an error. Users of hotwatch get none of this.
option(HOTWATCH_WERROR "Warnings in hotwatch's own programs are errors" ON)

add_library(hotwatch_own INTERFACE)
target_link_libraries(hotwatch_own INTERFACE hotwatch::hotwatch)
if(MSVC)
  target_compile_options(hotwatch_own INTERFACE /W4 /permissive- /utf-8 /bigobj $<$<BOOL:${HOTWATCH_WERROR}>:/WX>)
else()
  target_compile_options(hotwatch_own INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion
                                                $<$<BOOL:${HOTWATCH_WERROR}>:-Werror>)
endif()

function(hotwatch_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE hotwatch_own)
  set_target_properties(${name} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
endfunction()
