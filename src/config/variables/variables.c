/* The table of variable sources, and the small ones: strToBool, sls, opt, self. */
#include "config/variables/variables.h"

#include "base/clock.h"

static const struct source_row sources[] = {
    {"self", source_self},      {"opt", source_opt},   {"env", source_env},
    {"param", source_param},    {"sls", source_sls},   {"file", source_file},
    {"strToBool", source_bool}, {"aws", source_aws},   {"cf", source_remote},
    {"s3", source_remote},      {"ssm", source_remote}};

const struct source_row *source_find(struct str type)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (str_eq(type, str_c(sources[i].type)))
            return &sources[i];
    return NULL;
}

struct str source_near(struct arena *a, struct str type)
{
    (void)a;
    struct near near = {.name = type};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        near_offer(&near, str_c(sources[i].type));
    return near.best;
}
