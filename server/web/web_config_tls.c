/*
 * web_config_tls.c - tls_server_config.
 *
 * Only what the file itself tells is judged here. What is in the files that it names, and
 * which ciphers and curves there are, the transport knows (see web_config_place()).
 */
#include "server/web/web_config_inner.h"

#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"

static int read_auth(struct reader *r, struct place at, const struct yaml_node *v,
                     void *to)
{
    static const struct {
        const char *name;
        enum tls_client_auth how;
    } known[] = {
        { "NoClientCert", TLS_NO_CLIENT_CERT },
        { "RequestClientCert", TLS_REQUEST_CLIENT_CERT },
        { "RequireAnyClientCert", TLS_REQUIRE_ANY_CLIENT_CERT },
        { "RequireClientCert", TLS_REQUIRE_ANY_CLIENT_CERT }, /* its older name */
        { "VerifyClientCertIfGiven", TLS_VERIFY_CLIENT_CERT_IF_GIVEN },
        { "RequireAndVerifyClientCert", TLS_REQUIRE_AND_VERIFY_CLIENT_CERT },
    };
    int rc = web_expect(r, at, v, YAML_TEXT);

    if (rc < 0 || v->text.n == 0)
        return rc;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (view_eq(v->text, view_of(known[i].name))) {
            *(enum tls_client_auth *)to = known[i].how;
            r->to->client_auth_said = true;
            return 0;
        }
    }
    return web_refuse(r, at,
                      "none of NoClientCert, RequestClientCert, RequireAnyClientCert, "
                      "VerifyClientCertIfGiven, RequireAndVerifyClientCert");
}

static int read_version(struct reader *r, struct place at, const struct yaml_node *v,
                        void *to)
{
    int rc = web_expect(r, at, v, YAML_TEXT);

    if (rc < 0)
        return rc;
    if (view_eq(v->text, VIEW("TLS10")) || view_eq(v->text, VIEW("TLS11")))
        return web_refuse(r, at,
                          "%.*s is not offered: it is broken and was withdrawn in 2021 "
                          "(RFC 8996); TLS12 and TLS13 are there",
                          VIEW_ARG(v->text));
    if (view_eq(v->text, VIEW("TLS12")))
        *(enum tls_version *)to = TLS_VERSION_12;
    else if (view_eq(v->text, VIEW("TLS13")))
        *(enum tls_version *)to = TLS_VERSION_13;
    else
        return web_refuse(r, at, "unknown TLS version: neither TLS12 nor TLS13");
    return 0;
}

#define AT(member) offsetof(struct tls_settings, member)

enum {
    CERT,
    CERT_FILE,
    KEY,
    KEY_FILE,
    CLIENT_CA,
    CLIENT_CA_FILE,
    CLIENT_AUTH_TYPE,
    CLIENT_ALLOWED_SANS,
    MIN_VERSION,
    MAX_VERSION,
    CIPHER_SUITES,
    CURVE_PREFERENCES,
    PREFER_SERVER,
    KEYS,
};

static const struct field fields[KEYS] = {
    [CERT] = { "cert", web_read_text, AT(cert) },
    [CERT_FILE] = { "cert_file", web_read_path, AT(cert_file) },
    [KEY] = { "key", web_read_text, AT(key) },
    [KEY_FILE] = { "key_file", web_read_path, AT(key_file) },
    [CLIENT_CA] = { "client_ca", web_read_text, AT(client_ca) },
    [CLIENT_CA_FILE] = { "client_ca_file", web_read_path, AT(client_ca_file) },
    [CLIENT_AUTH_TYPE] = { "client_auth_type", read_auth, AT(client_auth) },
    [CLIENT_ALLOWED_SANS] = { "client_allowed_sans", web_read_list,
                              AT(client_allowed_sans) },
    [MIN_VERSION] = { "min_version", read_version, AT(min_version) },
    [MAX_VERSION] = { "max_version", read_version, AT(max_version) },
    [CIPHER_SUITES] = { "cipher_suites", web_read_list, AT(cipher_suites) },
    [CURVE_PREFERENCES] = { "curve_preferences", web_read_list, AT(curve_preferences) },
    [PREFER_SERVER] = { "prefer_server_cipher_suites", web_read_bool,
                        AT(prefer_server_cipher_suites) },
};

/* A message about one of the keys; about the section where that key is not there. */
static struct place place_of(const struct reader *r, struct place at, size_t key)
{
    at.key = view_of(fields[key].name);
    if (r->to->tls_lines[key])
        at.line = r->to->tls_lines[key];
    return at;
}

static int check_pair(struct reader *r, struct place at, size_t text, const char *a,
                      const char *b)
{
    const char *name = fields[text].name;

    if (a && b)
        return web_refuse(r, place_of(r, at, text),
                          "%s_file is there, too: one of both", name);
    if (!a && !b && (text == CERT || text == KEY))
        return web_refuse(r, at, "missing one of %s or %s_file", name, name);
    return 0;
}

static int check_clients(struct reader *r, struct place at,
                         const struct tls_settings *t)
{
    bool must_come = t->client_auth == TLS_REQUIRE_ANY_CLIENT_CERT ||
                     t->client_auth == TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    size_t ca = t->client_ca ? CLIENT_CA : CLIENT_CA_FILE;

    if ((t->client_ca || t->client_ca_file) && t->client_auth == TLS_NO_CLIENT_CERT)
        return web_refuse(r, place_of(r, at, ca),
                          "has no effect without client_auth_type, such as "
                          "RequireAndVerifyClientCert");
    if (t->client_allowed_sans.items && !must_come)
        return web_refuse(r, place_of(r, at, CLIENT_ALLOWED_SANS),
                          "needs client_auth_type RequireAnyClientCert or "
                          "RequireAndVerifyClientCert: without a certificate there is "
                          "no name to look at");
    if (t->client_allowed_sans.items && t->client_allowed_sans.count == 0)
        return web_refuse(r, place_of(r, at, CLIENT_ALLOWED_SANS),
                          "an empty list, which would let nobody in");
    return 0;
}

int web_read_tls(struct reader *r, struct place at, const struct yaml_node *v, void *to)
{
    struct tls_settings *t = to;
    int rc;

    t->prefer_server_cipher_suites = true;
    r->to->tls_lines = arena_new(&r->to->mem, unsigned, KEYS);
    rc = web_read_fields(r, at, v, fields, KEYS, t, r->to->tls_lines);
    if (rc < 0 || v->count == 0)
        return rc;
    r->to->has_tls = true;
    rc = check_pair(r, at, CERT, t->cert, t->cert_file);
    if (rc == 0)
        rc = check_pair(r, at, KEY, t->key, t->key_file);
    if (rc == 0)
        rc = check_pair(r, at, CLIENT_CA, t->client_ca, t->client_ca_file);
    if (rc == 0)
        rc = check_clients(r, at, t);
    if (rc == 0 && t->min_version == TLS_VERSION_13 && t->max_version == TLS_VERSION_12)
        rc = web_refuse(r, place_of(r, at, MIN_VERSION), "above max_version");
    return rc;
}

void web_config_place(const struct web_config *c, struct err *e)
{
    struct view rest = view_of(e->text), key;
    char *reason;

    view_split(&rest, ':', &key);
    for (size_t i = 0; i < KEYS && rest.p; i++) {
        struct reader r = { (struct web_config *)(uintptr_t)c, e };
        struct place at = { "tls_server_config", key, c->tls_lines[i] };

        if (!view_eq(key, view_of(fields[i].name)) || !at.line)
            continue;
        reason = mem_strdup(e->text); /* e->text is written anew */
        at.key = view_of(fields[i].name);
        web_refuse(&r, at, "%s", view_trim(view_of(reason + key.n + 1)).p);
        free(reason);
        return;
    }
}
