/* Tables of text in columns. */
#include "ui/table.h"

#include "base/visible.h"

static void add(struct table *t, struct str text, bool marked)
{
    vec_push(t->arena, &t->cells, visible(t->arena, text, VISIBLE_LINE));
    vec_push(t->arena, &t->marked, marked);
}

void table_cell(struct table *t, struct str text)
{
    add(t, text, false);
}

void table_mark(struct table *t, struct str text)
{
    add(t, text, true);
}

void table_write(const struct table *t, struct buf *out, bool colour)
{
    size_t *width = ARENA_ARRAY(t->arena, t->columns + 1, size_t);
    for (size_t i = 0; i < t->cells.n; i++) {
        size_t n = visible_columns(t->cells.p[i]) + (t->marked.p[i] && !colour);
        if (n > width[i % t->columns])
            width[i % t->columns] = n;
    }
    for (size_t i = 0; i < t->cells.n; i++) {
        size_t column = i % t->columns, n = visible_columns(t->cells.p[i]);
        bool marked = t->marked.p[i], last = column + 1 == t->columns;
        if (marked && colour)
            buf_lit(out, "\033[1m");
        buf_add(out, t->cells.p[i]);
        if (marked && colour)
            buf_lit(out, "\033[0m");
        else if (marked) {
            buf_char(out, '*');
            n++;
        }
        for (; !last && n < width[column] + 2; n++)
            buf_char(out, ' ');
        if (last) {
            while (out->n && out->p[out->n - 1] == ' ') /* cells at the end of the row were empty */
                out->n--;
            buf_char(out, '\n');
        }
    }
}
