/* Large files: read, deflated and inflated in pieces, so that no more than some of them is in
 * memory. */
#ifndef TROUPE_PACK_LARGE_H
#define TROUPE_PACK_LARGE_H

#include "pack/content.h"

/* A file of more bytes is large. Smaller ones are deflated by libdeflate, twice as fast, which
 * wants a file and its piece in memory as a whole. */
enum { LARGE_BYTES = 6 * 1024 * 1024 };

/* e_machine of an ELF file for processors that Lambda has (little-endian, 64 bits), by its
 * beginning; 0: it is none. */
uint16_t elf_machine(struct str beginning);

/* What is in `fd`, `size` bytes. */
struct large_sum {
    unsigned char digest[SHA256_BYTES];
    uint32_t crc;
    uint16_t machine;
};
/* 0, or errno's value; EAGAIN: the file has another size. */
int large_sum(int fd, uint64_t size, struct large_sum *ret);

/* Is it worth while to deflate it? Samples say so: pictures and archives take long, and gain
 * nothing. Errors as above. */
int large_shrinks(int fd, uint64_t size, bool *ret);

/* Deflate `fd`, `size` bytes, into `out`. The same gives the same. Errors as above; EAGAIN also
 * when the digest is not `digest`. */
int large_deflate(int fd, uint64_t size, const unsigned char digest[SHA256_BYTES], int out,
                  uint64_t *ret_bytes, uint32_t *ret_crc);

/* Inflate `packed` bytes of `fd` from `at` on into `out`, where they are `size` bytes. EILSEQ: they
 * are not. */
int large_inflate(int fd, uint64_t at, uint64_t packed, int out, uint64_t size);
/* Inflate the first `n` bytes of what begins with `packed`. False: there are not so many. */
bool large_beginning(const char *packed, size_t packed_n, char *out, size_t n);

/* Copy `size` bytes from `at` on. EILSEQ: there are not so many. */
int large_copy(int fd, uint64_t at, int out, uint64_t size);

#endif
