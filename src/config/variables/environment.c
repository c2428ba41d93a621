/* Environment variables, of the process and of .env files. */
#include "config/variables/variables.h"

bool environment_get(const struct resolver *r, struct str name, struct str *ret)
{
    if (str_find_char(name, '\0', 0) >= 0)
        return false;
    const struct str *of_file = r->dotenv ? map_get(r->dotenv, name) : NULL;
    const char *value = of_file ? NULL : getenv(str_z(r->arena, name));
    if (value)
        *ret = str_dup(r->arena, str_c(value));
    else if (of_file)
        *ret = *of_file;
    return value || of_file;
}
