/* Functions that invite overflows or hide errors; using one is a compile error. Included by every
 * file through base/str.h. */
#ifndef TROUPE_BANNED_H
#define TROUPE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncat sprintf vsprintf strtok strtok_r atoi atol atof gets \
    gmtime localtime

#endif
