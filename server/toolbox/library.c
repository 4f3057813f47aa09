#include "server/toolbox/library.h"

#include "server/toolbox/bcrypt.h"
#include "server/toolbox/markup.h"

__attribute__((visibility("default"))) const struct toolbox encode_toolbox = {
    .abi = TOOLBOX_ABI,
    .yaml = markup_read,
    .bcrypt = bcrypt_matches,
};
