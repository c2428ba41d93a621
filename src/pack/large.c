/* zlib's deflate and inflate over files. */
#include "pack/large.h"

#include <elf.h>
#include <errno.h>
#include <libdeflate.h>
#include <unistd.h>
#include <zlib.h>

enum { AT_ONCE = 256 * 1024, LEVEL = 6, RAW_WINDOW = -15 /* no header */, MEMORY = 8 };

uint16_t elf_machine(struct str beginning)
{
    if (beginning.n < sizeof(Elf64_Ehdr) || memcmp(beginning.p, ELFMAG, SELFMAG) != 0)
        return 0;
    Elf64_Ehdr header;
    memcpy(&header, beginning.p, sizeof header);
    return header.e_ident[EI_DATA] == ELFDATA2LSB ? header.e_machine : 0;
}

/* ---- reading and writing ---- */

/* Read up to AT_ONCE bytes at `at`. Returns errno's value; `*ret` 0: the end. */
static int read_some(int fd, uint64_t at, char *p, size_t most, size_t *ret)
{
    ssize_t k;
    while ((k = pread(fd, p, most < AT_ONCE ? most : AT_ONCE, (off_t)at)) < 0 && errno == EINTR)
        ;
    *ret = k > 0 ? (size_t)k : 0;
    return k < 0 ? errno : 0;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k < 0 ? errno : ENOSPC;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

int large_sum(int fd, uint64_t size, struct large_sum *ret)
{
    cleanup_arena struct arena *a = arena_new();
    struct digest *digest = sha256_begin();
    char *p = arena_alloc(a, AT_ONCE);
    uint64_t at = 0;
    size_t n;
    int error;
    *ret = (struct large_sum){0};
    while (!(error = read_some(fd, at, p, AT_ONCE, &n)) && n) {
        if (!at)
            ret->machine = elf_machine((struct str){p, n});
        digest_add(digest, (struct str){p, n});
        ret->crc = libdeflate_crc32(ret->crc, p, n);
        at += n;
        if (at > size)
            break;
    }
    digest_end(digest, ret->digest);
    return error ? error : at == size ? 0 : EAGAIN;
}

int large_copy(int fd, uint64_t at, int out, uint64_t size)
{
    cleanup_arena struct arena *a = arena_new();
    char *p = arena_alloc(a, AT_ONCE);
    int error = 0;
    for (size_t n; size && !error; size -= n, at += n) {
        error = read_some(fd, at, p, size < AT_ONCE ? (size_t)size : AT_ONCE, &n);
        if (!error)
            error = n ? write_all(out, p, n) : EILSEQ;
    }
    return error;
}

/* ---- zlib ---- */

struct writing {
    z_stream z;
    char in[AT_ONCE], out[AT_ONCE];
    int fd;
    uint64_t bytes;
    uint32_t crc;
};

/* Write what zlib has put out, and give it room again. */
static int write_out(struct writing *w)
{
    size_t n = sizeof w->out - w->z.avail_out;
    w->crc = libdeflate_crc32(w->crc, w->out, n);
    w->bytes += n;
    w->z.next_out = (Bytef *)w->out;
    w->z.avail_out = sizeof w->out;
    return write_all(w->fd, w->out, n);
}

static int deflate_some(struct writing *w, size_t n, bool last)
{
    int error = 0;
    w->z.next_in = (Bytef *)w->in;
    w->z.avail_in = (uInt)n;
    do {
        int code = deflate(&w->z, last ? Z_FINISH : Z_NO_FLUSH);
        if (code == Z_STREAM_ERROR)
            return EIO;
        if (!w->z.avail_out || last)
            error = write_out(w);
        if (code == Z_STREAM_END)
            break;
    } while (!error && (w->z.avail_in || last));
    return error;
}

static int deflate_all(struct writing *w, int fd, uint64_t size, struct digest *digest)
{
    uint64_t at = 0;
    size_t n;
    int error;
    while (!(error = read_some(fd, at, w->in, AT_ONCE, &n)) && n && at + n <= size) {
        digest_add(digest, (struct str){w->in, n});
        at += n;
        if ((error = deflate_some(w, n, false)))
            return error;
    }
    return error ? error : at == size && !n ? deflate_some(w, 0, true) : EAGAIN;
}

int large_deflate(int fd, uint64_t size, const unsigned char digest[SHA256_BYTES], int out,
                  uint64_t *ret_bytes, uint32_t *ret_crc)
{
    cleanup_arena struct arena *a = arena_new();
    struct writing *w = ARENA_NEW(a, struct writing);
    unsigned char found[SHA256_BYTES];
    struct digest *d = sha256_begin();
    w->fd = out;
    w->z.next_out = (Bytef *)w->out;
    w->z.avail_out = sizeof w->out;
    if (deflateInit2(&w->z, LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        die("out of memory");
    int error = deflate_all(w, fd, size, d);
    deflateEnd(&w->z);
    digest_end(d, found);
    *ret_bytes = w->bytes;
    *ret_crc = w->crc;
    return error ? error : memcmp(found, digest, SHA256_BYTES) != 0 ? EAGAIN : 0;
}

int large_shrinks(int fd, uint64_t size, bool *ret)
{
    enum { SAMPLES = 16, BYTES = 64 * 1024, LEAST_PERCENT = 3 };
    cleanup_arena struct arena *a = arena_new();
    struct libdeflate_compressor *z = libdeflate_alloc_compressor(1);
    char *in = arena_alloc(a, BYTES), *out = arena_alloc(a, BYTES);
    size_t whole = 0, packed = 0;
    int error = 0;
    if (!z)
        die("out of memory");
    for (uint64_t i = 0; i < SAMPLES && !error; i++) {
        size_t n;
        error = read_some(fd, (size - BYTES) / SAMPLES * i, in, BYTES, &n);
        size_t k = n ? libdeflate_deflate_compress(z, in, n, out, n) : 0;
        whole += n;
        packed += k ? k : n;
    }
    libdeflate_free_compressor(z);
    *ret = whole - packed > whole * LEAST_PERCENT / 100;
    return error;
}

static int inflate_all(struct writing *w, int fd, uint64_t at, uint64_t packed, uint64_t size)
{
    int code = Z_OK, error;
    while (code != Z_STREAM_END) {
        size_t n = 0;
        if (!w->z.avail_in) {
            if ((error = read_some(fd, at, w->in, packed < AT_ONCE ? (size_t)packed : AT_ONCE, &n)))
                return error;
            w->z.next_in = (Bytef *)w->in;
            w->z.avail_in = (uInt)n;
            at += n;
            packed -= n;
        }
        code = inflate(&w->z, Z_NO_FLUSH);
        if ((error = write_out(w)))
            return error;
        if ((code != Z_OK && code != Z_STREAM_END) || w->bytes > size)
            return EILSEQ;
    }
    return w->bytes == size && !packed && !w->z.avail_in ? 0 : EILSEQ;
}

int large_inflate(int fd, uint64_t at, uint64_t packed, int out, uint64_t size)
{
    cleanup_arena struct arena *a = arena_new();
    struct writing *w = ARENA_NEW(a, struct writing);
    w->fd = out;
    w->z.next_out = (Bytef *)w->out;
    w->z.avail_out = sizeof w->out;
    if (inflateInit2(&w->z, RAW_WINDOW) != Z_OK)
        die("out of memory");
    int error = inflate_all(w, fd, at, packed, size);
    inflateEnd(&w->z);
    return error;
}

bool large_beginning(const char *packed, size_t packed_n, char *out, size_t n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed,
                  .avail_in = (uInt)packed_n,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)n};
    if (inflateInit2(&z, RAW_WINDOW) != Z_OK)
        die("out of memory");
    inflate(&z, Z_SYNC_FLUSH);
    bool full = !z.avail_out;
    inflateEnd(&z);
    return full;
}
