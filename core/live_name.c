#include "core/live_name.h"

enum live_kind live_name(struct view file, struct view *name)
{
    static const struct {
        struct view suffix;
        enum live_kind kind;
    } known[] = { /* none is the end of another */
                  { { ".progress", 9 }, LIVE_PROGRESS },
                  { { ".progress.txt", 13 }, LIVE_PROGRESS },
                  { { ".progress.log", 13 }, LIVE_PROGRESS },
                  { { ".psnr.log", 9 }, LIVE_PSNR },
                  { { ".psnr.txt", 9 }, LIVE_PSNR },
                  { { ".psnr", 5 }, LIVE_PSNR },
                  { { ".ssim.log", 9 }, LIVE_SSIM },
                  { { ".ssim.txt", 9 }, LIVE_SSIM },
                  { { ".ssim", 5 }, LIVE_SSIM },
                  { { ".vmaf.json", 10 }, LIVE_VMAF },
                  { { ".vmaf.xml", 9 }, LIVE_VMAF },
                  { { ".vmaf.csv", 9 }, LIVE_VMAF },
                  { { ".vmaf.sub", 9 }, LIVE_VMAF },
                  { { ".vmaf.log", 9 }, LIVE_VMAF },
                  { { ".vmaf.txt", 9 }, LIVE_VMAF },
                  { { ".vmaf", 5 }, LIVE_VMAF }
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (file.n <= known[i].suffix.n || !view_ends(file, known[i].suffix))
            continue;
        *name = (struct view){ file.p, file.n - known[i].suffix.n };
        return known[i].kind;
    }
    return LIVE_NONE;
}

static bool stays(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '-' || c == '+' || (unsigned char)c >= 0x80;
}

/* The next character of the form; 0: the end. *v is what is left of the name. */
static char next(struct view *v, bool first)
{
    if (v->n && stays(*v->p)) {
        char c = *v->p;

        *v = view_skip(*v, 1);
        return c;
    }
    while (v->n && !stays(*v->p))
        *v = view_skip(*v, 1);
    if (!v->n)
        return 0;
    return first ? next(v, false) : '_';
}

static bool has_form(struct view name)
{
    return next(&name, true) != 0;
}

void live_name_canonical(struct view name, struct buf *out)
{
    struct view rest = name;
    bool first = true;
    char c;

    if (!has_form(name))
        buf_view(out, name);
    for (; (c = next(&rest, first)); first = false)
        buf_char(out, c);
}
