/* The table of commands. */
#include "cli/cli.h"

#define COMMAND_ROW(name) &cmd_##name,
const struct command *const commands[] = {COMMANDS(COMMAND_ROW) NULL};

const struct command *command_find(struct str name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eq(name, str_c(commands[i]->name)))
            return commands[i];
    return NULL;
}

const struct command *command_nearest(struct str name)
{
    const struct command *best = NULL;
    size_t distance = 3;
    for (size_t i = 0; commands[i]; i++) {
        size_t d = str_distance(name, str_c(commands[i]->name), 2);
        if (d < distance) {
            distance = d;
            best = commands[i];
        }
    }
    return best;
}
