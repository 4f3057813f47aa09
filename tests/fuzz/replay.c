/*
 * replay.c - gives every file of a corpus to a fuzz target once, where libFuzzer is
 * not linked. Usage: fuzz_x DIR|FILE …
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t n = 0, cap = 0;

    if (!f) {
        perror(path);
        return -1;
    }
    for (;;) {
        if (n == cap) {
            cap = cap ? cap * 2 : 4096;
            bytes = realloc(bytes, cap);
            if (!bytes)
                abort();
        }
        size_t got = fread(bytes + n, 1, cap - n, f);

        if (got == 0)
            break;
        n += got;
    }
    fclose(f);

    /* Exactly as large as the input, so that a read past its end is seen. */
    uint8_t *exact = malloc(n ? n : 1);

    if (!exact)
        abort();
    memcpy(exact, bytes, n);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    size_t replayed = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;
        DIR *dir;

        if (stat(argv[i], &st) == 0 && !S_ISDIR(st.st_mode)) {
            if (replay_file(argv[i]) < 0)
                return 1;
            replayed++;
            continue;
        }
        dir = opendir(argv[i]);
        if (!dir) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(dir));) {
            char path[4096];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            if (replay_file(path) < 0) {
                closedir(dir);
                return 1;
            }
            replayed++;
        }
        closedir(dir);
    }
    printf("%zu inputs replayed\n", replayed);
    return replayed ? 0 : 1; /* an empty corpus proves nothing */
}
