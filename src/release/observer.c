/* Telling whoever watches what happens. */
#include "release/release.h"

#include <stdarg.h>

static void tell(const struct release *r, enum told told, const char *step, const char *fmt,
                 va_list ap)
{
    cleanup_arena struct arena *a = arena_new();
    if (r->observer && r->observer->progress)
        r->observer->progress(r->observer->context, told, step, str_vfmt(a, fmt, ap));
}

void release_tell(const struct release *r, enum told told, const char *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(r, told, step, fmt, ap);
    va_end(ap);
}

void release_progress(const struct release *r, const char *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tell(r, TOLD_STEP, step, fmt, ap);
    va_end(ap);
}

void release_finished(const struct release *r, const char *step, const char *fmt, ...)
{
    cleanup_arena struct arena *a = arena_new();
    va_list ap;
    va_start(ap, fmt);
    if (r->observer && r->observer->finished)
        r->observer->finished(r->observer->context, step, str_vfmt(a, fmt, ap));
    va_end(ap);
}
