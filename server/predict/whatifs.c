#include "server/predict/whatifs.h"

#include <stdlib.h>

#include "core/mem.h"

void whatifs_unref(struct whatifs *w)
{
    if (!w || --w->refs > 0)
        return;
    whatif_deinit(&w->list);
    free(w);
}

int whatifs_read(const struct config *c, struct whatifs **out, struct err *e)
{
    const struct predict_config *p = &c->predict;
    struct whatifs *w = mem_zalloc(sizeof *w);
    struct buf text = { 0 };
    struct view content = { NULL, 0 };
    int rc = predict_config_read(p, &text, e);

    w->refs = 1;
    if (p->configs.path)
        content = text.p ? buf_as_view(&text) : VIEW("");
    if (rc == 0)
        rc = whatif_read(content, p->configs.path, p->target_vmaf, &w->list, e);
    w->says = hash_of(content.p ? content : VIEW(""), content.p != NULL);
    buf_deinit(&text);
    if (rc < 0) {
        free(w);
        return rc;
    }
    *out = w;
    return 0;
}
