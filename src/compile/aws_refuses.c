/* What becomes of what AWS is certain to refuse: an error before anything is made, or, where only
 * the template is wanted, warnings. */
#include "compile/compile_internal.h"

int aws_refuses(const struct compilation *c, struct err *err)
{
    if (!err->kind || c->options->naming != NAMING_FLAT || !c->options->warn)
        return err->kind ? -1 : 0;
    for (const struct err *e = err; e; e = e->more)
        c->options->warn(c->options->warn_context, e->pos, str_dup(c->arena, e->msg),
                         str_dup(c->arena, e->help));
    err_clear(err);
    return 0;
}
