/*
 * main.c - encode_manual: writes one of the texts of manual.h to stdout.
 */
#include "server/manual/manual.h"

#include <stdio.h>

static bool read_file(const char *path, struct buf *text)
{
    FILE *f = fopen(path, "r");
    char bytes[4096];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        buf_add(text, bytes, n);

    bool good = !ferror(f);

    fclose(f);
    return good;
}

static int add_page(const char *path, const char *date, struct buf *out)
{
    struct buf text = { 0 };
    struct view bad;
    int rc = 1;

    if (!read_file(path, &text))
        perror(path);
    else if (!manual_page(buf_as_view(&text), date, out, &bad))
        fprintf(stderr, "%s: unknown: %.*s\n", path, VIEW_ARG(bad));
    else
        rc = 0;
    buf_deinit(&text);
    return rc;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    struct buf out = { 0 };
    int rc = 0;

    if (strcmp(what, "man") == 0 && argc == 4) {
        rc = add_page(argv[2], argv[3], &out);
    } else if (strcmp(what, "bash") == 0) {
        manual_bash(&out);
    } else if (strcmp(what, "zsh") == 0) {
        manual_zsh(&out);
    } else if (strcmp(what, "fish") == 0) {
        manual_fish(&out);
    } else {
        fprintf(stderr, "usage: encode_manual man TEXT DATE | bash | zsh | fish\n");
        rc = 2;
    }
    if (rc == 0 && (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0))
        rc = 1;
    buf_deinit(&out);
    return rc;
}
