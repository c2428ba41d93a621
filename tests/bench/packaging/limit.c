/* What packaging cannot be faster than: read the files that a list names, one a line, and compress
 * each by libdeflate's level 6, on all cores, and nothing else. */
#include <fcntl.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVEL = 6, FILE_BYTES_MAX = 16 * 1024 * 1024, FILES_MAX = 100000, CORES_MAX = 64 };

static char *names[FILES_MAX];
static size_t count;
static atomic_size_t next_file;

static void *work(void *unused)
{
    (void)unused;
    struct libdeflate_compressor *z = libdeflate_alloc_compressor(LEVEL);
    char *in = malloc(FILE_BYTES_MAX), *out = malloc(FILE_BYTES_MAX);
    for (size_t i; z && in && out && (i = atomic_fetch_add(&next_file, 1)) < count;) {
        int fd = open(names[i], O_RDONLY);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > FILE_BYTES_MAX ||
            read(fd, in, (size_t)st.st_size) != st.st_size)
            exit(1);
        close(fd);
        libdeflate_deflate_compress(z, in, (size_t)st.st_size, out, FILE_BYTES_MAX);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    char line[4096];
    FILE *list = argc > 1 ? fopen(argv[1], "r") : NULL;
    while (list && count < FILES_MAX && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        names[count++] = strdup(line);
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[CORES_MAX];
    for (long i = 0; i < cores && i < CORES_MAX; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (long i = 0; i < cores && i < CORES_MAX; i++)
        pthread_join(threads[i], NULL);
    return count ? 0 : 1;
}
