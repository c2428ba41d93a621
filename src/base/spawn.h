/* Starting programs. */
#ifndef TROUPE_BASE_SPAWN_H
#define TROUPE_BASE_SPAWN_H

#include <spawn.h>

/* Attributes for posix_spawn: the program leads a process group of its own, so that it can be ended
 * with all that it starts, and the signals that this program ignores end it as they would from a
 * shell. Release with posix_spawnattr_destroy. */
void spawn_own_group(posix_spawnattr_t *ret);

#endif
