# Compiler settings shared by every target.
option(CONTEXTCORE_TESTS "Build the tests" ON)
option(CONTEXTCORE_FUZZ "Build the fuzz targets (libFuzzer under clang, corpus replay otherwise)" OFF)
option(CONTEXTCORE_BENCH "Build the benchmarks" OFF)
option(CONTEXTCORE_SDK_ONLY "Build only what the client libraries need" OFF)
option(CONTEXTCORE_PYTHON "Build the Python extension module" OFF)
set(CONTEXTCORE_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# CMake's own defaults are replaced; what a preset or the command line says stays.
if(CMAKE_CXX_FLAGS_RELEASE STREQUAL "-O3 -DNDEBUG")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 at -O2 reports false positives of these on moved-from std::variant.
  string(APPEND CMAKE_CXX_FLAGS_RELEASE " -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict")
endif()
if(CMAKE_CXX_FLAGS_DEBUG STREQUAL "-g")
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                    -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Werror)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2)
endif()
if(CONTEXTCORE_SANITIZE)
  add_compile_options(-fsanitize=${CONTEXTCORE_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${CONTEXTCORE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 reports false positives of these two when instrumentation changes inlining.
    add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow)
    if(CONTEXTCORE_SANITIZE MATCHES "thread")
      add_compile_options(-Wno-tsan)
    endif()
  endif()
endif()

if(CONTEXTCORE_FUZZ AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Coverage: without it libFuzzer is blind.
  add_compile_options(-fsanitize=fuzzer-no-link
                      -fsanitize-coverage-ignorelist=${CMAKE_SOURCE_DIR}/fuzz/coverage_ignore.txt)
endif()

find_program(CONTEXTCORE_CCACHE ccache)
if(CONTEXTCORE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CONTEXTCORE_CCACHE})
endif()
find_program(CONTEXTCORE_MOLD mold)
if(CONTEXTCORE_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
elseif(CONTEXTCORE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
find_package(Threads REQUIRED)

# Static in programs (the command line links only libc, libm and the loader dynamically), shared in the
# Python module, whose objects must be position-independent.
foreach(library re2 zstd z)
  if(CONTEXTCORE_SDK_ONLY)
    find_library(CONTEXTCORE_LIB_${library} NAMES ${library} REQUIRED)
  else()
    find_library(CONTEXTCORE_LIB_${library} NAMES lib${library}.a ${library} REQUIRED)
  endif()
  add_library(contextcore_lib_${library} INTERFACE)
  target_link_libraries(contextcore_lib_${library} INTERFACE ${CONTEXTCORE_LIB_${library}})
endforeach()
