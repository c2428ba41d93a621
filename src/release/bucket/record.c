/* The objects of a record: their members. */
#include "release/bucket/record.h"

#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"

static const char *const layout_words[] = {"shared", "perStage", NULL};
static const char *const kind_words[] = {"http", NULL}; /* REST APIs have no word */
static const char *const outcome_words[] = {"succeeded", "failed", "superseded", NULL};

/* ---- <n>.json ---- */

static const struct object_member function_members[] = {
    MEMBER(record_function, name, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_function, layout, OBJECT_WORD, 0, layout_words),
    MEMBER(record_function, artifact, OBJECT_TEXT),
    MEMBER(record_function, fingerprint, OBJECT_TEXT),
    MEMBER(record_function, parts, OBJECT_NAMED),
    {0},
};
static const struct object_table function_table = {"function", sizeof(struct record_function),
                                                   function_members};

static const struct object_member api_members[] = {
    MEMBER(record_api, id, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_api, fingerprint, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_api, kind, OBJECT_WORD, 0, kind_words),
    {0},
};
static const struct object_table api_table = {"api", sizeof(struct record_api), api_members};

static const struct object_member layer_members[] = {
    MEMBER(record_layer, id, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_layer, artifact, OBJECT_TEXT, OBJECT_ALWAYS),
    {0},
};
static const struct object_table layer_table = {"layer", sizeof(struct record_layer),
                                                layer_members};

static const struct object_member adoption_members[] = {
    MEMBER(record_adoption, by, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_adoption, template, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_adoption, moved, OBJECT_TEXTS),
    {0},
};
static const struct object_table adoption_table = {"adopted", sizeof(struct record_adoption),
                                                   adoption_members};

#define SIGNED(field, type) MEMBER(record_body, field, type, OBJECT_ALWAYS | OBJECT_SIGNATURE)

static const struct object_member record_members[] = {
    MEMBER(record_body, service, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, stage, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, region, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, what, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, restores, OBJECT_WHOLE),
    MEMBER(record_body, to, OBJECT_WHOLE),
    MEMBER_AS("flips", record_body, switches, OBJECT_FLAG),
    MEMBER_AS("shift", record_body, shifts, OBJECT_FLAG),
    MEMBER(record_body, adopted, OBJECT_PART, 0, NULL, &adoption_table),
    MEMBER(record_body, sources, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, template, OBJECT_TEXT),
    MEMBER(record_body, functions, OBJECT_MAP, OBJECT_ALWAYS, NULL, &function_table),
    MEMBER(record_body, apis, OBJECT_MAP, OBJECT_ALWAYS, NULL, &api_table),
    MEMBER(record_body, layers, OBJECT_MAP, 0, NULL, &layer_table),
    MEMBER(record_body, images, OBJECT_NAMED),
    MEMBER(record_body, needs, OBJECT_TEXTS),
    MEMBER_AS("logGroups", record_body, log_groups, OBJECT_TEXTS),
    SIGNED(content, OBJECT_TEXT),
    SIGNED(number, OBJECT_WHOLE),
    SIGNED(nonce, OBJECT_TEXT),
    SIGNED(lease, OBJECT_TEXT),
    SIGNED(when, OBJECT_TEXT),
    SIGNED(who, OBJECT_TEXT),
    SIGNED(source, OBJECT_TEXT),
    SIGNED(tool, OBJECT_TEXT),
    MEMBER(record_body, drifted, OBJECT_FLAG, OBJECT_SIGNATURE),
    SIGNED(before, OBJECT_WHOLE),
    SIGNED(before_digest, OBJECT_TEXT),
    {0},
};
const struct object_table record_table = {"record", sizeof(struct record_body), record_members};

static const struct object_member disposed_members[] = {
    MEMBER(record_disposed, type, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_disposed, name, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_disposed, why, OBJECT_TEXT, OBJECT_ALWAYS),
    {0},
};
static const struct object_table disposed_table = {"disposed", sizeof(struct record_disposed),
                                                   disposed_members};

static const struct object_member removal_members[] = {
    MEMBER(record_body, service, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, stage, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, number, OBJECT_WHOLE, OBJECT_ALWAYS),
    MEMBER(record_body, what, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, nonce, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, when, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, who, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, source, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, tool, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_body, deleted, OBJECT_LIST, 0, NULL, &disposed_table),
    MEMBER(record_body, emptied, OBJECT_LIST, 0, NULL, &disposed_table),
    MEMBER(record_body, kept, OBJECT_LIST, 0, NULL, &disposed_table),
    {0},
};
const struct object_table removal_table = {"removal", sizeof(struct record_body), removal_members};

static const struct object_table *table_of(bool removal)
{
    return removal ? &removal_table : &record_table;
}

int record_body_read(struct arena *a, const struct node *n, struct record_body *ret,
                     struct err *err)
{
    bool removal = node_is_text(node_get_c(n, "what"), RECORD_REMOVAL);
    if (object_read(a, table_of(removal), n, ret, err) < 0)
        return -1;
    ret->removal = removal;
    return 0;
}

const struct node *record_body_node(struct arena *a, const struct record_body *body)
{
    return object_node(a, table_of(body->removal), body, 0);
}

struct str record_content(struct arena *a, const struct record_body *body)
{
    const struct node *n = object_node(a, table_of(body->removal), body, OBJECT_SIGNATURE);
    return sha256_hex(a, json_canonical(a, n));
}

/* ---- <n>.versions.json ---- */

static const struct object_member version_members[] = {
    MEMBER(record_version, name, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_version, fingerprint, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_version, version, OBJECT_TEXT, OBJECT_ALWAYS),
    {0},
};
static const struct object_table version_table = {"version", sizeof(struct record_version),
                                                  version_members};

static const struct object_member deployment_members[] = {
    MEMBER(record_api_deployment, id, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_api_deployment, fingerprint, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_api_deployment, deployment, OBJECT_TEXT, OBJECT_ALWAYS),
    MEMBER(record_api_deployment, kind, OBJECT_WORD, 0, kind_words),
    {0},
};
static const struct object_table deployment_table = {
    "deployment", sizeof(struct record_api_deployment), deployment_members};

static const struct object_member versions_members[] = {
    MEMBER(record_versions, functions, OBJECT_MAP, OBJECT_ALWAYS, NULL, &version_table),
    MEMBER(record_versions, apis, OBJECT_MAP, OBJECT_ALWAYS, NULL, &deployment_table),
    MEMBER(record_versions, values, OBJECT_NAMED),
    MEMBER(record_versions, percent, OBJECT_WHOLE),
    MEMBER(record_versions, stage_template, OBJECT_TEXT),
    {0},
};
const struct object_table versions_table = {"versions", sizeof(struct record_versions),
                                            versions_members};

/* ---- the others ---- */

static const struct object_member outcome_members[] = {
    MEMBER(record_outcome, outcome, OBJECT_WORD, OBJECT_REQUIRED, outcome_words),
    MEMBER(record_outcome, reason, OBJECT_TEXT),
    MEMBER(record_outcome, when, OBJECT_TEXT, OBJECT_ALWAYS),
    {0},
};
const struct object_table outcome_table = {"outcome", sizeof(struct record_outcome),
                                           outcome_members};

static const struct object_member mark_members[] = {
    MEMBER(record_mark, when, OBJECT_TEXT, OBJECT_ALWAYS),
    {0},
};
const struct object_table mark_table = {"mark", sizeof(struct record_mark), mark_members};

static const struct object_member region_members[] = {
    MEMBER(region_mark, region, OBJECT_TEXT, OBJECT_ALWAYS),
    {0},
};
const struct object_table region_table = {"region", sizeof(struct region_mark), region_members};

/* ---- looking ---- */

const struct record_function *record_function(const struct record_body *body, struct str key)
{
    static const struct record_function none;
    for (size_t i = 0; body && i < body->functions.n; i++)
        if (str_eq(body->functions.p[i].object.key, key))
            return &body->functions.p[i];
    return &none;
}

const struct record_api *record_api(const struct record_body *body, struct str id)
{
    static const struct record_api none;
    for (size_t i = 0; body && i < body->apis.n; i++)
        if (str_eq(body->apis.p[i].object.key, id))
            return &body->apis.p[i];
    return &none;
}

const struct record_version *record_version(const struct record_versions *versions, struct str key)
{
    static const struct record_version none;
    for (size_t i = 0; versions && i < versions->functions.n; i++)
        if (str_eq(versions->functions.p[i].object.key, key))
            return &versions->functions.p[i];
    return &none;
}

const struct record_api_deployment *record_deployment(const struct record_versions *versions,
                                                      struct str id)
{
    static const struct record_api_deployment none;
    for (size_t i = 0; versions && i < versions->apis.n; i++)
        if (str_eq(versions->apis.p[i].object.key, id))
            return &versions->apis.p[i];
    return &none;
}

struct str record_layout_word(enum record_layout layout)
{
    return layout ? str_c(layout_words[layout - 1]) : (struct str){"", 0};
}

struct str outcome_word(enum outcome outcome)
{
    return outcome ? str_c(outcome_words[outcome - 1]) : (struct str){"", 0};
}
