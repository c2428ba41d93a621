/* AWS's dialect of ini files. */
#include "aws/credentials/ini.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "doc/encoding.h"

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Read one word from `*i` on. False: a quote is not closed. */
static bool word_read(struct str s, size_t *i, struct buf *word)
{
    char quote = 0;
    for (; *i < s.n && (quote || !is_blank(s.p[*i])); (*i)++) {
        char c = s.p[*i];
        if (quote && c == quote)
            quote = 0;
        else if (!quote && (c == '\'' || c == '"'))
            quote = c;
        else if (c == '\\' && quote != '\'' && *i + 1 < s.n)
            buf_char(word, s.p[++*i]);
        else
            buf_char(word, c);
    }
    return !quote;
}

bool words_split(struct arena *a, struct str s, struct str **ret, size_t *ret_n)
{
    VEC(struct str) words = {0};
    for (size_t i = 0;;) {
        while (i < s.n && is_blank(s.p[i]))
            i++;
        if (i == s.n)
            break;
        struct buf word = BUF(a);
        if (!word_read(s, &i, &word))
            return false;
        vec_push(a, &words, str_dup(a, buf_str(&word)));
    }
    *ret = words.p;
    *ret_n = words.n;
    return true;
}

/* ---- files ---- */

struct ini {
    struct arena *arena;
    struct map sections; /* name -> struct node * under construction */
    struct node *section;
    struct str key;      /* key whose indented lines may follow; empty: none */
    struct node *nested; /* those lines so far */
};

/* Put the indented lines of a key in place of its empty value. */
static void close_nested(struct ini *ini)
{
    if (ini->nested)
        node_put(ini->arena, ini->section, ini->key, ini->nested);
    ini->nested = NULL;
    ini->key = (struct str){0};
}

static bool open_section(struct ini *ini, struct str line)
{
    struct str *words;
    size_t n;
    ptrdiff_t end = str_find_char(line, ']', 0);
    close_nested(ini);
    if (end < 0 || !words_split(ini->arena, str_sub(line, 1, (size_t)end - 1), &words, &n) || !n)
        return false;
    struct str name = words[0];
    for (size_t i = 1; i < n; i++)
        name = str_fmt(ini->arena, "%.*s %.*s", STR_ARG(name), STR_ARG(words[i]));
    ini->section = map_get(&ini->sections, name);
    if (!ini->section) {
        ini->section = node_map(ini->arena);
        map_put(&ini->sections, name, ini->section);
    }
    return true;
}

static bool read_setting(struct ini *ini, struct str line, bool indented)
{
    ptrdiff_t equals = str_find_char(line, '=', 0), colon = str_find_char(line, ':', 0);
    ptrdiff_t at = equals < 0 || (colon >= 0 && colon < equals) ? colon : equals;
    if (!ini->section)
        return false;
    if (indented && ini->key.n && at > 0) {
        if (!ini->nested)
            ini->nested = node_map(ini->arena);
    } else if (indented && ini->key.n) {
        return true; /* a second line of a value: no setting that troupe reads has one */
    } else {
        close_nested(ini);
    }
    if (at <= 0)
        return false;
    struct str key = str_lower(ini->arena, str_trim(str_sub(line, 0, (size_t)at)));
    struct str value = str_trim(str_sub(line, (size_t)at + 1, line.n));
    node_put(ini->arena, ini->nested ? ini->nested : ini->section, key,
             node_str(ini->arena, str_dup(ini->arena, value)));
    if (!ini->nested)
        ini->key = value.n ? (struct str){0} : key;
    return true;
}

static bool read_line(struct ini *ini, struct str line)
{
    struct str text = str_trim(line);
    if (!text.n || text.p[0] == '#' || text.p[0] == ';')
        return true;
    if (line.p[0] == '[')
        return open_section(ini, text);
    return read_setting(ini, text, is_blank(line.p[0]));
}

const struct node *ini_read(struct arena *a, struct str path, struct str text, struct err *err)
{
    struct ini ini = {.arena = a, .sections = MAP(a)};
    struct str rest = encoding_skip_mark(text), line;
    for (int number = 1; rest.n && str_cut(&rest, '\n', &line); number++)
        if (!read_line(&ini, line)) {
            err_set(err, ERR_CONFIG, "%.*s: line %d is neither '[section]' nor 'key = value'",
                    STR_ARG(path), number);
            return NULL;
        }
    if (ini.section)
        close_nested(&ini);
    struct node *sections = node_map(a);
    for (size_t i = 0; i < ini.sections.n; i++)
        node_put(a, sections, ini.sections.entries[i].key, ini.sections.entries[i].value);
    return sections;
}
