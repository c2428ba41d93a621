/* Progress: drawn when something changes, at most ten times a second. */
#include "ui/progress.h"

#include <pthread.h>

#include "base/visible.h"
#include "doc/json.h"

enum { REDRAW_MS = 100, TITLE_CELLS = 9 };

struct progress {
    FILE *out;
    enum progress_mode mode;
    bool colour, verbose, drawn;
    unsigned width;
    int64_t (*now_ms)(void);
    int64_t start, step_start, last_draw;
    char step[32]; /* the step whose line is redrawn */
    pthread_mutex_t lock;
};

struct progress *progress_new(FILE *out, const struct progress_look *look, int64_t (*now_ms)(void))
{
    struct progress *p = calloc(1, sizeof *p);
    if (!p)
        die("out of memory");
    *p = (struct progress){.out = out,
                           .mode = look->mode,
                           .colour = look->colour,
                           .verbose = look->verbose,
                           .width = look->width < 20 ? 20 : look->width,
                           .now_ms = now_ms,
                           .start = now_ms(),
                           .step_start = now_ms(),
                           .last_draw = -REDRAW_MS};
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

static void blank(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", p->out);
    p->drawn = false;
}

void progress_clear(struct progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    blank(p);
    fflush(p->out);
    pthread_mutex_unlock(&p->lock);
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    progress_clear(p);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* The beginning of `s` that fits into `columns`. */
static struct str shown(struct arena *a, struct str s, unsigned columns)
{
    struct buf b = BUF(a), next = BUF(a);
    size_t used = 0;
    for (size_t i = 0; i < s.n;) {
        next.n = 0;
        i += buf_visible_one(&next, s, i, VISIBLE_LINE);
        used += visible_columns(buf_str(&next));
        if (used > columns)
            break;
        buf_add(&b, buf_str(&next));
    }
    return buf_str(&b);
}

static void write_json(struct progress *p, struct arena *a, const char *step, struct str text,
                       bool finished)
{
    struct node *n = node_map(a);
    node_put_str(a, n, "step", str_c(step));
    node_put_str(a, n, "text", text);
    node_put_c(a, n, "finished", node_bool(a, finished));
    node_put_c(a, n, "ms", node_int(a, p->now_ms() - p->start));
    struct str line = visible(a, json_text(a, n, 0), VISIBLE_LINE);
    fprintf(p->out, "%.*s\n", STR_ARG(line));
}

static void write_line(struct progress *p, struct arena *a, const char *step, struct str text)
{
    enum { LINE_MAX_CELLS = 400 };
    int64_t s = (p->now_ms() - p->start) / 1000;
    struct str visible = shown(a, text, LINE_MAX_CELLS);
    fprintf(p->out, "%02lld:%02lld %s: %.*s\n", (long long)(s / 60), (long long)(s % 60), step,
            STR_ARG(visible));
}

static void draw(struct progress *p, struct arena *a, const char *step, struct str text)
{
    if (strcmp(p->step, step) != 0) {
        snprintf(p->step, sizeof p->step, "%s", step);
        p->step_start = p->now_ms();
    } else if (p->now_ms() - p->last_draw < REDRAW_MS) {
        return;
    }
    p->last_draw = p->now_ms();
    struct str rest = shown(a, text, p->width > 20 ? p->width - 20 : 1);
    fprintf(p->out, "\r\033[K%so%s %-*s %.*s %llds", p->colour ? "\033[36m" : "",
            p->colour ? "\033[0m" : "", TITLE_CELLS, step, STR_ARG(rest),
            (long long)((p->now_ms() - p->step_start) / 1000));
    p->drawn = true;
}

static void on_progress(void *context, enum told told, const char *step, struct str text)
{
    struct progress *p = context;
    if (told == TOLD_METER && p->mode != PROGRESS_LIVE)
        return;
    cleanup_arena struct arena *a = arena_new();
    pthread_mutex_lock(&p->lock);
    if (p->mode == PROGRESS_JSON)
        write_json(p, a, step, text, false);
    else if (p->mode == PROGRESS_LINES && (p->verbose || told > TOLD_STEP))
        write_line(p, a, step, text);
    else if (p->mode == PROGRESS_LIVE && told == TOLD_FAILURE) {
        blank(p);
        struct str visible = shown(a, text, 400);
        fprintf(p->out, "%sx%s %-*s %.*s\n", p->colour ? "\033[31m" : "",
                p->colour ? "\033[0m" : "", TITLE_CELLS, step, STR_ARG(visible));
    } else if (p->mode == PROGRESS_LIVE)
        draw(p, a, step, text);
    fflush(p->out);
    pthread_mutex_unlock(&p->lock);
}

static void on_finished(void *context, const char *step, struct str text)
{
    struct progress *p = context;
    cleanup_arena struct arena *a = arena_new();
    pthread_mutex_lock(&p->lock);
    if (p->mode == PROGRESS_JSON) {
        write_json(p, a, step, text, true);
    } else if (p->mode == PROGRESS_LINES) {
        write_line(p, a, step, text);
    } else if (p->mode == PROGRESS_LIVE) {
        blank(p);
        struct str visible = shown(a, text, p->width > 14 ? p->width - 14 : 1);
        fprintf(p->out, "%s✓%s %-*s %.*s\n", p->colour ? "\033[32m" : "",
                p->colour ? "\033[0m" : "", TITLE_CELLS, step, STR_ARG(visible));
        p->step[0] = 0;
    }
    fflush(p->out);
    pthread_mutex_unlock(&p->lock);
}

struct observer progress_observer(struct progress *p)
{
    return (struct observer){p, on_progress, on_finished};
}
