/* Exit codes: one table, from which the codes and their help follow. */
#include "cli/cli.h"

static const struct {
    int code;
    const char *words;
    enum err_kind kinds[8]; /* ends with ERR_NONE */
} table[] = {
    {0, "done, or nothing to do", {ERR_NONE}},
    {1,
     "failed, or there is no such stage, deployment or function",
     {ERR_FAILED, ERR_NOT_FOUND, ERR_CONFLICT, ERR_PRECONDITION, ERR_THROTTLED, ERR_DENIED,
      ERR_NETWORK}},
    {2, "wrong usage or configuration: nothing was changed", {ERR_USAGE, ERR_CONFIG}},
    {3, "refused: it needs confirmation, or cannot be done as things are", {ERR_REFUSED}},
    {4, "somebody else is at work", {ERR_LOCKED}},
    {5, "interrupted half way: the same command, or repair, goes on", {ERR_HALF_DONE}},
    {130, "stopped by a signal, at a safe point", {ERR_CANCELLED}},
};
enum { ROWS = sizeof table / sizeof *table };

int exit_code(enum err_kind kind)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; table[i].kinds[k]; k++)
            if (table[i].kinds[k] == kind)
                return table[i].code;
    return 1;
}

void exit_codes_help(struct buf *out)
{
    for (size_t i = 0; i < ROWS; i++)
        buf_fmt(out, "  %-4d %s\n", table[i].code, table[i].words);
    buf_lit(out, "With --detailed-exitcode a plan exits with 2 when there are changes, and with 1 "
                 "for any error.\n");
}
