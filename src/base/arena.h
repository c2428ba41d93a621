/* Arenas: memory with one lifetime.
 *
 * Everything that is not owned by the kernel or a library lives in an arena and is released with
 * it; there is no single free. Running out of memory ends the program by `die`. An arena belongs to
 * one thread at a time; give every worker its own. Under AddressSanitizer every allocation is a
 * block of its own, so overruns and use after release are found. */
#ifndef TROUPE_ARENA_H
#define TROUPE_ARENA_H

#include <stddef.h>

struct arena;

/* A new, empty arena; release with arena_free. Never NULL. */
struct arena *arena_new(void);

/* Release `a` and everything allocated from it. NULL is fine. */
void arena_free(struct arena *a);

/* `size` zeroed bytes aligned for any type. Size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* `n` zeroed elements of `size` bytes; an overflowing product is out of memory. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* Grow the block `p` of `old` bytes to `size` bytes, in place when it is the newest one. The new
 * tail is zeroed; the old block must not be used any more. */
void *arena_grow(struct arena *a, void *p, size_t old, size_t size);

/* Copy of `n` bytes with a NUL behind it. */
void *arena_dup(struct arena *a, const void *p, size_t n);

/* Make everything of `other` a part of `a`; `other` itself is gone. So a thread hands on what it
 * made. */
void arena_join(struct arena *a, struct arena *other);

/* End the program: "error: <why>" and exit code 1. For failures that cannot be reported to a
 * caller, because that takes memory. */
_Noreturn void die(const char *why);

/* For `cleanup_arena struct arena *a = arena_new();` */
void arena_cleanup(struct arena **a);
#define cleanup_arena __attribute__((cleanup(arena_cleanup)))

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_calloc((a), (n), sizeof(type)))

#endif
