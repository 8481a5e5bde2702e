# The installable C++ library: every room below sdk in one archive, public headers, and a package file.
# Component "sdk"; used with find_package(contextcore) and contextcore::contextcore.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(rooms base otlp store query work client export sdk)
set(objects)
foreach(room ${rooms})
  get_target_property(type contextcore_${room} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    list(APPEND objects $<TARGET_OBJECTS:contextcore_${room}>)
  endif()
endforeach()
add_library(contextcore_library STATIC ${objects})
set_target_properties(contextcore_library PROPERTIES OUTPUT_NAME contextcore LINKER_LANGUAGE CXX)

install(TARGETS contextcore_library ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/contextcore DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/contextcoreConfig.cmake.in
  ${CMAKE_BINARY_DIR}/contextcoreConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/contextcore)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/contextcoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/contextcoreConfig.cmake ${CMAKE_BINARY_DIR}/contextcoreConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/contextcore COMPONENT sdk)
