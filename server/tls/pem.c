#include "server/tls/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/mem.h"
#include "server/tls/problem.h"

/* The whole file at fd, or a negative errno. */
static ssize_t read_all(int fd, char **text)
{
    struct stat st;
    size_t n = 0;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size > PEM_BYTES_MAX)
        return -EFBIG;
    *text = mem_alloc(PEM_BYTES_MAX + 1);
    for (;;) {
        ssize_t got = read(fd, *text + n, PEM_BYTES_MAX + 1 - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return (ssize_t)n;
        n += (size_t)got;
        if (n > PEM_BYTES_MAX)
            return -EFBIG;
    }
}

static int read_file(struct pem *p, const char *path)
{
    /* Not to wait for a writer, should it be a FIFO. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = fd < 0 ? -errno : read_all(fd, &p->text);

    if (fd >= 0)
        close(fd);
    if (n >= 0)
        p->n = (size_t)n;
    return n < 0 ? (int)n : 0;
}

int pem_read(struct pem *out, const char *key, const char *path, const char *text,
             struct err *e)
{
    struct pem p = { 0 };
    int rc;

    if (!path && !text)
        return err_set(e, -EINVAL, "%s_file: neither %s nor %s_file is given", key, key,
                       key);
    if (!path) {
        p.text = mem_strdup(text);
        p.n = strlen(text);
        snprintf(p.where, sizeof p.where, "%s", key);
        *out = p;
        return 0;
    }
    snprintf(p.where, sizeof p.where, "%s_file: %s", key, path);
    rc = read_file(&p, path);
    if (rc == 0) {
        *out = p;
        return 0;
    }
    if (rc == -EINVAL)
        err_set(e, rc, "%s: is no regular file", p.where);
    else if (rc == -EFBIG)
        err_set(e, rc, "%s: has more than %d bytes", p.where, PEM_BYTES_MAX);
    else
        err_set(e, rc, "%s: %s", p.where, strerror(-rc));
    pem_deinit(&p);
    return rc;
}

void pem_deinit(struct pem *p)
{
    if (p->text)
        OPENSSL_cleanse(p->text, p->n);
    free(p->text);
    *p = (struct pem){ 0 };
}

/* Asked for the password of an encrypted block: there is nobody to say it. */
static int no_password(char *to, int n, int writing, void *ctx)
{
    (void)writing;
    if (n > 0)
        *to = '\0';
    *(bool *)ctx = true;
    return -1;
}

static BIO *open_text(const struct pem *p)
{
    BIO *bio = BIO_new_mem_buf(p->text, (int)p->n);

    if (!bio)
        mem_exhausted(0);
    ERR_clear_error();
    return bio;
}

int pem_certificates(const struct pem *p, STACK_OF(X509) * *out, struct err *e)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = open_text(p);
    bool locked = false;
    X509 *one;
    int count;

    if (!all)
        mem_exhausted(0);
    while ((one = PEM_read_bio_X509(bio, NULL, no_password, &locked)))
        if (sk_X509_push(all, one) == 0)
            mem_exhausted(0);
    BIO_free(bio);
    count = sk_X509_num(all);
    /* The end of the text shows as "no start line". */
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE && count > 0) {
        ERR_clear_error();
        *out = all;
        return 0;
    }
    sk_X509_pop_free(all, X509_free);
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
        return err_set(e, -EINVAL, "%s: has no certificate in PEM form", p->where);
    }
    return err_set(e, -EINVAL, "%s: certificate %d cannot be read: %s", p->where,
                   count + 1, problem_reason());
}

int pem_private_key(const struct pem *p, EVP_PKEY **out, struct err *e)
{
    BIO *bio = open_text(p);
    bool locked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &locked);

    BIO_free(bio);
    if (key) {
        ERR_clear_error();
        *out = key;
        return 0;
    }
    if (locked) {
        ERR_clear_error();
        return err_set(e, -EINVAL,
                       "%s: the key is encrypted; it must be without password",
                       p->where);
    }
    return err_set(e, -EINVAL, "%s: has no private key in PEM form: %s", p->where,
                   problem_reason());
}
