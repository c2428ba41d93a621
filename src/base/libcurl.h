/* libcurl, loaded when it is first needed.
 *
 * libcurl brings some thirty libraries with it, which cost the dynamic loader more time than
 * commands that never open a connection take altogether (200 runs of `version` and of `print`, on
 * two busy cores: 14 ms each as it is, 32 to 41 ms linked against it). Include this instead of
 * <curl/curl.h> and call libcurl_load before the first curl function; the functions are called by
 * their own names. Any thread.
 *
 * Built with -Dlibcurl=linked it is linked against, so that one file can hold all of troupe where
 * there are static libraries; then the functions are libcurl's own, and libcurl_load checks only
 * the version. */
#ifndef TROUPE_LIBCURL_H
#define TROUPE_LIBCURL_H

#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

#include "base/err.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_share_setopt

#ifndef LIBCURL_LINKED

#define LIBCURL_FUNCTIONS(X) \
    X(easy_cleanup)          \
    X(easy_getinfo)          \
    X(easy_init)             \
    X(easy_perform)          \
    X(easy_reset)            \
    X(easy_setopt)           \
    X(easy_strerror)         \
    X(global_init)           \
    X(multi_add_handle)      \
    X(multi_cleanup)         \
    X(multi_info_read)       \
    X(multi_init)            \
    X(multi_perform)         \
    X(multi_poll)            \
    X(multi_remove_handle)   \
    X(share_cleanup)         \
    X(share_init)            \
    X(share_setopt)          \
    X(slist_append)          \
    X(slist_free_all)        \
    X(version_info)

#define LIBCURL_POINTER(name) __typeof__(curl_##name) *name;
struct libcurl {
    LIBCURL_FUNCTIONS(LIBCURL_POINTER)
};
#undef LIBCURL_POINTER

/* Filled by libcurl_load; read-only afterwards. */
extern struct libcurl libcurl;

#define curl_easy_cleanup libcurl.easy_cleanup
#define curl_easy_getinfo libcurl.easy_getinfo
#define curl_easy_init libcurl.easy_init
#define curl_easy_perform libcurl.easy_perform
#define curl_easy_reset libcurl.easy_reset
#define curl_easy_setopt libcurl.easy_setopt
#define curl_easy_strerror libcurl.easy_strerror
#define curl_global_init libcurl.global_init
#define curl_multi_add_handle libcurl.multi_add_handle
#define curl_multi_cleanup libcurl.multi_cleanup
#define curl_multi_info_read libcurl.multi_info_read
#define curl_multi_init libcurl.multi_init
#define curl_multi_perform libcurl.multi_perform
#define curl_multi_poll libcurl.multi_poll
#define curl_multi_remove_handle libcurl.multi_remove_handle
#define curl_share_cleanup libcurl.share_cleanup
#define curl_share_init libcurl.share_init
#define curl_share_setopt libcurl.share_setopt
#define curl_slist_append libcurl.slist_append
#define curl_slist_free_all libcurl.slist_free_all
#define curl_version_info libcurl.version_info

#endif

/* Load and initialise it, once. FAILED with the loader's reason. */
int libcurl_load(struct err *err);

/* The options of one connection. Each counts: without CURLOPT_PROTOCOLS_STR, say, a URL may name
 * any protocol. */
struct libcurl_setup {
    CURL *easy;
    CURLcode code;
    const char *refused; /* the first option that libcurl did not take, or NULL */
};
#define LIBCURL_SET(setup, option, value) \
    libcurl_note((setup), #option, curl_easy_setopt((setup)->easy, option, value))
void libcurl_note(struct libcurl_setup *setup, const char *option, CURLcode code);
/* FAILED: there is no handle, or an option was not taken. */
int libcurl_ready(const struct libcurl_setup *setup, struct err *err);

#endif
