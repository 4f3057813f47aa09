/*
 * passwords.c - who may come in.
 *
 * bcrypt takes 50 ms and more by design, so nobody waits for it who need not, and nobody
 * can make the program do nothing else:
 *   - it runs on the pool, one check at a time; files are parsed on the other threads;
 *   - requests with the same name and password share one check;
 *   - what was right is remembered until the config changes, what was wrong for a while:
 *     as a keyed hash of name and password, the key being this process's own secret;
 *   - a queue of 16, and who finds it full is told to come again.
 *
 * Nothing tells whether there is a user of some name: one that is not there costs a check
 * as well, against the hash of some user who is, always the same for the same name. All
 * hashes and names are compared in full.
 *
 * A check that was begun under an older config is begun again.
 */
#include "server/web/passwords.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/log.h"
#include "server/web/credentials.h"
#include "server/web/rate.h"
#include "server/web/siphash.h"

struct memo {
    struct digest digest;
    uint64_t until_ms; /* 0: free */
};

/* What a connection has of us while it waits. */
struct ticket {
    struct check *check;
    struct door_wait *wait;
    struct ticket *prev, *next;
};

struct check {
    uv_work_t work;
    struct passwords *owner;
    struct check *next; /* that waits behind this one */
    struct digest digest;
    struct credentials said;
    struct ticket *tickets;
    bool queued; /* it waits for others to be done */

    /* Of the check under way; the pool reads them. */
    struct web_config *config;
    const char *hash;
    bool known; /* there is a user of that name */
    int result;
};

struct passwords {
    uv_loop_t *loop;
    const struct toolbox *toolbox;
    struct siphash_key key;
    struct web_config *config; /* NULL: none yet */
    struct rate rate;

    struct digest *names; /* of the users, in their order */
    struct memo *right;   /* of each user */
    struct memo wrong[PASSWORDS_WRONG_MAX];
    size_t wrong_next;

    struct check *running;
    struct check *first, *last; /* waiting */
    size_t waiting;

    uint64_t logins[LOGIN_COUNT];
    uint64_t checks;
    bool told_broken;
};

/* ---- what is remembered --------------------------------------------------------------- */

static struct digest digest_of(const struct passwords *p, const struct credentials *c)
{
    /* Name, colon and password lie side by side, and no name has a colon. */
    struct view whole = { c->name.p, c->name.n + 1 + c->password.n };

    return siphash(&p->key, whole);
}

static bool remembered(const struct memo *memos, size_t count, const struct digest *d,
                       uint64_t now_ms)
{
    bool found = false;

    for (size_t i = 0; i < count; i++)
        found |= digest_eq(&memos[i].digest, d) & (memos[i].until_ms > now_ms);
    return found;
}

static void forget(struct passwords *p)
{
    if (p->config)
        explicit_bzero(p->right, p->config->user_count * sizeof *p->right);
    explicit_bzero(p->wrong, sizeof p->wrong);
}

/* The user of that name; where there is none, one that stands in. */
static size_t find_user(const struct passwords *p, struct view name, bool *known)
{
    const struct digest d = siphash(&p->key, name);
    size_t at = d.part[0] % p->config->user_count;

    *known = false;
    for (size_t i = 0; i < p->config->user_count; i++) {
        bool same = digest_eq(&p->names[i], &d);

        at = same ? i : at;
        *known |= same;
    }
    return at;
}

static void remember(struct passwords *p, const struct check *c, bool right)
{
    bool known;

    if (right) {
        p->right[find_user(p, c->said.name, &known)] =
            (struct memo){ c->digest, UINT64_MAX };
    } else {
        p->wrong[p->wrong_next] =
            (struct memo){ c->digest, uv_now(p->loop) + PASSWORDS_WRONG_MS };
        p->wrong_next = (p->wrong_next + 1) % PASSWORDS_WRONG_MAX;
    }
}

/* ---- checks --------------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct check *c = work->data;

    c->result = c->owner->toolbox->bcrypt(c->hash, c->said.password.p);
}

static void on_worked(uv_work_t *work, int status);

static void begin(struct passwords *p, struct check *c)
{
    const struct web_config *config = web_config_ref(p->config);

    p->running = c;
    c->config = p->config;
    c->hash = config->users[find_user(p, c->said.name, &c->known)].hash;
    c->work.data = c;
    p->checks++;
    /* Fails without a callback alone. */
    uv_queue_work(p->loop, &c->work, on_work, on_worked);
}

static void decide(struct passwords *p, struct check *c, enum door_verdict v)
{
    for (struct ticket *t; (t = c->tickets);) {
        struct door_wait *w = t->wait;

        c->tickets = t->next;
        if (c->tickets)
            c->tickets->prev = NULL;
        free(t);
        w->ticket = NULL;
        p->logins[v == DOOR_OPEN ? LOGIN_RIGHT : LOGIN_WRONG]++;
        w->decided(w, v); /* may ask or leave again */
    }
}

static void check_free(struct check *c)
{
    assert(!c->tickets);
    credentials_wipe(&c->said);
    free(c);
}

static struct check *take_waiting(struct passwords *p)
{
    struct check *c = p->first;

    if (!c)
        return NULL;
    p->first = c->next;
    if (!p->first)
        p->last = NULL;
    p->waiting--;
    c->next = NULL;
    c->queued = false;
    return c;
}

static bool locked(const struct passwords *p)
{
    return p->config && p->config->user_count > 0;
}

/* Nothing is under way: the next one is begun. */
static void go_on(struct passwords *p)
{
    struct check *c;

    while (!p->running && (c = take_waiting(p))) {
        if (locked(p)) {
            begin(p, c);
        } else {
            decide(p, c, DOOR_OPEN);
            check_free(c);
        }
    }
}

static void say_broken(struct passwords *p)
{
    if (!p->told_broken)
        log_line(LOG_ERROR, "passwords cannot be checked, nobody is let in", "reason",
                 "libcrypt of this system knows no bcrypt", NULL);
    p->told_broken = true;
}

static void on_worked(uv_work_t *work, int status)
{
    struct check *c = work->data;
    struct passwords *p = c->owner;
    bool stale = c->config != p->config, right = c->known && c->result > 0;

    (void)status; /* nothing is cancelled */
    web_config_unref(c->config);
    p->running = NULL;
    if (stale && locked(p)) {
        begin(p, c);
        return;
    }
    if (c->result < 0)
        say_broken(p);
    if (!stale)
        remember(p, c, right);
    go_on(p);
    decide(p, c, right || !locked(p) ? DOOR_OPEN : DOOR_LOCKED);
    check_free(c);
}

/* ---- the door ------------------------------------------------------------------------- */

static void wait_for(struct check *c, struct door_wait *w)
{
    struct ticket *t = mem_zalloc(sizeof *t);

    *t = (struct ticket){ .check = c, .wait = w, .next = c->tickets };
    if (t->next)
        t->next->prev = t;
    c->tickets = t;
    w->ticket = t;
}

static struct check *find_check(const struct passwords *p, const struct digest *d)
{
    if (p->running && digest_eq(&p->running->digest, d))
        return p->running;
    for (struct check *c = p->first; c; c = c->next)
        if (digest_eq(&c->digest, d))
            return c;
    return NULL;
}

static struct check *add_check(struct passwords *p, const struct credentials *said,
                               const struct digest *d)
{
    struct check *c = mem_zalloc(sizeof *c);

    c->owner = p;
    c->digest = *d;
    c->said = *said;
    c->said.name.p = c->said.room;
    c->said.password.p = c->said.room + c->said.name.n + 1;
    if (p->last)
        p->last->next = c;
    else
        p->first = c;
    p->last = c;
    p->waiting++;
    c->queued = true;
    return c;
}

static enum door_verdict judge(struct passwords *p, const struct credentials *said,
                               struct door_wait *w)
{
    const struct digest d = digest_of(p, said);
    uint64_t now_ms = uv_now(p->loop);
    struct check *c;

    if (remembered(p->right, p->config->user_count, &d, now_ms)) {
        p->logins[LOGIN_RIGHT]++;
        return DOOR_OPEN;
    }
    if (remembered(p->wrong, PASSWORDS_WRONG_MAX, &d, now_ms)) {
        p->logins[LOGIN_WRONG]++;
        return DOOR_LOCKED;
    }
    c = find_check(p, &d);
    if (!c && p->waiting == PASSWORDS_WAITING_MAX) {
        p->logins[LOGIN_BUSY]++;
        return DOOR_BUSY;
    }
    wait_for(c ? c : add_check(p, said, &d), w);
    go_on(p);
    return DOOR_WAIT;
}

static enum door_verdict on_ask(void *ctx, struct view authorization,
                                struct door_wait *w)
{
    struct passwords *p = ctx;
    struct credentials said;
    enum door_verdict v = DOOR_LOCKED;

    w->ticket = NULL;
    if (!rate_allow(&p->rate, uv_hrtime())) {
        p->logins[LOGIN_LIMITED]++;
        return DOOR_BUSY;
    }
    if (!locked(p))
        return DOOR_OPEN;
    if (credentials_read(authorization, &said))
        v = judge(p, &said, w);
    else
        p->logins[LOGIN_MISSING]++;
    credentials_wipe(&said);
    return v;
}

static void drop_waiting(struct passwords *p, struct check *gone)
{
    struct check *before = NULL;

    for (struct check *c = p->first; c != gone; c = c->next)
        before = c;
    if (before)
        before->next = gone->next;
    else
        p->first = gone->next;
    if (p->last == gone)
        p->last = before;
    p->waiting--;
    check_free(gone);
}

static void on_leave(void *ctx, struct door_wait *w)
{
    struct passwords *p = ctx;
    struct ticket *t = w->ticket;
    struct check *c;

    if (!t)
        return;
    c = t->check;
    if (t->prev)
        t->prev->next = t->next;
    else
        c->tickets = t->next;
    if (t->next)
        t->next->prev = t->prev;
    free(t);
    w->ticket = NULL;
    if (!c->tickets && c->queued)
        drop_waiting(p, c);
}

static bool on_locks(void *ctx)
{
    return locked(ctx);
}

static const char *on_headers(void *ctx)
{
    const struct passwords *p = ctx;

    return p->config ? p->config->headers : "";
}

struct door passwords_door(struct passwords *p)
{
    return (struct door){ p, on_ask, on_leave, on_locks, on_headers };
}

/* ---- life ----------------------------------------------------------------------------- */

int passwords_new(uv_loop_t *loop, const struct toolbox *t, struct passwords **out,
                  struct err *e)
{
    struct siphash_key key;
    int rc = uv_random(NULL, NULL, &key, sizeof key, 0, NULL);
    struct passwords *p;

    if (rc < 0)
        return err_set(e, rc, "no random numbers for passwords: %s", uv_strerror(rc));
    p = mem_zalloc(sizeof *p);
    p->loop = loop;
    p->toolbox = t;
    p->key = key;
    *out = p;
    return 0;
}

static void deconfigure(struct passwords *p)
{
    forget(p);
    free(p->right);
    free(p->names);
    web_config_unref(p->config);
}

void passwords_free(struct passwords *p)
{
    if (!p)
        return;
    assert(!p->running && !p->first);
    deconfigure(p);
    explicit_bzero(&p->key, sizeof p->key);
    free(p);
}

void passwords_configure(struct passwords *p, struct web_config *config)
{
    const struct web_config *old = p->config;

    if (!old || old->rate_interval_ns != config->rate_interval_ns ||
        old->rate_burst != config->rate_burst)
        rate_init(&p->rate, config->rate_interval_ns, config->rate_burst, uv_hrtime());
    deconfigure(p);
    p->config = config;
    p->right = mem_zalloc(config->user_count * sizeof *p->right);
    p->names = mem_zalloc(config->user_count * sizeof *p->names);
    for (size_t i = 0; i < config->user_count; i++)
        p->names[i] = siphash(&p->key, config->users[i].name);
}

uint64_t passwords_count(const struct passwords *p, enum login which)
{
    return p->logins[which];
}

uint64_t passwords_checks(const struct passwords *p)
{
    return p->checks;
}
