/* Telling whoever watches what happens. */
#include "release/release.h"

#include <stdarg.h>

static void tell(const struct release *r, void (*to)(void *, const char *, struct str),
                 const char *step, const char *fmt, va_list ap)
{
    cleanup_arena struct arena *a = arena_new();
    if (to)
        to(r->observer->context, step, str_vfmt(a, fmt, ap));
}

void release_progress(const struct release *r, const char *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->observer)
        tell(r, r->observer->progress, step, fmt, ap);
    va_end(ap);
}

void release_finished(const struct release *r, const char *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->observer)
        tell(r, r->observer->finished, step, fmt, ap);
    va_end(ap);
}
