#include "server/tls/library.h"

#include "server/tls/context.h"
#include "server/tls/session.h"

__attribute__((visibility("default"))) const struct transport encode_transport = {
    .abi = TRANSPORT_ABI,
    .server_context = context_new_server,
    .client_context = context_new_client,
    .context_ref = context_ref,
    .context_unref = context_unref,
    .session_new = session_new,
    .session_free = session_free,
    .receive = session_receive,
    .state = session_state,
    .read = session_read,
    .write = session_write,
    .outgoing = session_outgoing,
    .sent = session_sent,
    .close = session_close,
    .problem = session_problem,
};
