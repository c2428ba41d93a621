/* Starting programs. */
#include "base/spawn.h"

#include <signal.h>

void spawn_own_group(posix_spawnattr_t *ret)
{
    sigset_t ignored;
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    sigaddset(&ignored, SIGXFSZ);
    posix_spawnattr_init(ret);
    posix_spawnattr_setflags(ret, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(ret, &ignored);
}
