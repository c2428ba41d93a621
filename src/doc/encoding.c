#include "doc/encoding.h"

/* The longer marks first: that of UTF-32 starts like that of UTF-16. */
static const struct {
    struct str start;
    const char *name;
} marks[] = {
    {{"\xFF\xFE\0\0", 4}, "UTF-32"},
    {{"\0\0\xFE\xFF", 4}, "UTF-32"},
    {{"\xFF\xFE", 2}, "UTF-16"},
    {{"\xFE\xFF", 2}, "UTF-16"},
};

struct str encoding_skip_mark(struct str text)
{
    str_skip(&text, STR("\xEF\xBB\xBF"));
    return text;
}

static const char *foreign(struct str text)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_starts(text, marks[i].start))
            return marks[i].name;
    bool pairs = text.n >= 4 && text.n % 2 == 0;
    bool big = pairs && !text.p[0] && text.p[1] && !text.p[2] && text.p[3];
    bool little = pairs && text.p[0] && !text.p[1] && text.p[2] && !text.p[3];
    return big || little ? "UTF-16" : NULL;
}

int encoding_check(const struct source *source, struct err *err)
{
    const char *name = foreign(source->text);
    if (!name)
        return 0;
    err_at(err, (struct pos){source, 1, 1, 0}, ERR_CONFIG, "the file is %s, not UTF-8", name);
    return err_help(err, "save it as UTF-8: iconv -f %s -t UTF-8 FILE", name);
}
