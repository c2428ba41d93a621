/* Arenas: chained blocks, or one malloc per allocation under AddressSanitizer. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/banned.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SINGLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SINGLE 1
#endif
#endif
#ifndef ARENA_SINGLE
#define ARENA_SINGLE 0
#endif

enum { BLOCK_FIRST = 8 * 1024, BLOCK_MAX = 1024 * 1024, ALIGN = alignof(max_align_t) };

struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char data[];
};

struct arena {
    struct block *blocks;
    size_t next_size;
};

void die(const char *why)
{
    const struct iovec parts[] = {{"error: ", 7},
                                  {(void *)(uintptr_t)why, strlen(why)},
                                  {"\n", 1}}; /* nothing is allocated any more */
    if (writev(STDERR_FILENO, parts, sizeof parts / sizeof *parts) < 0)
        _exit(1);
    _exit(1);
}

static void *must(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

struct arena *arena_new(void)
{
    struct arena *a = must(calloc(1, sizeof *a));
    a->next_size = BLOCK_FIRST;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

void arena_cleanup(struct arena **a)
{
    arena_free(*a);
    *a = NULL;
}

static struct block *block_add(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        must(NULL);
    struct block *b = must(calloc(1, sizeof *b + size));
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGN)
        must(NULL);
    if (ARENA_SINGLE) {
        struct block *b = block_add(a, size);
        b->used = size;
        return b->data;
    }
    size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct block *b = a->blocks;
    if (!b || b->size - b->used < rounded) {
        b = block_add(a, rounded > a->next_size ? rounded : a->next_size);
        if (a->next_size < BLOCK_MAX)
            a->next_size *= 2;
    }
    void *p = b->data + b->used;
    b->used += rounded;
    return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        must(NULL);
    return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, void *p, size_t old, size_t size)
{
    struct block *b = a->blocks;
    size_t rounded = (old + ALIGN - 1) / ALIGN * ALIGN;
    if (!ARENA_SINGLE && b && p && old && (unsigned char *)p + rounded == b->data + b->used &&
        size <= SIZE_MAX - ALIGN) {
        size_t want = (size + ALIGN - 1) / ALIGN * ALIGN;
        size_t start = b->used - rounded;
        if (want <= b->size - start) {
            b->used = start + want;
            return p;
        }
    }
    void *q = arena_alloc(a, size);
    if (old)
        memcpy(q, p, old);
    return q;
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
    char *q = arena_alloc(a, n + 1);
    if (n)
        memcpy(q, p, n);
    return q;
}

void arena_join(struct arena *a, struct arena *other)
{
    struct block **in = a->blocks ? &a->blocks->next : &a->blocks; /* behind the block in use */
    struct block *rest = *in, **end = in;
    *in = other->blocks;
    while (*end)
        end = &(*end)->next;
    *end = rest;
    free(other);
}
