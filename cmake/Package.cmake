# What `cmake --install` puts where, and the package that find_package(Cirro)
# finds there.
include(CMakePackageConfigHelpers)

install(
  TARGETS cirro
  EXPORT CirroTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  EXPORT CirroTargets
  NAMESPACE Cirro::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Cirro)
configure_package_config_file(
  cmake/CirroConfig.cmake.in "${PROJECT_BINARY_DIR}/CirroConfig.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Cirro)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/CirroConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/CirroConfig.cmake"
              "${PROJECT_BINARY_DIR}/CirroConfigVersion.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Cirro)
