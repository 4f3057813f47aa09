# The Debian package: cpack in a build of the preset release, or ./dev package.
# docs/packages.md tells what it installs and does.
set(package encode-exporter)
set(ENCODE_MAINTAINER "authors of encode_exporter <root@localhost>" CACHE STRING
    "who stands in the package as maintainer: NAME <MAIL>")

# ---- what only a package has; cmake --install leaves it out -------------------------
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)
set(doc ${CMAKE_INSTALL_DATADIR}/doc/${package})
set(only_package COMPONENT debian EXCLUDE_FROM_ALL)
file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
list(FILTER pages EXCLUDE REGEX "/(architecture|contributing|dependencies)\\.md$")
install(FILES ${debian}/default DESTINATION /etc/default RENAME encode_exporter ${only_package})
install(FILES ${debian}/copyright ${pages} ${CMAKE_BINARY_DIR}/manual/changelog.gz
              ${CMAKE_BINARY_DIR}/manual/changelog.Debian.gz
        DESTINATION ${doc} ${only_package})
install(FILES ${debian}/web-config.yml DESTINATION ${doc}/examples ${only_package})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/deploy/examples/ DESTINATION ${doc}/examples/results
        ${only_package} FILES_MATCHING PATTERN "test_results_*.json")
# Dashboards, rules, scrape configurations: what Prometheus and Grafana are pointed at.
foreach(part grafana prometheus victoriametrics alertmanager)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/deploy/${part}
            DESTINATION ${CMAKE_INSTALL_DATADIR}/encode_exporter ${only_package}
            FILES_MATCHING PATTERN "*.json" PATTERN "*.yml" PATTERN "*.yaml" PATTERN "*.env"
            PATTERN tests EXCLUDE PATTERN boards EXCLUDE)
endforeach()

set(release 1)
file(WRITE ${CMAKE_BINARY_DIR}/manual/changelog.Debian.new
     "${package} (${PROJECT_VERSION}-${release}) stable; urgency=medium\n\n"
     "  * What is new stands in changelog.gz.\n\n"
     " -- ${ENCODE_MAINTAINER}  ${ENCODE_DATE_RFC}\n")
configure_file(${CMAKE_BINARY_DIR}/manual/changelog.Debian.new
               ${CMAKE_BINARY_DIR}/manual/changelog.Debian COPYONLY)
set(changes ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${CMAKE_BINARY_DIR}/manual/changelog.Debian)
set(changelogs ${CMAKE_BINARY_DIR}/manual/changelog.gz
               ${CMAKE_BINARY_DIR}/manual/changelog.Debian.gz)
foreach(change changelog IN ZIP_LISTS changes changelogs)
    encode_text(${changelog} ${change} "gzip -9n <\"${change}\"")
endforeach()
add_custom_target(changelogs ALL DEPENDS ${changelogs})

# ---- the package ----------------------------------------------------------------------
file(READ ${debian}/description description)
string(REGEX REPLACE "\n$" "" description "${description}")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${package})
set(CPACK_PACKAGE_CONTACT ${ENCODE_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};encode_exporter;ALL;/"
                                 "${CMAKE_BINARY_DIR};encode_exporter;debian;/")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${description}")
# The libraries that are opened when asked for have their packages here, too: what is
# installed is whole.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus | victoria-metrics, ffmpeg")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/postinst ${debian}/prerm ${debian}/postrm
                                       ${debian}/conffiles)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/stamp.cmake)
set(CPACK_ENCODE_EPOCH ${ENCODE_EPOCH})
include(CPack)
