/* Reading strings with variables. The grammar is the dialect's: a variable starts with `${`, a
 * lower-case word and `:` or `(`; every other `${…}` is text for CloudFormation and stays. Escapes,
 * and what is trimmed where, follow the reference to the byte. */
#include "config/variables/variables.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "doc/json.h"

typedef VEC(struct variable) variable_list;
typedef VEC(struct variable_source) source_list;
typedef VEC(struct template) template_list;

struct reader {
    struct arena *arena;
    struct str s;
    size_t i;
    unsigned depth;
    struct template_error *error;
};

static bool fail(struct reader *r, size_t from, const char *what, const char *help)
{
    *r->error = (struct template_error){from, from + 1 < r->s.n ? from + 1 : r->s.n, what, help};
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-';
}

static bool more(const struct reader *r)
{
    return r->i < r->s.n;
}

static char now(const struct reader *r)
{
    return r->s.p[r->i];
}

static void skip_spaces(struct reader *r)
{
    while (more(r) && now(r) == ' ')
        r->i++;
}

static bool unterminated(struct reader *r, size_t start)
{
    return fail(r, start, "the closing '}' of this variable is missing", NULL);
}

static bool read_variable(struct reader *r, size_t start, struct variable *ret, bool *ret_foreign,
                          bool nested);

/* At a `$`: read the variable there into `list`, or pass over the `$`. Behind a `$` that opens no
 * variable, everything is text. */
static bool read_nested(struct reader *r, variable_list *list, size_t base)
{
    size_t start = r->i;
    while (more(r) && now(r) == '$')
        r->i++;
    if (!more(r))
        return true;
    if (now(r) != '{') {
        r->i++;
        return true;
    }
    struct variable v;
    bool foreign;
    if (!read_variable(r, start, &v, &foreign, true))
        return false;
    v.start -= base;
    v.end -= base;
    vec_push(r->arena, list, v);
    return true;
}

/* ---- literals ---- */

static bool is_number(struct arena *a, struct str s, struct str *ret)
{
    const char *z = str_z(a, s);
    char *end;
    bool hex = s.n > 2 && z[0] == '0' && (z[1] == 'x' || z[1] == 'X');
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(hex ? "0123456789abcdefABCDEFxX" : "0123456789.eE+-", z[i]))
            return false;
    double v = strtod(z, &end);
    if (!s.n || *end || !isfinite(v))
        return false;
    *ret = number_canonical(a, v);
    return true;
}

/* The value of a bare word; `or_text`: the word itself when it is none of the constants. */
static const struct node *word_value(struct arena *a, struct str word, bool or_text)
{
    struct str number;
    if (str_eq(word, STR("true")))
        return node_bool(a, true);
    if (str_eq(word, STR("false")))
        return node_bool(a, false);
    if (str_eq(word, STR("null")))
        return node_null(a);
    if (is_number(a, word, &number))
        return node_number(a, number);
    return or_text ? node_str(a, str_dup(a, word)) : NULL;
}

/* Read a quoted string; `r->i` is at the quote and afterwards behind the closing one. */
static bool read_quoted(struct reader *r, const struct node **ret)
{
    size_t start = r->i;
    char quote = now(r);
    for (r->i++; more(r) && now(r) != quote; r->i++)
        if (quote == '"' && now(r) == '\\')
            r->i++;
    if (!more(r))
        return fail(r, start, "the closing quote of this string is missing", NULL);
    r->i++;
    struct str text = str_sub(r->s, start, r->i - start);
    if (quote == '\'') {
        *ret = node_str(r->arena, str_sub(text, 1, text.n - 2));
        return true;
    }
    struct err ignored = {0};
    *ret = json_parse(r->arena, STR("string"), text, &ignored);
    err_clear(&ignored);
    return *ret ? true : fail(r, start, "this string is not valid: it is read as JSON", NULL);
}

/* ---- parameters and addresses ---- */

static struct template text_template(struct reader *r, size_t start, variable_list *list)
{
    struct str text = str_trim(str_sub(r->s, start, r->i - start));
    return (struct template){
        .text = text, .offset = start, .variables = list->p, .variable_count = list->n};
}

/* `n`, or none for an empty, zero or false parameter, as in the dialect. */
static const struct node *param_value(struct arena *a, const struct node *n)
{
    bool nothing = (n->kind == NODE_BOOL && !n->boolean) ||
                   (n->kind == NODE_NUMBER && str_eq(n->text, STR("0"))) ||
                   (n->kind == NODE_STRING && !n->text.n);
    return nothing ? node_null(a) : n;
}

static bool read_param_text(struct reader *r, template_list *params)
{
    variable_list list = {0};
    size_t start = r->i;
    while (more(r) && now(r) != ')' && now(r) != ',') {
        if (now(r) == '}')
            return fail(r, start, "this parameter is not closed by ')'", NULL);
        if (now(r) != '$')
            r->i++;
        else if (!read_nested(r, &list, start))
            return false;
    }
    struct template t = text_template(r, start, &list);
    if (!list.n)
        t.literal = param_value(r->arena, word_value(r->arena, t.text, true));
    vec_push(r->arena, params, t);
    return true;
}

/* Read parameters; `r->i` is behind the `(`, and afterwards behind the `)`. */
static bool read_params(struct reader *r, size_t start, struct variable_source *source)
{
    template_list params = {0};
    for (bool done = false; !done;) {
        skip_spaces(r);
        if (!more(r))
            return unterminated(r, start);
        char c = now(r);
        size_t at = r->i;
        if (c == ')') {
            break;
        } else if (c == ',') {
            vec_push(r->arena, &params, (struct template){.literal = node_null(r->arena)});
        } else if (c == '"' || c == '\'') {
            struct template t = {.offset = at};
            if (!read_quoted(r, &t.literal))
                return false;
            skip_spaces(r);
            vec_push(r->arena, &params, t);
        } else if (!read_param_text(r, &params)) {
            return false;
        }
        if (!more(r))
            return unterminated(r, start);
        if (now(r) != ',' && now(r) != ')')
            return fail(r, at, "a parameter ends with ',' or ')'", NULL);
        done = now(r) == ')';
        r->i += !done;
    }
    r->i++;
    source->params = params.p;
    source->param_count = params.n;
    return true;
}

static bool read_address(struct reader *r, size_t start, struct variable_source *source)
{
    skip_spaces(r);
    if (!more(r))
        return unterminated(r, start);
    if (now(r) == '}' || now(r) == ',')
        return true;
    struct template *t = source->address = ARENA_NEW(r->arena, struct template);
    size_t at = t->offset = r->i;
    if (now(r) == ':')
        return fail(r, at, "an address cannot start with ':'", NULL);
    if (now(r) == '"' || now(r) == '\'') {
        if (!read_quoted(r, &t->literal))
            return false;
        skip_spaces(r);
        if (!more(r))
            return unterminated(r, start);
        return now(r) == '}' || now(r) == ','
                   ? true
                   : fail(r, at, "an address ends with ',' or '}'", NULL);
    }
    variable_list list = {0};
    while (more(r) && now(r) != '}' && now(r) != ',') {
        if (now(r) != '$')
            r->i++;
        else if (!read_nested(r, &list, at))
            return false;
    }
    if (!more(r))
        return unterminated(r, start);
    *t = text_template(r, at, &list);
    return true;
}

/* ---- sources ---- */

/* Read what follows the type, `(params)` and `:address`. Ends at `,` or `}`. */
static bool read_source_rest(struct reader *r, size_t start, struct variable_source *source)
{
    if (now(r) == '(') {
        r->i++;
        if (!read_params(r, start, source))
            return false;
        skip_spaces(r);
        if (!more(r))
            return unterminated(r, start);
        if (now(r) == '}' || now(r) == ',')
            return true;
        if (now(r) != ':')
            return fail(r, r->i, "after ')' comes ':', ',' or '}'", NULL);
    }
    r->i++;
    return read_address(r, start, source);
}

static const char fallback_help[] =
    "write a fallback as 'self:b', a number, true, false, null, or a string in quotes";

/* Read a source behind a comma, or a literal, which must be the last. */
static bool read_fallback(struct reader *r, size_t start, struct variable_source *source)
{
    skip_spaces(r);
    if (!more(r))
        return unterminated(r, start);
    size_t at = source->offset = r->i;
    if (now(r) == '"' || now(r) == '\'') {
        if (!read_quoted(r, &source->literal))
            return false;
        skip_spaces(r);
        if (!more(r))
            return unterminated(r, start);
        return now(r) == '}' ? true
                             : fail(r, at, "a string must be the last fallback", fallback_help);
    }
    while (more(r) && (is_word(now(r)) || now(r) == ' '))
        r->i++;
    if (!more(r))
        return unterminated(r, start);
    struct str word = str_sub(r->s, at, r->i - at);
    if (now(r) == ':' || now(r) == '(') {
        bool valid = word.n && word.p[0] >= 'a' && word.p[0] <= 'z';
        for (size_t i = 0; i < word.n; i++)
            valid = valid && isalnum((unsigned char)word.p[i]);
        if (!valid)
            return fail(r, at, "this is no variable source", fallback_help);
        source->type = word;
        return read_source_rest(r, start, source);
    }
    if (now(r) != '}' || !word.n)
        return fail(r, at, "this is no variable source", fallback_help);
    source->literal = word_value(r->arena, str_trim(word), false);
    return source->literal ? true : fail(r, at, "this is no variable source", fallback_help);
}

/* Does a source stand at `r->i`, behind `${`? Then its type is read. Outside of variables a `${`
 * without one is CloudFormation's text; inside it is an error. */
static bool read_type(struct reader *r, struct str *ret, bool nested)
{
    size_t at = r->i;
    *ret = (struct str){0};
    if (!more(r))
        return true;
    if (now(r) >= 'a' && now(r) <= 'z') {
        while (more(r) && is_word(now(r)))
            r->i++;
        if (!more(r))
            return true;
        /* `${aws::x}` is CloudFormation's */
        struct str rest = str_trim(str_sub(r->s, r->i + 1, r->s.n));
        if (now(r) == '(' || (now(r) == ':' && !(rest.n && rest.p[0] == ':' && !nested))) {
            *ret = str_sub(r->s, at, r->i - at);
            return true;
        }
    }
    return nested ? fail(r, at, "this is no variable source", NULL) : true;
}

static bool read_variable(struct reader *r, size_t start, struct variable *ret, bool *ret_foreign,
                          bool nested)
{
    *ret_foreign = false;
    r->i++; /* the brace */
    if (r->depth >= VARIABLE_SYNTAX_DEPTH_MAX)
        return fail(r, start, "variables are nested too deeply here", NULL);
    struct variable_source source = {.offset = r->i};
    if (!read_type(r, &source.type, nested))
        return false;
    if (!source.type.n) {
        *ret_foreign = true;
        return nested ? unterminated(r, start) : true;
    }
    source_list sources = {0};
    r->depth++;
    bool good = read_source_rest(r, start, &source);
    source.end = r->i;
    vec_push(r->arena, &sources, source);
    while (good && more(r) && now(r) == ',') {
        r->i++;
        source = (struct variable_source){0};
        good = read_fallback(r, start, &source);
        source.end = r->i;
        vec_push(r->arena, &sources, source);
    }
    r->depth--;
    if (!good)
        return false;
    if (!more(r))
        return unterminated(r, start);
    r->i++;
    *ret = (struct variable){
        .start = start, .end = r->i, .sources = sources.p, .source_count = sources.n};
    return true;
}

/* ---- the whole text ---- */

/* The variable that stands for backslashes before `${`. An odd one makes the `${` plain text; each
 * pair becomes one backslash. */
static struct variable escape_of(struct arena *a, size_t slashes, size_t at)
{
    bool escaped = slashes % 2;
    struct buf text = BUF(a);
    buf_lit(&text, "");
    for (size_t i = 0; i < slashes / 2; i++)
        buf_char(&text, '\\');
    if (escaped)
        buf_char(&text, '$');
    struct str s = buf_str(&text);
    return (struct variable){
        .start = at, .end = at + slashes + escaped, .escaped = s.p ? s : (struct str){"", 0}};
}

bool template_read(struct arena *a, struct str text, struct template *ret,
                   struct template_error *ret_error)
{
    *ret = (struct template){.text = text};
    if (str_find(text, STR("${"), 0) < 0)
        return true;
    struct reader r = {.arena = a, .s = text, .error = ret_error};
    variable_list list = {0};
    /* how many `${` of CloudFormation are open: escapes do not count in them */
    unsigned foreign = 0;
    while (more(&r)) {
        size_t slashes = 0, at = r.i;
        while (!foreign && more(&r) && now(&r) == '\\') {
            slashes++;
            r.i++;
        }
        if (!more(&r) || now(&r) != '$') {
            foreign -= foreign && now(&r) == '}';
            r.i += !slashes;
            continue;
        }
        size_t start = r.i;
        while (more(&r) && now(&r) == '$')
            r.i++;
        if (!more(&r) || now(&r) != '{') {
            r.i += foreign && more(&r);
            continue;
        }
        bool single = r.i == start + 1;
        if (slashes && single)
            vec_push(a, &list, escape_of(a, slashes, at));
        if (slashes % 2 && single) {
            r.i++;
            continue;
        }
        struct variable v;
        bool is_foreign;
        if (!read_variable(&r, start, &v, &is_foreign, false))
            return false;
        if (!is_foreign)
            vec_push(a, &list, v);
        else if (more(&r) && now(&r) == '}')
            r.i++;
        else
            foreign++;
    }
    ret->variables = list.p;
    ret->variable_count = list.n;
    return true;
}
