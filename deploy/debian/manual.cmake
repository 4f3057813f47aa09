# The man page and the completion of shells: written by a program that is linked with the
# tables of flags, so that they say what --help says and the exporter need not carry them.
add_executable(encode_manual server/manual/main.c server/manual/page.c server/manual/shells.c)
target_link_libraries(encode_manual PRIVATE encode_server)

# The day of the source: that of the commit, or what who builds it again says.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
    set(ENCODE_EPOCH $ENV{SOURCE_DATE_EPOCH})
elseif(GIT_FOUND AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct
                    OUTPUT_VARIABLE ENCODE_EPOCH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT ENCODE_EPOCH)
    string(TIMESTAMP ENCODE_EPOCH "%s" UTC)
endif()
set(outer_epoch $ENV{SOURCE_DATE_EPOCH})
set(ENV{SOURCE_DATE_EPOCH} ${ENCODE_EPOCH})
string(TIMESTAMP ENCODE_DATE "%Y-%m-%d" UTC)
string(TIMESTAMP ENCODE_DATE_RFC "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(ENV{SOURCE_DATE_EPOCH} ${outer_epoch})
if(NOT outer_epoch)
    unset(ENV{SOURCE_DATE_EPOCH})
endif()

# encode_text(OUTPUT INPUT COMMAND …): stdout of a command becomes a file.
function(encode_text output input)
    string(JOIN " " command ${ARGN})
    add_custom_command(OUTPUT ${output} DEPENDS ${input} VERBATIM
                       COMMAND sh -c "${command} >\"$0\".new && mv \"$0\".new \"$0\"" ${output})
endfunction()

set(page ${CMAKE_SOURCE_DIR}/server/manual/encode_exporter.1.in)
set(manual $<TARGET_FILE:encode_manual>)
set(texts encode_exporter.1 encode_exporter.1.gz encode_exporter.bash _encode_exporter
          encode_exporter.fish)
list(TRANSFORM texts PREPEND ${CMAKE_BINARY_DIR}/manual/)
list(GET texts 0 man)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/manual)
encode_text(${CMAKE_BINARY_DIR}/manual/encode_exporter.1 "encode_manual;${page}"
            "\"${manual}\" man \"${page}\" ${ENCODE_DATE}")
encode_text(${CMAKE_BINARY_DIR}/manual/encode_exporter.1.gz ${man} "gzip -9n <\"${man}\"")
encode_text(${CMAKE_BINARY_DIR}/manual/encode_exporter.bash encode_manual "\"${manual}\" bash")
encode_text(${CMAKE_BINARY_DIR}/manual/_encode_exporter encode_manual "\"${manual}\" zsh")
encode_text(${CMAKE_BINARY_DIR}/manual/encode_exporter.fish encode_manual "\"${manual}\" fish")
add_custom_target(manual ALL DEPENDS ${texts})

install(FILES ${CMAKE_BINARY_DIR}/manual/encode_exporter.1.gz
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/manual/encode_exporter.bash RENAME encode_exporter
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CMAKE_BINARY_DIR}/manual/_encode_exporter
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${CMAKE_BINARY_DIR}/manual/encode_exporter.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
