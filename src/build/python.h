/* Between the files of serverless-python-requirements: build_python.c says what is to be installed
 * and what becomes of it, python_requirements.c reads what is required, python_install.c installs
 * it. */
#ifndef TROUPE_BUILD_PYTHON_H
#define TROUPE_BUILD_PYTHON_H

#include "build/build_internal.h"

enum { REQUIREMENTS_BYTES_MAX = 16 * 1024 * 1024 };

/* ---- python_requirements.c ---- */

/* Does the pyproject.toml at `path` say that poetry builds the project? */
bool pyproject_is_poetry(struct arena *a, struct str path);
/* Read `path` and what it names by `-r`, as the plugin does: without comments and what `left_out`
 * names, sorted, with pip's options in front. `*files` gets the names of all files that were read,
 * and `warnings` what to tell. ERR_CONFIG when one is missing. */
int requirements_read(struct arena *a, struct str path, const struct node *left_out,
                      struct node *files, struct node *warnings, struct str *ret, struct err *err);
/* Files and folders of this machine that lines of requirements name. */
void requirements_local(struct arena *a, struct str dir, struct str lines, struct node *files,
                        struct node *dirs);
/* All files below folder `name` of `dir`, and of its folders the names, as inputs. */
void inputs_add_folder(struct arena *a, struct str dir, struct str name, struct node *files,
                       struct node *dirs);

/* ---- python_install.c ---- */

/* A program of that name in $PATH, or at that path; empty: there is none. */
struct str program_find(struct arena *a, struct str name);
/* A build's `run`: make `place`/files what the plugin makes of the requirements, and with `zip`
 * `place`/requirements.zip of it. `options` of the build is what build_python.c has put there. */
int python_install(struct arena *a, const struct build *b, struct str place,
                   struct build_inputs *inputs, const struct node **result, struct err *err);

#endif
