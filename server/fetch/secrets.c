#include "server/fetch/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { SECRET_MAX = 64 * 1024, CERTIFICATES_MAX = 4 * 1024 * 1024 };

void secret_forget(struct secret *s)
{
    if (s->text)
        explicit_bzero(s->text, strlen(s->text));
    free(s->text);
    s->text = NULL;
}

/* What goes into a header line must not end it. */
static bool is_line(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] < ' ' || v.p[i] == 0x7f)
            return false;
    return v.n > 0;
}

static int take(struct secret *s, const struct buf *text, struct err *e)
{
    struct view line = view_trim(buf_as_view(text));

    if (!is_line(line))
        return err_set(e, -EBADMSG, "%s: %s", s->path,
                       line.n ? "has more than one line, or control characters"
                              : "is empty");
    secret_forget(s);
    s->text = mem_zalloc(line.n + 1);
    memcpy(s->text, line.p, line.n);
    return 0;
}

int secret_refresh(struct secret *s, struct err *e)
{
    struct buf text = { 0 };
    struct err why = { 0 };
    struct stat st;

    if (!s->path)
        return 0;
    if (s->text && stat(s->path, &st) == 0) {
        struct stamp now = stamp_of(&st);

        if (stamp_eq(&now, &s->stamp))
            return 0;
    }

    int rc = opener_read_trusted(s->path, SECRET_MAX, 0, &text, &s->stamp, &why);

    rc = rc < 0 ? err_set(e, rc, "%s: %s", s->path, why.text) : take(s, &text, e);
    if (rc < 0)
        s->stamp = (struct stamp){ 0 }; /* is read again */
    if (text.p)
        explicit_bzero(text.p, text.n);
    buf_deinit(&text);
    return rc;
}

int secret_readable(const char *path, struct err *e)
{
    struct buf text = { 0 };
    struct stamp stamp;
    struct err why = { 0 };

    if (!path)
        return 0;

    int rc = opener_read_trusted(path, CERTIFICATES_MAX, 0, &text, &stamp, &why);

    if (text.p)
        explicit_bzero(text.p, text.n); /* may be a key */
    buf_deinit(&text);
    return rc < 0 ? err_set(e, rc, "%s: %s", path, why.text) : 0;
}
