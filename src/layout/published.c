/* What a published version keeps of a function. */
#include "layout/layout_internal.h"

const struct layout_published layout_published[] = {
    {"Role", "Role", "\"\"", PUBLISHED_BOTH},
    {"Handler", "Handler", "\"\"", PUBLISHED_ZIP},
    {"Runtime", "Runtime", "\"\"", PUBLISHED_ZIP},
    {"Description", "Description", "\"\"", PUBLISHED_BOTH},
    {"Timeout", "Timeout", "3", PUBLISHED_BOTH},
    {"MemorySize", "MemorySize", "128", PUBLISHED_BOTH},
    {"Environment", "Environment", "{\"Variables\":{}}", PUBLISHED_BOTH},
    {"VpcConfig", "VpcConfig", "{\"SubnetIds\":[],\"SecurityGroupIds\":[]}", PUBLISHED_BOTH},
    {"DeadLetterConfig", "DeadLetterConfig", "{\"TargetArn\":\"\"}", PUBLISHED_BOTH},
    {"KMSKeyArn", "KmsKeyArn", "\"\"", PUBLISHED_BOTH},
    {"TracingConfig", "TracingConfig", "{\"Mode\":\"PassThrough\"}", PUBLISHED_BOTH},
    {"Layers", "Layers", "[]", PUBLISHED_ZIP},
    {"FileSystemConfigs", "FileSystemConfigs", "[]", PUBLISHED_BOTH},
    {"EphemeralStorage", "EphemeralStorage", "{\"Size\":512}", PUBLISHED_BOTH},
    {"SnapStart", "SnapStart", "{\"ApplyOn\":\"None\"}", PUBLISHED_ZIP},
    {"LoggingConfig", "LoggingConfig", "{\"LogFormat\":\"Text\"}", PUBLISHED_BOTH},
    {"ImageConfig", "ImageConfig", "{}", PUBLISHED_IMAGE},
    {"DurableConfig", "DurableConfig", NULL, PUBLISHED_BOTH},
    {"TenancyConfig", "TenancyConfig", NULL, PUBLISHED_BOTH},
    {0}};

static bool is_published(struct str property)
{
    if (str_eq(property, STR("Architectures"))) /* published with the code */
        return true;
    for (const struct layout_published *p = layout_published; p->member; p++)
        if (str_eq(property, str_c(p->property)))
            return true;
    return false;
}

int published_check(const struct layout_function *f, const struct node *properties, struct err *err)
{
    member_each (m, properties) {
        struct err one = {0};
        if (is_published(m->key))
            continue;
        err_at(&one,
               m->key_pos.source      ? m->key_pos
               : m->value->pos.source ? m->value->pos
                                      : f->pos,
               ERR_CONFIG, "'%.*s' of shared function '%.*s' cannot be kept in a version",
               STR_ARG(m->key), STR_ARG(f->key));
        err_help(&one,
                 "leave it out, or make the function one of each stage: "
                 "custom.troupe.functions.perStage: [%.*s]",
                 STR_ARG(f->key));
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
