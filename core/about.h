/*
 * about.h - facts that modules tell to people: prices in force and where they come from.
 */
#ifndef CORE_ABOUT_H
#define CORE_ABOUT_H

#include "core/arena.h"

struct about_fact {
    struct view what, value, source;
    const char *section; /* borrowed */
};

struct about {        /* zero-initialised: empty */
    struct arena mem; /* the texts of the rows */
    struct about_fact *rows;
    size_t count, cap;
    const char *section; /* of the rows that follow */
};

/* Rows from now on belong to this section; title lives as long as a. */
void about_section(struct about *a, const char *title);

/* One row; all texts are copied. source may be empty. */
void about_row(struct about *a, struct view what, struct view value,
               struct view source);

void about_deinit(struct about *a);

#endif
