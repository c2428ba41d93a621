/* Loading libcurl. */
#include "base/libcurl.h"

#include <pthread.h>

static const char *problem; /* why loading failed; set once */

#ifdef LIBCURL_LINKED

static void find_functions(void)
{
}

#else

#include <dlfcn.h>

struct libcurl libcurl;

static void *symbol(void *library, const char *name)
{
    void *p = dlsym(library, name);
    if (!p && !problem)
        problem = name;
    return p;
}

static void find_functions(void)
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
}

#endif

/* An older one does not know CURLOPT_PROTOCOLS_STR: any protocol that a URL names stays open. */
enum { OLDEST = 0x075500 };

static void load(void)
{
    find_functions();
    if (!problem && curl_version_info(CURLVERSION_NOW)->version_num < OLDEST)
        problem = "it is older than 7.85";
    if (!problem && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        problem = "it cannot be initialised";
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

void libcurl_note(struct libcurl_setup *setup, const char *option, CURLcode code)
{
    if (code == CURLE_OK || setup->refused)
        return;
    setup->code = code;
    setup->refused = option;
}

int libcurl_ready(const struct libcurl_setup *setup, struct err *err)
{
    if (!setup->easy)
        return err_set(err, ERR_FAILED, "libcurl has no memory for a connection");
    if (!setup->refused)
        return 0;
    err_set(err, ERR_FAILED, "libcurl does not take %s: %s", setup->refused,
            curl_easy_strerror(setup->code));
    return err_help(err, "install a libcurl with TLS, on Debian: apt-get install libcurl4");
}
