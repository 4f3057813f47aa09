#include "server/web/toolbox.h"

#include <limits.h>

#include "server/library.h"

const struct toolbox *toolbox_load(struct err *e)
{
    static const void *loaded; /* the main thread's */
    char path[PATH_MAX + 256];

    if (!loaded && library_find("web_toolbox.so", path, sizeof path, e) == 0)
        library_open(path, TOOLBOX_SYMBOL, TOOLBOX_ABI,
                     "the packages libyaml-0-2 and libcrypt1", &loaded, e);
    return loaded;
}
