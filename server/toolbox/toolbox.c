#include "server/web/toolbox.h"

#include "server/toolbox/bcrypt.h"
#include "server/toolbox/markup.h"

const struct toolbox encode_toolbox = {
    .yaml = markup_read,
    .bcrypt = bcrypt_matches,
};
