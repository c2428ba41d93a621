/* XML answers as trees. */
#ifndef TROUPE_AWS_CLIENT_XML_H
#define TROUPE_AWS_CLIENT_XML_H

#include "doc/node.h"

enum { XML_DEPTH_MAX = 64, XML_BYTES_MAX = 64 * 1024 * 1024 };

/* Content of the root element, whose name goes to `*ret_root`. An element with children becomes a
 * map, one with text only a string; a child name that occurs several times a sequence under that
 * name; an element whose only children are called `member`, a sequence itself. Attributes and
 * namespaces are dropped. FAILED: no well-formed XML, a document type (entities are never
 * expanded), too deep or too large. */
const struct node *xml_read(struct arena *a, struct str text, struct str *ret_root,
                            struct err *err);

#endif
