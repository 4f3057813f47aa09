#include "server/tls/sans.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "core/mem.h"

void sans_init(struct sans *s, const struct tls_list *allowed)
{
    s->count = allowed->count;
    s->names = mem_alloc(s->count * sizeof(*s->names));
    for (size_t i = 0; i < s->count; i++)
        s->names[i] = mem_strdup(allowed->items[i]);
}

void sans_deinit(struct sans *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->names[i]);
    free(s->names);
    *s = (struct sans){ 0 };
}

/* A name with a NUL inside is as long as it says and so is none of ours. */
static bool same_text(const char *allowed, const ASN1_STRING *name)
{
    size_t n = (size_t)ASN1_STRING_length(name);

    return strlen(allowed) == n && memcmp(allowed, ASN1_STRING_get0_data(name), n) == 0;
}

/* IPv4 as mapped into IPv6, so that both ways to write it are one. */
static bool as_in6(const unsigned char *p, size_t n, struct in6_addr *out)
{
    *out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
    if (n == 4)
        memcpy(out->s6_addr + 12, p, n);
    else if (n == 16)
        memcpy(out->s6_addr, p, n);
    return n == 4 || n == 16;
}

static bool same_address(const char *allowed, const ASN1_STRING *address)
{
    unsigned char raw[16];
    struct in6_addr ours, theirs;
    size_t n = inet_pton(AF_INET, allowed, raw) == 1    ? 4
               : inet_pton(AF_INET6, allowed, raw) == 1 ? 16
                                                        : 0;

    return as_in6(raw, n, &ours) &&
           as_in6(ASN1_STRING_get0_data(address), (size_t)ASN1_STRING_length(address),
                  &theirs) &&
           memcmp(&ours, &theirs, sizeof ours) == 0;
}

static bool same(const char *allowed, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return same_text(allowed, name->d.dNSName);
    case GEN_EMAIL:
        return same_text(allowed, name->d.rfc822Name);
    case GEN_URI:
        return same_text(allowed, name->d.uniformResourceIdentifier);
    case GEN_IPADD:
        return same_address(allowed, name->d.iPAddress);
    default:
        return false;
    }
}

bool sans_allow(const struct sans *s, const X509 *certificate)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && !found; i++)
        for (size_t k = 0; k < s->count && !found; k++)
            found = same(s->names[k], sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return found;
}
