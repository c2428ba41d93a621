/* Tables of text in columns. */
#ifndef TROUPE_UI_TABLE_H
#define TROUPE_UI_TABLE_H

#include "base/buf.h"
#include "base/vec.h"

struct table {
    struct arena *arena;
    size_t columns;
    VEC(struct str) cells; /* row by row */
    /* cells that stand out: bold with colour, with a `*` behind them without */
    VEC(bool) marked;
};

#define TABLE(a, n) ((struct table){.arena = (a), .columns = (n)})

void table_cell(struct table *t, struct str text);
void table_mark(struct table *t, struct str text);
/* Columns two spaces apart, widths in characters, nothing behind the last cell of a row. */
void table_write(const struct table *t, struct buf *out, bool colour);

#endif
