/* The files ~/.aws/config and ~/.aws/credentials, as botocore reads them: `[section]`, `key =
 * value` or `key: value`, keys in lower case, comments on lines of their own behind `#` or `;`, and
 * indented lines below a key with an empty value as that key's own settings. */
#ifndef TROUPE_AWS_CREDENTIALS_INI_H
#define TROUPE_AWS_CREDENTIALS_INI_H

#include "doc/node.h"

/* Map of sections, each a map of strings or, for nested settings, of maps. Section names are kept
 * but for quotes and repeated blanks: `[profile "my team"]` is "profile my team". A section that
 * occurs again adds to the first. CONFIG: a line that is none of these; the message names file and
 * line but does not show it, as it may hold a key. `path` is for messages. */
const struct node *ini_read(struct arena *a, struct str path, struct str text, struct err *err);

/* Split a command as a POSIX shell does, quotes and backslashes, nothing expanded. False: a quote
 * is not closed. */
bool words_split(struct arena *a, struct str s, struct str **ret, size_t *ret_n);

#endif
