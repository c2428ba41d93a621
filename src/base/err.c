/* Errors and their rendering. The layout of a diagnostic follows what people know from compilers:
 * message, place, source line, caret, notes, help. */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/visible.h"

static struct arena *texts(struct err *err)
{
    if (!err->arena)
        err->arena = arena_new();
    return err->arena;
}

static int set_v(struct err *err, struct pos pos, enum err_kind kind, const char *fmt, va_list ap)
{
    assert(err->kind == ERR_NONE);
    err->kind = kind;
    err->pos = pos;
    err->msg = str_vfmt(texts(err), fmt, ap);
    return -1;
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_v(err, (struct pos){0}, kind, fmt, ap);
    va_end(ap);
    return -1;
}

int err_at(struct err *err, struct pos pos, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_v(err, pos, kind, fmt, ap);
    va_end(ap);
    return -1;
}

int err_sys(struct err *err, int error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_v(err, (struct pos){0}, error == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, fmt, ap);
    va_end(ap);
    err->msg = str_fmt(err->arena, "%.*s: %s", STR_ARG(err->msg), strerror(error));
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str context = str_vfmt(texts(err), fmt, ap);
    va_end(ap);
    for (struct err *e = err; e; e = e->more)
        e->msg = str_fmt(err->arena, "%.*s: %.*s", STR_ARG(context), STR_ARG(e->msg));
    return -1;
}

int err_help(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err->help = str_vfmt(texts(err), fmt, ap);
    va_end(ap);
    return -1;
}

int err_note(struct err *err, struct pos pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct err_note *note = ARENA_NEW(texts(err), struct err_note);
    note->text = str_vfmt(err->arena, fmt, ap);
    va_end(ap);
    note->pos = pos;
    struct err_note **tail = &err->note;
    while (*tail)
        tail = &(*tail)->next;
    *tail = note;
    return -1;
}

/* ---- several ---- */

enum { ERRORS_KEPT = 1000 };

/* Is it the same file? One that is used twice is read twice. */
static bool is_same_file(const struct source *x, const struct source *y)
{
    return x == y || (x && y && str_eq(x->path, y->path));
}

static bool is_same(const struct err *x, const struct err *y)
{
    return is_same_file(x->pos.source, y->pos.source) && x->pos.line == y->pos.line &&
           x->pos.column == y->pos.column && str_eq(x->msg, y->msg);
}

static void add_one(struct err *err, const struct err *one)
{
    size_t count = 0;
    struct err **tail = &err;
    for (; *tail; tail = &(*tail)->more, count++)
        if (is_same(*tail, one))
            return;
    if (count >= ERRORS_KEPT) {
        err->uncounted++;
        return;
    }
    struct err *kept = ARENA_NEW(err->arena, struct err);
    *kept = *one;
    kept->arena = NULL;
    kept->more = NULL;
    *tail = kept;
}

int err_also(struct err *err, struct err *one)
{
    if (!err->kind && one->kind) {
        err_move(err, one);
    } else if (one->kind) {
        arena_join(err->arena, one->arena);
        one->arena = NULL;
        err->uncounted += one->uncounted;
        for (const struct err *e = one; e; e = e->more)
            add_one(err, e);
    }
    err_clear(one);
    return err->kind ? -1 : 0;
}

void err_clear(struct err *err)
{
    arena_free(err->arena);
    *err = (struct err){0};
}

void err_move(struct err *to, struct err *from)
{
    assert(to->kind == ERR_NONE);
    arena_free(to->arena);
    *to = *from;
    *from = (struct err){0};
}

struct style {
    const char *title, *bold, *dim, *off;
};

static struct str source_line(struct pos pos)
{
    struct str rest = pos.source->text, line = {"", 0};
    for (uint32_t i = 0; i < pos.line; i++)
        if (!str_cut(&rest, '\n', &line))
            return (struct str){"", 0};
    return line;
}

enum { LINE_SHOWN = 160 };

/* Show the line, at most LINE_SHOWN characters of it around the place, and the caret below. */
static void add_snippet(struct buf *b, struct pos pos, const struct style *st)
{
    struct str line = source_line(pos);
    uint32_t skip = pos.column > LINE_SHOWN / 2 ? pos.column - LINE_SHOWN / 2 : 0;
    struct buf text = BUF(b->arena), caret = BUF(b->arena), none = BUF(b->arena);
    uint32_t column = 0, length = pos.length ? pos.length : 1;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    for (size_t i = 0; i < line.n && column < skip + LINE_SHOWN;) {
        size_t before = visible_columns(buf_str(&text));
        if (line.p[i] == '\t' && ++i)
            buf_char(column < skip ? &none : &text, ' ');
        else
            i += buf_visible_one(column < skip ? &none : &text, line, i, VISIBLE_LINE);
        column++;
        if (column > skip && column < pos.column + length)
            for (size_t k = visible_columns(buf_str(&text)); k > before; k--)
                buf_char(&caret, column < pos.column ? ' ' : '^');
    }
    for (; column + 1 < pos.column; column++)
        buf_char(&caret, ' ');
    if (column < pos.column)
        buf_char(&caret, '^');
    buf_fmt(b, "     %s|%s\n%s%4u |%s ", st->dim, st->off, st->dim, pos.line, st->off);
    buf_add(b, buf_str(&text));
    buf_fmt(b, "\n     %s|%s %s%.*s%s\n", st->dim, st->off, st->title, STR_ARG(buf_str(&caret)),
            st->off);
}

static void add_place(struct buf *b, struct pos pos, const struct style *st)
{
    buf_fmt(b, "  %s-->%s ", st->dim, st->off);
    buf_visible(b, pos.source->path, VISIBLE_LINE);
    if (pos.line)
        buf_fmt(b, ":%u:%u", pos.line, pos.column ? pos.column : 1);
    buf_char(b, '\n');
    if (pos.line)
        add_snippet(b, pos, st);
}

static void add_labelled(struct buf *b, const char *label, struct str text, struct pos pos,
                         const struct style *st)
{
    buf_fmt(b, "  %s=%s %s%s:%s ", st->dim, st->off, st->bold, label, st->off);
    buf_visible(b, text, VISIBLE_LINE);
    if (pos.source) {
        buf_lit(b, " at ");
        buf_visible(b, pos.source->path, VISIBLE_LINE);
        buf_fmt(b, ":%u:%u", pos.line, pos.column);
    }
    buf_char(b, '\n');
}

static struct style style_for(bool colour, const char *title)
{
    return colour ? (struct style){title, "\033[1m", "\033[2m", "\033[0m"}
                  : (struct style){"", "", "", ""};
}

static void add_error(struct buf *b, const struct err *err, const struct style *st)
{
    buf_fmt(b, "%serror:%s ", st->title, st->off);
    buf_visible(b, err->msg, VISIBLE_LINE);
    buf_char(b, '\n');
    if (err->pos.source)
        add_place(b, err->pos, st);
    for (const struct err_note *n = err->note; n; n = n->next)
        add_labelled(b, "note", n->text, n->pos, st);
    if (err->request_id.n)
        add_labelled(b, "request id", err->request_id, (struct pos){0}, st);
    if (err->help.n)
        add_labelled(b, "help", err->help, (struct pos){0}, st);
}

struct placed {
    const struct err *err;
    /* number of the file among those with an error, and of the error among all */
    size_t file, found;
};

static int by_place(const void *px, const void *py)
{
    const struct placed *x = px, *y = py;
    const struct pos *p = &x->err->pos, *q = &y->err->pos;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (p->line != q->line)
        return p->line < q->line ? -1 : 1;
    if (p->column != q->column)
        return p->column < q->column ? -1 : 1;
    return x->found < y->found ? -1 : x->found > y->found;
}

/* Errors in the order of their file, those without a place last; files in the order of their first
 * error. */
static struct placed *in_order(struct arena *a, const struct err *err, size_t *ret_n)
{
    size_t n = 0;
    for (const struct err *e = err; e; e = e->more)
        n++;
    struct placed *list = ARENA_ARRAY(a, n, struct placed);
    *ret_n = n;
    n = 0;
    for (const struct err *e = err; e; e = e->more, n++) {
        list[n] = (struct placed){e, e->pos.source ? n : SIZE_MAX, n};
        for (size_t i = 0; i < n; i++)
            if (is_same_file(list[i].err->pos.source, e->pos.source)) {
                list[n].file = list[i].file;
                break;
            }
    }
    qsort(list, n, sizeof *list, by_place);
    return list;
}

struct str err_render(struct arena *a, const struct err *err, bool colour)
{
    struct style st = style_for(colour, "\033[1;31m");
    struct buf b = BUF(a);
    size_t n;
    struct placed *list = in_order(a, err, &n);
    for (size_t i = 0; i < n && i < ERRORS_SHOWN; i++)
        add_error(&b, list[i].err, &st);
    size_t left = (n > ERRORS_SHOWN ? n - ERRORS_SHOWN : 0) + err->uncounted;
    if (left)
        buf_fmt(&b, "%serror:%s and %zu more error%s\n", st.title, st.off, left,
                left == 1 ? "" : "s");
    return buf_str(&b);
}

struct str warning_render(struct arena *a, struct pos pos, struct str msg, struct str help,
                          bool colour)
{
    struct style st = style_for(colour, "\033[1;33m");
    struct buf b = BUF(a);
    buf_fmt(&b, "%swarning:%s ", st.title, st.off);
    buf_visible(&b, msg, VISIBLE_LINE);
    buf_char(&b, '\n');
    if (pos.source)
        add_place(&b, pos, &st);
    if (help.n)
        add_labelled(&b, "help", help, (struct pos){0}, &st);
    return buf_str(&b);
}
