/* How users name stages and deployments: "prod@eu-west-1", "prod#12". */
#include "release/bucket/stage_address.h"

#include "config/config.h"

struct str address_stage(struct str address, struct str *ret_region)
{
    struct str stage;
    ptrdiff_t at = str_find_char(address, '@', 0);
    *ret_region = at > 0 ? str_sub(address, (size_t)at + 1, address.n) : (struct str){"", 0};
    stage = at > 0 ? str_sub(address, 0, (size_t)at) : address;
    return stage;
}

static int check_address(struct str address, struct err *err)
{
    struct str region, stage = address_stage(address, &region);
    for (size_t i = 0; i < region.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", region.p[i]))
            return err_set(err, ERR_USAGE, "'%.*s' is no region", STR_ARG(region));
    return stage_name_check(stage, err);
}

int record_address(struct str text, struct str *ret_stage, int64_t *ret_number, struct err *err)
{
    bool numbered = str_find_char(text, '#', 0) >= 0;
    struct str rest = text;
    *ret_number = 0;
    str_cut(&rest, '#', ret_stage);
    if (ret_stage->n && (!numbered || (str_to_int(rest, ret_number) && *ret_number > 0)))
        return numbered ? 0 : check_address(*ret_stage, err);
    err_set(err, ERR_USAGE, "'%.*s' names no deployment", STR_ARG(text));
    return err_help(err, "write STAGE, or STAGE#N for one of its deployments: prod#12");
}
