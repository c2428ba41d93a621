/* Objects of the bucket, read and written by their tables. */
#include "doc/object.h"

#include "base/vec.h"
#include "doc/json.h"

static const char *const expected[] = {
    [OBJECT_TEXT] = "a string",
    [OBJECT_WHOLE] = "a whole number",
    [OBJECT_FLAG] = "a boolean",
    [OBJECT_WORD] = "a string",
    [OBJECT_TEXTS] = "a list of strings",
    [OBJECT_NAMED] = "a map of strings",
    [OBJECT_TREE] = "a map",
    [OBJECT_PART] = "a map",
    [OBJECT_LIST] = "a list of maps",
    [OBJECT_MAP] = "a map of maps",
};

/* ---- format ---- */

int64_t object_format(const struct node *n)
{
    return node_int_or(node_get_c(n, "format"), 0);
}

int object_check(const struct node *n, struct str name, struct err *err)
{
    int64_t format = object_format(n);
    struct str tool = node_text(node_get_c(n, "tool"));
    if (format == OBJECT_FORMAT)
        return 0;
    if (format < OBJECT_FORMAT)
        return err_set(err, ERR_FAILED, "it has no format");
    err_set(err, ERR_FAILED, "'%.*s' has format %lld, written by %s%.*s; troupe %s reads format %d",
            STR_ARG(name), (long long)format, tool.n ? "troupe " : "a newer troupe", STR_ARG(tool),
            TROUPE_VERSION, OBJECT_FORMAT);
    return err_help(err, "update troupe: the service was deployed by a newer one");
}

/* ---- reading ---- */

static int check_texts(const struct object_member *m, const struct node *n, struct err *err)
{
    node_each (item, n)
        if (!node_is(item, NODE_STRING))
            return err_set(err, ERR_FAILED, "'%s' has %s in it, not strings alone", m->name,
                           node_kind_name(item));
    member_each (entry, n)
        if (!node_is(entry->value, NODE_STRING))
            return err_set(err, ERR_FAILED, "'%.*s' of '%s' is %s, not a string",
                           STR_ARG(entry->key), m->name, node_kind_name(entry->value));
    return 0;
}

static int say_wrong(const struct object_member *m, const struct node *n, struct err *err)
{
    return err_set(err, ERR_FAILED, "'%s' is %s, not %s", m->name, node_kind_name(n),
                   expected[m->type]);
}

static int read_word(const struct object_member *m, const struct node *n, void *at, struct err *err)
{
    for (unsigned i = 1; m->words[i - 1]; i++)
        if (node_is_text(n, m->words[i - 1])) {
            memcpy(at, &i, sizeof i);
            return 0;
        }
    return err_set(err, ERR_FAILED, "'%s' is '%.*s', which this troupe does not know", m->name,
                   STR_ARG(node_text(n)));
}

static int read_all(struct arena *a, const struct object_member *m, const struct node *n, void *at,
                    struct err *err)
{
    struct objects all = {arena_calloc(a, node_count(n) + 1, m->of->size), node_count(n)};
    char *one = all.p;
    memcpy(at, &all, sizeof all);
    node_each (item, n) {
        if (object_read(a, m->of, item, one, err) < 0)
            return err_wrap(err, "%s", m->name);
        one += m->of->size;
    }
    member_each (entry, n) {
        if (object_read(a, m->of, entry->value, one, err) < 0)
            return err_wrap(err, "%s.%.*s", m->name, STR_ARG(entry->key));
        ((struct object *)(void *)one)->key = entry->key;
        one += m->of->size;
    }
    return 0;
}

static int read_part(struct arena *a, const struct object_member *m, const struct node *n, void *at,
                     struct err *err)
{
    void *part = arena_alloc(a, m->of->size);
    memcpy(at, &part, sizeof part);
    return object_read(a, m->of, n, part, err) < 0 ? err_wrap(err, "%s", m->name) : 0;
}

static int read_member(struct arena *a, const struct object_member *m, const struct node *n,
                       void *at, struct err *err)
{
    static const enum node_kind kinds[] = {
        [OBJECT_TEXT] = NODE_STRING, [OBJECT_WHOLE] = NODE_NUMBER, [OBJECT_FLAG] = NODE_BOOL,
        [OBJECT_WORD] = NODE_STRING, [OBJECT_TEXTS] = NODE_SEQ,    [OBJECT_NAMED] = NODE_MAP,
        [OBJECT_TREE] = NODE_MAP,    [OBJECT_PART] = NODE_MAP,     [OBJECT_LIST] = NODE_SEQ,
        [OBJECT_MAP] = NODE_MAP};
    if (!node_is(n, kinds[m->type]))
        return say_wrong(m, n, err);
    switch (m->type) {
    case OBJECT_TEXT:
        *(struct str *)at = n->text;
        return 0;
    case OBJECT_WHOLE:
        return node_to_int(n, at) ? 0 : say_wrong(m, n, err);
    case OBJECT_FLAG:
        *(bool *)at = n->boolean;
        return 0;
    case OBJECT_WORD:
        return read_word(m, n, at, err);
    case OBJECT_TEXTS:
    case OBJECT_NAMED:
        *(const struct node **)at = n;
        return check_texts(m, n, err);
    case OBJECT_TREE:
        *(const struct node **)at = n;
        return 0;
    case OBJECT_PART:
        return read_part(a, m, n, at, err);
    default:
        return read_all(a, m, n, at, err);
    }
}

int object_read(struct arena *a, const struct object_table *table, const struct node *n, void *ret,
                struct err *err)
{
    memset(ret, 0, table->size);
    if (!node_is(n, NODE_MAP))
        return err_set(err, ERR_FAILED, "it is %s, not a map", node_kind_name(n));
    ((struct object *)ret)->read = n;
    for (const struct object_member *m = table->members; m->name; m++) {
        const struct node *value = node_get_c(n, m->name);
        if (value ? read_member(a, m, value, (char *)ret + m->at, err) < 0
                  : m->flags & OBJECT_REQUIRED)
            return value ? -1 : err_set(err, ERR_FAILED, "'%s' is missing", m->name);
    }
    return 0;
}

/* ---- writing ---- */

static const struct node *write_object(struct arena *a, const struct object_table *table,
                                       const void *object, unsigned but, bool whole);

static const struct node *write_all(struct arena *a, const struct object_member *m,
                                    const struct objects *all)
{
    struct node *out = m->type == OBJECT_MAP ? node_map(a) : node_seq(a);
    for (size_t i = 0; i < all->n; i++) {
        const struct object *one = (const void *)((const char *)all->p + i * m->of->size);
        const struct node *n = write_object(a, m->of, one, 0, false);
        if (m->type == OBJECT_MAP)
            node_put(a, out, one->key, n);
        else
            node_push(a, out, n);
    }
    return out;
}

static const struct node *write_structs(struct arena *a, const struct object_member *m,
                                        const void *at, bool always)
{
    const void *part;
    struct objects all;
    if (m->type == OBJECT_PART) {
        memcpy(&part, at, sizeof part);
        return part ? write_object(a, m->of, part, 0, false) : NULL;
    }
    memcpy(&all, at, sizeof all);
    return all.n || always ? write_all(a, m, &all) : NULL;
}

/* NULL: it is empty, and those are left out unless `always`. */
static const struct node *write_member(struct arena *a, const struct object_member *m,
                                       const void *at, bool always)
{
    struct str text;
    int64_t whole;
    unsigned word;
    switch (m->type) {
    case OBJECT_TEXT:
        text = *(const struct str *)at;
        return text.n || always ? node_str(a, text.n ? text : STR("")) : NULL;
    case OBJECT_WHOLE:
        whole = *(const int64_t *)at;
        return whole || always ? node_int(a, whole) : NULL;
    case OBJECT_FLAG:
        return *(const bool *)at || always ? node_bool(a, *(const bool *)at) : NULL;
    case OBJECT_WORD:
        memcpy(&word, at, sizeof word);
        return word ? node_str(a, str_c(m->words[word - 1])) : NULL;
    case OBJECT_TEXTS:
    case OBJECT_NAMED:
    case OBJECT_TREE:
        return *(const struct node *const *)at;
    default:
        return write_structs(a, m, at, always);
    }
}

static bool is_known(const struct object_table *table, struct str key)
{
    for (const struct object_member *m = table->members; m->name; m++)
        if (str_eq(key, str_c(m->name)))
            return true;
    return str_eq(key, STR("format"));
}

/* `whole`: it is an object of the bucket, and no part of one. */
static const struct node *write_object(struct arena *a, const struct object_table *table,
                                       const void *object, unsigned but, bool whole)
{
    const struct node *read = ((const struct object *)object)->read;
    struct node *out = node_map(a);
    if (whole)
        node_put_c(a, out, "format", node_int(a, OBJECT_FORMAT));
    for (const struct object_member *m = table->members; m->name; m++) {
        bool always = read ? node_get_c(read, m->name) != NULL : m->flags & OBJECT_ALWAYS;
        if (!(m->flags & but))
            node_put_c(a, out, m->name, write_member(a, m, (const char *)object + m->at, always));
    }
    member_each (m, read)
        if (!is_known(table, m->key) || (!whole && str_eq(m->key, STR("format"))))
            node_put(a, out, m->key, m->value);
    return out;
}

const struct node *object_node(struct arena *a, const struct object_table *table,
                               const void *object, unsigned but)
{
    return write_object(a, table, object, but, true);
}

struct str object_text(struct arena *a, const struct object_table *table, const void *object)
{
    return json_text(a, object_node(a, table, object, 0), 1);
}
