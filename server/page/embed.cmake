# embed.cmake - what the page loads, compressed, as C.
#
#   cmake -DOUT=FILE.c -DDIR=DIR -DCHART=chart.min.js -P embed.cmake
#
# Every file of DIR/assets is one of the page's, by its name; chart.js is the library behind
# DIR's text of its licence. The same input gives the same bytes: no name or time is in them.
set(MOST 150000) # bytes, of all together

# embed(NAME TYPE FILE …): the files one after the other as /NAME.
function(embed name type)
    get_filename_component(out ${OUT} DIRECTORY)
    set(plain ${out}/${name})
    file(WRITE ${plain} "")
    execute_process(COMMAND cat ${ARGN} OUTPUT_FILE ${plain} COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND gzip -9nc ${plain} OUTPUT_FILE ${plain}.gz
                    COMMAND_ERROR_IS_FATAL ANY)
    file(SIZE ${plain} n)
    file(SIZE ${plain}.gz z_n)
    file(SHA256 ${plain}.gz hash)
    string(SUBSTRING ${hash} 0 16 high)
    string(SUBSTRING ${hash} 16 16 low)
    file(READ ${plain}.gz hex HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    string(MAKE_C_IDENTIFIER ${name} id)
    set(arrays "${arrays}static const unsigned char ${id}[] = {\n${hex}\n};\n\n" PARENT_SCOPE)
    set(rows "${rows}    { \"/${name}\", \"${type}; charset=utf-8\", ${id}, sizeof ${id}, ${n},
      { UINT64_C(0x${high}), UINT64_C(0x${low}) } },\n" PARENT_SCOPE)
    math(EXPR sum "${sum} + ${z_n}")
    set(sum ${sum} PARENT_SCOPE)
endfunction()

set(sum 0)
file(GLOB assets ${DIR}/assets/*)
list(SORT assets)
foreach(asset ${assets})
    get_filename_component(name ${asset} NAME)
    if(name MATCHES "\\.js$")
        embed(${name} "text/javascript" ${asset})
    elseif(name MATCHES "\\.css$")
        embed(${name} "text/css" ${asset})
    else()
        message(FATAL_ERROR "${asset}: neither a script nor a style sheet")
    endif()
endforeach()
embed(chart.js "text/javascript" ${DIR}/chart_licence.js ${CHART})
if(sum GREATER MOST)
    message(FATAL_ERROR "what the page loads has ${sum} bytes, and may have ${MOST}")
endif()
file(WRITE ${OUT} "/* made by server/page/embed.cmake */
#include \"server/page/assets.h\"

${arrays}const struct asset page_assets[] = {
${rows}};
const size_t page_asset_count = sizeof page_assets / sizeof page_assets[0];
")
