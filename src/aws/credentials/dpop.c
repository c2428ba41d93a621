/* DPoP proofs, as botocore's LoginProvider makes them. */
#include "aws/credentials/dpop.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/hash.h"

enum { COORDINATE_BYTES = 32, SIGNATURE_BYTES_MAX = 80 };

static void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void digest_free(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

static void signature_free(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

/* Base64 with the alphabet of URLs and without padding: RFC 7515, section 2. */
static struct str base64_url(struct arena *a, const void *p, size_t n)
{
    struct str plain = base64_encode(a, p, n);
    char *text = arena_alloc(a, plain.n + 1);
    size_t used = 0;
    for (size_t i = 0; i < plain.n && plain.p[i] != '='; i++)
        text[used++] = plain.p[i] == '+' ? '-' : plain.p[i] == '/' ? '_' : plain.p[i];
    text[used] = '\0';
    return (struct str){text, used};
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *in = pem.n < 64 * 1024 ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    return key;
}

/* The public key's two coordinates. They are the last bytes of its SubjectPublicKeyInfo, whose
 * other bytes are the same for every key on P-256: RFC 5480. */
static bool public_key(struct arena *a, EVP_PKEY *key, struct str *ret_x, struct str *ret_y)
{
    static const unsigned char p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    unsigned char *info = NULL;
    int n = i2d_PUBKEY(key, &info);
    bool good =
        n == (int)sizeof p256 + 2 * COORDINATE_BYTES && memcmp(info, p256, sizeof p256) == 0;
    if (good) {
        *ret_x = base64_url(a, info + sizeof p256, COORDINATE_BYTES);
        *ret_y = base64_url(a, info + sizeof p256 + COORDINATE_BYTES, COORDINATE_BYTES);
    }
    OPENSSL_free(info);
    return good;
}

/* ES256: the signature's two numbers, each in 32 bytes. */
static bool sign(struct arena *a, EVP_PKEY *key, struct str text, struct str *ret)
{
    unsigned char der[SIGNATURE_BYTES_MAX], pair[2 * COORDINATE_BYTES];
    size_t n = sizeof der;
    __attribute__((cleanup(digest_free))) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(digest, der, &n, (const unsigned char *)text.p, text.n) != 1)
        return false;
    const unsigned char *at = der;
    __attribute__((cleanup(signature_free))) ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &at, (long)n);
    if (!numbers || BN_bn2binpad(ECDSA_SIG_get0_r(numbers), pair, COORDINATE_BYTES) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(numbers), pair + COORDINATE_BYTES, COORDINATE_BYTES) < 0)
        return false;
    *ret = base64_url(a, pair, sizeof pair);
    return true;
}

int dpop_proof(struct arena *a, struct str pem, const struct dpop *dpop, struct str *ret,
               struct err *err)
{
    __attribute__((cleanup(key_free))) EVP_PKEY *key = read_key(pem);
    struct str x, y, signature;
    if (!key || !public_key(a, key, &x, &y))
        return err_set(err, ERR_FAILED, "its dpopKey is no private key on P-256");
    struct str head = str_fmt(a,
                              "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\","
                              "\"x\":\"%.*s\",\"y\":\"%.*s\",\"crv\":\"P-256\"}}",
                              STR_ARG(x), STR_ARG(y));
    struct str claims =
        str_fmt(a, "{\"htm\":\"POST\",\"htu\":\"%.*s\",\"iat\":%lld,\"jti\":\"%.*s\"}",
                STR_ARG(dpop->url), (long long)(dpop->wall_ms / 1000), STR_ARG(dpop->id));
    struct str text = str_fmt(a, "%.*s.%.*s", STR_ARG(base64_url(a, head.p, head.n)),
                              STR_ARG(base64_url(a, claims.p, claims.n)));
    if (!sign(a, key, text, &signature))
        return err_set(err, ERR_FAILED, "libcrypto cannot sign with its dpopKey");
    *ret = str_fmt(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(signature));
    return 0;
}
