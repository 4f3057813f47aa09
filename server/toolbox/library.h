/*
 * library.h - the one symbol of web_toolbox.so.
 */
#ifndef SERVER_TOOLBOX_LIBRARY_H
#define SERVER_TOOLBOX_LIBRARY_H

#include "server/web/toolbox.h"

extern const struct toolbox encode_toolbox;

#endif
