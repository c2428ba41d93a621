/* Digests and encodings. Any thread. */
#ifndef TROUPE_HASH_H
#define TROUPE_HASH_H

#include "base/str.h"

enum { SHA256_BYTES = 32 };

void sha256(struct str data, unsigned char out[SHA256_BYTES]);
/* 64 lower-case hexadecimal digits. */
struct str sha256_hex(struct arena *a, struct str data);
/* Base64 of the 32 bytes, as Lambda's CodeSha256. */
struct str sha256_base64(struct arena *a, struct str data);
void hmac_sha256(struct str key, struct str data, unsigned char out[SHA256_BYTES]);
struct str sha1_hex(struct arena *a, struct str data);
/* Of `first` and, behind it, `second`. */
struct str sha1_hex_of_two(struct arena *a, struct str first, struct str second);
struct str md5_hex(struct arena *a, struct str data);
struct str hex_encode(struct arena *a, const void *p, size_t n);
struct str base64_encode(struct arena *a, const void *p, size_t n);
/* Standard alphabet, padding optional, white space skipped. False when it is none. */
bool base64_decode(struct arena *a, struct str s, struct str *ret);
/* `n` unpredictable bytes as 2n hexadecimal digits. */
struct str random_hex(struct arena *a, size_t n);

#endif
