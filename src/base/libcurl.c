/* Loading libcurl. */
#define LIBCURL_IMPLEMENTATION
#include "base/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>

struct libcurl libcurl;
static const char *problem; /* why loading failed; set once */

static void *symbol(void *library, const char *name)
{
    void *p = dlsym(library, name);
    if (!p && !problem)
        problem = name;
    return p;
}

/* An older one does not know CURLOPT_PROTOCOLS_STR: any protocol that a URL names stays open. */
enum { OLDEST = 0x075500 };

static void load(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl.4.dylib", "libcurl.so"};
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        problem = "libcurl.so.4 is not installed";
        return;
    }
#define LOAD(name) *(void **)&libcurl.name = symbol(library, "curl_" #name);
    LIBCURL_FUNCTIONS(LOAD)
#undef LOAD
    if (!problem && libcurl.version_info(CURLVERSION_NOW)->version_num < OLDEST)
        problem = "it is older than 7.85";
    if (!problem)
        libcurl.global_init(CURL_GLOBAL_DEFAULT);
}

int libcurl_load(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!problem)
        return 0;
    err_set(err, ERR_FAILED, "cannot load libcurl: %s", problem);
    return err_help(err, "install libcurl 7.85 or newer, on Debian: apt-get install libcurl4");
}
