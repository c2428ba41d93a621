/* Scripts of a service, `file(x.js)` and `serverless.ts`: one node process runs all of them.
 *
 * It is started for the first message and speaks lines of JSON over a socket. troupe asks for one
 * thing at a time; before it answers, node may ask for variables, in whose course troupe may ask
 * for further files:
 *
 *     > {"start": {"dir", "argv", "options"}}      once
 *     > {"id": 1, "do": "file", "path", "keys", "env", "ofStage"}
 *     < {"ask": 1, "of": 1, "variable" | "keys" | "text"}
 *     > {"answer": 1, "value" | "error"}           without both: undefined
 *     < {"id": 1, "value" | "error", "stage", "modules"}
 *
 * `env` is what a .env file adds to the environment, `ofStage` whether that is the stage's own.
 * Node's working directory is troupe's. It has no input; what scripts print goes to the error
 * output. It is a process group of its own, which is killed when the user stops troupe. One
 * thread. */
#ifndef TROUPE_CONFIG_SCRIPT_H
#define TROUPE_CONFIG_SCRIPT_H

#include "doc/node.h"

struct script_host;

/* The host for scripts of directory `dir`. `argv` is a list of what their `process.argv` has behind
 * the program, `options` a map. Nothing is started yet. */
struct script_host *script_host_new(struct arena *a, struct str dir, const struct node *argv,
                                    const struct node *options);
/* Send a message; starts node if it does not run. ERR_NOT_FOUND: there is no node. ERR_CONFIG: node
 * has ended. */
int script_send(struct script_host *host, const struct node *message, struct err *err);
/* The next message; `*ret` lives in the host's arena. ERR_CONFIG: node has ended, or said nothing
 * for five minutes (TROUPE_SCRIPT_LIMIT). ERR_CANCELLED: the user wants to stop. */
int script_receive(struct script_host *host, const struct node **ret, struct err *err);
/* Let node end, if it runs. A later message starts it again. Accepts NULL. */
void script_close(struct script_host *host);

#endif
