/* Making control characters visible. */
#include "base/visible.h"

/* Ranges of characters that are never shown as they are. Source: Unicode standard annex 9 for those
 * that turn the direction; U+2028 and U+2029 end lines. */
static const struct {
    uint32_t first, last;
} hidden[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},
              {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF}};

static const struct str colours[] = {
#define COLOUR(digits)                        \
    {                                         \
        "\033[" digits "m", sizeof digits + 2 \
    }
    COLOUR("0"),  COLOUR("1"),  COLOUR("2"),    COLOUR("31"),
    COLOUR("32"), COLOUR("36"), COLOUR("1;31"), COLOUR("1;33"),
#undef COLOUR
};

static bool is_hidden(uint32_t c)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    return false;
}

static uint32_t decode(const unsigned char *p, size_t n)
{
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3F);
    return c;
}

static size_t colour_at(struct str rest)
{
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (str_starts(rest, colours[i]))
            return colours[i].n;
    return 0;
}

size_t buf_visible_one(struct buf *b, struct str s, size_t at, enum visible_kept kept)
{
    struct str rest = str_sub(s, at, s.n);
    const unsigned char *p = (const unsigned char *)rest.p;
    size_t n = str_utf8_len(rest), colour = kept == VISIBLE_OUTPUT ? colour_at(rest) : 0;
    if (!n) {
        buf_fmt(b, "\\x%02x", p[0]);
        return 1;
    }
    uint32_t c = decode(p, n);
    bool stays = kept != VISIBLE_LINE && (c == '\n' || c == '\t');
    if (colour || stays || !is_hidden(c))
        buf_add(b, str_sub(rest, 0, colour ? colour : n));
    else if (c == '\n' || c == '\r' || c == '\t')
        buf_fmt(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else
        buf_fmt(b, "\\u%04x", (unsigned)c);
    return colour ? colour : n;
}

void buf_visible(struct buf *b, struct str s, enum visible_kept kept)
{
    for (size_t i = 0; i < s.n;) {
        size_t plain = i;
        while (plain < s.n && s.p[plain] >= 0x20 && s.p[plain] < 0x7F)
            plain++;
        buf_add(b, str_sub(s, i, plain - i));
        i = plain < s.n ? plain + buf_visible_one(b, s, plain, kept) : plain;
    }
}

struct str visible(struct arena *a, struct str s, enum visible_kept kept)
{
    struct buf b = BUF(a);
    buf_visible(&b, s, kept);
    return buf_str(&b);
}

size_t visible_columns(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}
