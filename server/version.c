#include "server/version.h"

/* Given by CMakeLists.txt for this file alone, so that a commit rebuilds only it. */
const char version_text[] = ENCODE_VERSION;
const char version_revision[] = ENCODE_REVISION;
#ifdef __clang__
const char version_compiler[] = "clang " __clang_version__;
#else
const char version_compiler[] = "gcc " __VERSION__;
#endif
