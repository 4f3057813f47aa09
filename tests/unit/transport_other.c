/* A transport of another version: its number is all that anybody may look at. */
#include "server/web/transport.h"

extern const struct transport encode_transport;

const struct transport encode_transport = { .abi = TRANSPORT_ABI + 1 };
