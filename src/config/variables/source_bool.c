/* ${strToBool(text)}. A bare `0` or `false` counts as missing, as in the dialect. */
#include "config/variables/variables.h"

int source_bool(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true}, {"1", true}, {"false", false}, {"0", false}};
    const struct node *input = q->param_count ? q->params[0] : NULL;
    if (node_empty(input)) {
        err_at(err, q->pos, ERR_CONFIG, "'strToBool' has no input");
        return err_help(err, "put constants into quotes: strToBool('false')");
    }
    struct str text = str_lower(r->arena, str_trim(node_text(input)));
    ret->resolved = true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(text, str_c(words[i].text))) {
            ret->value = node_bool(r->arena, words[i].value);
            return 0;
        }
    if (input->kind >= NODE_SEQ)
        return err_at(err, q->pos, ERR_CONFIG, "'strToBool' takes a string, not %s",
                      node_kind_name(input));
    return err_at(err, q->pos, ERR_CONFIG,
                  "'strToBool' takes 'true', 'false', '1' or '0', not '%.*s'",
                  STR_ARG(node_text(input)));
}
