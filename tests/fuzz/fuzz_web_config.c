/*
 * fuzz_web_config.c - any bytes as a web config: refused with file, place and reason on one
 * line, or settings that hold what the headers promise. What is behind a NUL is the value of
 * an Authorization field: read strictly or not at all.
 */
#include "server/web/toolbox.h"
#include "server/web/bcrypt_cost.h"
#include "server/web/credentials.h"
#include "server/web/web_config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_list(const struct tls_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        require(list->items[i] && list->items[i][0]);
}

static void check_tls(const struct tls_settings *t)
{
    require(!t->cert != !t->cert_file && !t->key != !t->key_file);
    require(!t->client_ca || !t->client_ca_file);
    check_list(&t->client_allowed_sans);
    check_list(&t->cipher_suites);
    check_list(&t->curve_preferences);
}

/* Each line ends with CRLF and neither is anywhere else. */
static void check_headers(const char *p)
{
    require(strlen(p) < WEB_HEADER_BYTES_MAX);
    while (*p) {
        const char *end = strpbrk(p, "\r\n");

        require(end && end[0] == '\r' && end[1] == '\n');
        require(memchr(p, ':', (size_t)(end - p)));
        p = end + 2;
    }
}

static void check(const struct web_config *c)
{
    require(!c->empty || (!c->has_tls && c->user_count == 0));
    if (c->has_tls)
        check_tls(&c->tls);
    check_headers(c->headers);
    require(c->user_count <= WEB_USERS_MAX);
    for (size_t i = 0; i < c->user_count; i++) {
        require(!memchr(c->users[i].name.p, ':', c->users[i].name.n));
        require(bcrypt_cost(view_of(c->users[i].hash), NULL) >= BCRYPT_COST_MIN);
    }
    for (size_t i = 0; i < c->notice_count; i++)
        require(strncmp(c->notices[i], "web.yml:", 8) == 0);
}

static void read_config(struct view text)
{
    struct web_config *c = NULL;
    struct err e = { 0 };

    if (web_config_parse(&encode_toolbox, text, "web.yml", &c, &e) == 0)
        check(c);
    else
        require(!c && e.code < 0 && strncmp(e.text, "web.yml:", 8) == 0 &&
                !strpbrk(e.text, "\r\n"));
    web_config_unref(c);
}

static void read_credentials(struct view field)
{
    struct credentials c;

    if (credentials_read(field, &c)) {
        require(!memchr(c.name.p, ':', c.name.n) && c.name.n <= WEB_NAME_BYTES_MAX);
        require(c.password.p == c.name.p + c.name.n + 1);
        require(strlen(c.password.p) == c.password.n);
    }
    credentials_wipe(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = { (const char *)data, size }, config;

    if (size == 0)
        text.p = "";
    view_split(&text, '\0', &config);
    read_config(config);
    if (text.p)
        read_credentials(text);
    return 0;
}
