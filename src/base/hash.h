/* Digests and encodings. Any thread. */
#ifndef TROUPE_HASH_H
#define TROUPE_HASH_H

#include "base/str.h"

enum { SHA256_BYTES = 32, SHA1_BYTES = 20 };

void sha256(struct str data, unsigned char out[SHA256_BYTES]);
/* 64 lower-case hexadecimal digits. */
struct str sha256_hex(struct arena *a, struct str data);
/* Base64 of the 32 bytes, as Lambda's CodeSha256. */
struct str sha256_base64(struct arena *a, struct str data);
void hmac_sha256(struct str key, struct str data, unsigned char out[SHA256_BYTES]);
struct str sha1_hex(struct arena *a, struct str data);

/* A digest of what comes in pieces. */
struct digest;
struct digest *sha256_begin(void);
struct digest *sha1_begin(void);
void digest_add(struct digest *d, struct str data);
/* The bytes, SHA256_BYTES or SHA1_BYTES of them; `d` is gone. */
void digest_end(struct digest *d, unsigned char *out);

struct str md5_hex(struct arena *a, struct str data);
struct str hex_encode(struct arena *a, const void *p, size_t n);
struct str base64_encode(struct arena *a, const void *p, size_t n);
/* Standard alphabet, padding optional, white space skipped. False when it is none. */
bool base64_decode(struct arena *a, struct str s, struct str *ret);
/* `n` unpredictable bytes as 2n hexadecimal digits. */
struct str random_hex(struct arena *a, size_t n);

#endif
