# Before files are packed: all have the time of the source, so that the same source makes
# the same package.
set(ENV{SOURCE_DATE_EPOCH} ${CPACK_ENCODE_EPOCH})
execute_process(COMMAND find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -exec
                        touch -h -d @${CPACK_ENCODE_EPOCH} {} +
                COMMAND_ERROR_IS_FATAL ANY)
