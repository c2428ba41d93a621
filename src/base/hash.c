/* Digests by libcrypto. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static unsigned digest(const EVP_MD *md, struct str data, unsigned char *out)
{
    unsigned n = 0;
    if (!EVP_Digest(data.p, data.n, out, &n, md, NULL))
        die("libcrypto does not work: out of memory?");
    return n;
}

void sha256(struct str data, unsigned char out[SHA256_BYTES])
{
    digest(EVP_sha256(), data, out);
}

static struct str digest_hex(struct arena *a, const EVP_MD *md, struct str data)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    return hex_encode(a, out, digest(md, data, out));
}

struct str sha256_hex(struct arena *a, struct str data)
{
    return digest_hex(a, EVP_sha256(), data);
}

struct str sha1_hex(struct arena *a, struct str data)
{
    return digest_hex(a, EVP_sha1(), data);
}

/* libcrypto's context, under a name of our own: callers need not know the library. */
static struct digest *begin(const EVP_MD *md)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, md, NULL))
        die("libcrypto does not work: out of memory?");
    return (struct digest *)context;
}

struct digest *sha256_begin(void)
{
    return begin(EVP_sha256());
}

struct digest *sha1_begin(void)
{
    return begin(EVP_sha1());
}

void digest_add(struct digest *d, struct str data)
{
    if (!EVP_DigestUpdate((EVP_MD_CTX *)d, data.p, data.n))
        die("libcrypto does not work: out of memory?");
}

void digest_end(struct digest *d, unsigned char *out)
{
    unsigned n = 0;
    if (!EVP_DigestFinal_ex((EVP_MD_CTX *)d, out, &n))
        die("libcrypto does not work: out of memory?");
    EVP_MD_CTX_free((EVP_MD_CTX *)d);
}

struct str md5_hex(struct arena *a, struct str data)
{
    return digest_hex(a, EVP_md5(), data);
}

struct str sha256_base64(struct arena *a, struct str data)
{
    unsigned char out[SHA256_BYTES];
    sha256(data, out);
    return base64_encode(a, out, sizeof out);
}

void hmac_sha256(struct str key, struct str data, unsigned char out[SHA256_BYTES])
{
    unsigned n = SHA256_BYTES;
    if (!HMAC(EVP_sha256(), key.p ? key.p : "", (int)key.n, (const unsigned char *)data.p, data.n,
              out, &n))
        die("libcrypto does not work: out of memory?");
}

struct str hex_encode(struct arena *a, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = p;
    char *out = arena_alloc(a, n * 2 + 1);
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    return (struct str){out, n * 2};
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str base64_encode(struct arena *a, const void *p, size_t n)
{
    const unsigned char *in = p;
    char *out = arena_alloc(a, (n + 2) / 3 * 4 + 1);
    size_t o = 0;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v =
            (unsigned)in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
        out[o++] = base64_digits[v >> 18];
        out[o++] = base64_digits[v >> 12 & 63];
        out[o++] = i + 1 < n ? base64_digits[v >> 6 & 63] : '=';
        out[o++] = i + 2 < n ? base64_digits[v & 63] : '=';
    }
    return (struct str){out, o};
}

bool base64_decode(struct arena *a, struct str s, struct str *ret)
{
    char *out = arena_alloc(a, s.n / 4 * 3 + 4);
    size_t o = 0;
    unsigned bits = 0, v = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '=' || c == '\n' || c == '\r' || c == ' ')
            continue;
        const char *at = c ? strchr(base64_digits, c) : NULL;
        if (!at)
            return false;
        v = v << 6 | (unsigned)(at - base64_digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[o++] = (char)(v >> bits);
        }
    }
    *ret = (struct str){out, o};
    return true;
}

struct str random_hex(struct arena *a, size_t n)
{
    unsigned char *p = arena_alloc(a, n);
    if (RAND_bytes(p, (int)n) != 1)
        die("libcrypto does not work: out of memory?");
    return hex_encode(a, p, n);
}
