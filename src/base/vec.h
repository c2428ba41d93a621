/* Growable arrays in an arena: `VEC(struct str) names = {0}; vec_push(a, &names, s);` Elements are
 * `names.p[0 … names.n-1]`; pointers into it are invalid after a push. */
#ifndef TROUPE_VEC_H
#define TROUPE_VEC_H

#include "base/arena.h"

#define VEC(type)      \
    struct {           \
        type *p;       \
        size_t n, cap; \
    }

#define vec_push(a, v, ...)                                                                    \
    do {                                                                                       \
        if ((v)->n == (v)->cap) {                                                              \
            size_t vec_cap_ = (v)->cap ? (v)->cap * 2 : 8;                                     \
            (v)->p =                                                                           \
                arena_grow((a), (v)->p, (v)->cap * sizeof *(v)->p, vec_cap_ * sizeof *(v)->p); \
            (v)->cap = vec_cap_;                                                               \
        }                                                                                      \
        (v)->p[(v)->n++] = (__VA_ARGS__);                                                      \
    } while (0)

/* `vec_each(&names, s)`: s is a pointer to each element in turn. */
#define vec_each(v, it) for (__typeof__(*(v)->p) *it = (v)->p; (v)->n && it < (v)->p + (v)->n; it++)

#endif
