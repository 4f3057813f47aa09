/*
 * tls_settings.h - tls_server_config of a web config, as read.
 *
 * Filled by the reader of the file, used by the transport. All texts are NUL-terminated
 * and belong to whoever filled the struct; the transport copies what it keeps, so they
 * may go as soon as the call returns. NULL: not given. Nothing here was opened: a path
 * is as open() wants it (one relative to the web config already made so).
 *
 * A zeroed struct is no valid configuration (no certificate), but every member that is
 * left zero has the default that its comment names.
 */
#ifndef SERVER_WEB_TLS_SETTINGS_H
#define SERVER_WEB_TLS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* client_auth_type, with the names of exporter-toolkit. */
enum tls_client_auth {
    TLS_NO_CLIENT_CERT,              /* NoClientCert */
    TLS_REQUEST_CLIENT_CERT,         /* RequestClientCert: asked for, not verified */
    TLS_REQUIRE_ANY_CLIENT_CERT,     /* RequireAnyClientCert: must come, not verified */
    TLS_VERIFY_CLIENT_CERT_IF_GIVEN, /* VerifyClientCertIfGiven */
    TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, /* RequireAndVerifyClientCert */
};

/* min_version, max_version. The reader refuses TLS10 and TLS11. */
enum tls_version {
    TLS_VERSION_UNSAID, /* min: TLS12; max: TLS13 */
    TLS_VERSION_12,
    TLS_VERSION_13,
};

struct tls_list {
    const char *const *items;
    size_t count; /* 0: not given, or empty */
};

struct tls_settings {
    /*
     * PEM: a file or its text, never both (the reader refuses that). The certificate
     * comes with those that lead to its root behind it. Certificate and key are needed;
     * a client CA is where client_auth verifies.
     */
    const char *cert_file, *cert;
    const char *key_file, *key;
    const char *client_ca_file, *client_ca;

    enum tls_client_auth client_auth;
    /* Where it is not empty, a client certificate must have one of these as subject
     * alternative name: DNS name, e-mail, IP address or URI. */
    struct tls_list client_allowed_sans;

    enum tls_version min_version, max_version;
    /* Names as given; empty: the transport's choice. */
    struct tls_list cipher_suites, curve_preferences;
    bool prefer_server_cipher_suites; /* the reader's default is true */
};

#endif
