/* The table of commands. Circle: help is in the table and shows it, and options name commands, so
 * this file and theirs need each other. */
#include "cli/cli.h"

#define COMMAND_ROW(name) [COMMAND_##name] = &cmd_##name,
const struct command *const commands[] = {COMMANDS(COMMAND_ROW)[COMMAND_COUNT] = NULL};

enum command_number command_find(struct str name)
{
    size_t i = 0;
    while (i < COMMAND_COUNT && !str_eq(name, str_c(commands[i]->name)))
        i++;
    return (enum command_number)i;
}

const struct command *command_nearest(struct str name)
{
    const struct command *best = NULL;
    size_t distance = 3;
    for (size_t i = 0; commands[i]; i++) {
        size_t d =
            commands[i]->drastic ? SIZE_MAX : str_distance(name, str_c(commands[i]->name), 2);
        if (d < distance) {
            distance = d;
            best = commands[i];
        }
    }
    return best;
}
