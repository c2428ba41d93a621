/* Errors and their rendering. The layout of a diagnostic follows what people know from compilers:
 * message, place, source line, caret, notes, help. */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>

#include "base/buf.h"

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
    err->msg = str_fmt(err->arena, "%.*s: %.*s", STR_ARG(context), STR_ARG(err->msg));
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

/* Text from files and from AWS must not drive the terminal. */
static void add_visible(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        buf_char(b, (c < 0x20 && c != '\n') || c == 0x7F ? '?' : (char)c);
    }
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

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

enum { LINE_SHOWN = 160 };

/* The line, at most LINE_SHOWN characters of it around the place, and the caret below. */
static void add_snippet(struct buf *b, struct pos pos, const struct style *st)
{
    struct str line = source_line(pos);
    uint32_t skip = pos.column > LINE_SHOWN / 2 ? pos.column - LINE_SHOWN / 2 : 0;
    struct buf text = BUF(b->arena), caret = BUF(b->arena);
    uint32_t column = 0, length = pos.length ? pos.length : 1;
    for (size_t i = 0; i < line.n && column < skip + LINE_SHOWN; i++) {
        if (!is_continuation(line.p[i]))
            column++;
        if (column > skip && line.p[i] != '\r')
            buf_char(&text, line.p[i] == '\t' ? ' ' : line.p[i]);
    }
    for (uint32_t i = 1 + skip; i < pos.column; i++)
        buf_char(&caret, ' ');
    for (uint32_t i = 0; i < length && (i == 0 || pos.column + i <= column); i++)
        buf_char(&caret, '^');
    buf_fmt(b, "     %s|%s\n%s%4u |%s ", st->dim, st->off, st->dim, pos.line, st->off);
    add_visible(b, buf_str(&text));
    buf_fmt(b, "\n     %s|%s %s%.*s%s\n", st->dim, st->off, st->title, STR_ARG(buf_str(&caret)),
            st->off);
}

static void add_place(struct buf *b, struct pos pos, const struct style *st)
{
    buf_fmt(b, "  %s-->%s ", st->dim, st->off);
    add_visible(b, pos.source->path);
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
    add_visible(b, text);
    if (pos.source) {
        buf_lit(b, " at ");
        add_visible(b, pos.source->path);
        buf_fmt(b, ":%u:%u", pos.line, pos.column);
    }
    buf_char(b, '\n');
}

static struct style style_for(bool colour, const char *title)
{
    return colour ? (struct style){title, "\033[1m", "\033[2m", "\033[0m"}
                  : (struct style){"", "", "", ""};
}

struct str err_render(struct arena *a, const struct err *err, bool colour)
{
    struct style st = style_for(colour, "\033[1;31m");
    struct buf b = BUF(a);
    buf_fmt(&b, "%serror:%s ", st.title, st.off);
    add_visible(&b, err->msg);
    buf_char(&b, '\n');
    if (err->pos.source)
        add_place(&b, err->pos, &st);
    for (const struct err_note *n = err->note; n; n = n->next)
        add_labelled(&b, "note", n->text, n->pos, &st);
    if (err->request_id.n)
        add_labelled(&b, "request id", err->request_id, (struct pos){0}, &st);
    if (err->help.n)
        add_labelled(&b, "help", err->help, (struct pos){0}, &st);
    return buf_str(&b);
}

struct str warning_render(struct arena *a, struct pos pos, struct str msg, struct str help,
                          bool colour)
{
    struct style st = style_for(colour, "\033[1;33m");
    struct buf b = BUF(a);
    buf_fmt(&b, "%swarning:%s ", st.title, st.off);
    add_visible(&b, msg);
    buf_char(&b, '\n');
    if (pos.source)
        add_place(&b, pos, &st);
    if (help.n)
        add_labelled(&b, "help", help, (struct pos){0}, &st);
    return buf_str(&b);
}
