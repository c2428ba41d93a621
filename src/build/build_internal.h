/* Between the files of build/. */
#ifndef TROUPE_BUILD_BUILD_INTERNAL_H
#define TROUPE_BUILD_BUILD_INTERNAL_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "build/build.h"

typedef VEC(struct pack_file) file_vec;

/* ---- process_group.c ---- */

struct command_line {
    const struct node *words;       /* the program, searched in $PATH, and its arguments */
    const struct node *environment; /* name -> text, beside what this process has; may be NULL */
    struct str input;               /* its standard input */
    struct str dir;
    struct str limit; /* as the user wrote it */
    int64_t limit_ms; /* 0: none */
};

/* Run it to its end; `*ret_output` is the end of what it wrote, to its error output, too. All that
 * it started ends with it. ERR_CONFIG: it cannot be run, failed, or took longer than the limit; its
 * last lines are notes. ERR_CANCELLED: the user wants to stop. Any thread. */
int process_group_run(struct arena *a, const struct command_line *c, struct str *ret_output,
                      struct err *err);

/* ---- matching_files.c ---- */

/* The files below `dir` that a list of patterns finds, relative to it and sorted, each once, as
 * globby finds them: a pattern that is a folder means all in it, and one that begins with '!' takes
 * away what those before it found. `dots`: names that begin with a dot are found by `*`, too. What
 * is below .git, .serverless and .troupe is not found. ERR_CONFIG with the place of the pattern. */
int matching_files(struct arena *a, struct str dir, const struct node *patterns, bool dots,
                   struct str **ret, size_t *ret_n, struct err *err);
/* The same in a list of names instead of a folder. */
int matching_names(struct arena *a, const struct str *names, size_t n, const struct node *patterns,
                   struct str **ret, size_t *ret_n, struct err *err);
/* All files below `dir`, relative to it and sorted. Links are followed. */
int all_files(struct arena *a, struct str dir, struct str **ret, size_t *ret_n, struct err *err);

/* ---- kept.c: what a builder made, and whether it still holds ---- */

/* The files and folders that a builder read, relative to the service or absolute. */
struct build_inputs {
    const struct node *files; /* list of paths; a file that is not there counts as such */
    const struct node *dirs;  /* of these the names of what is in them */
};

struct build {
    struct str name; /* of its folder: letters, digits, '-', '_', '.' */
    struct str what; /* "function 'api'", for messages */
    struct pos pos;
    struct str limit; /* custom.troupe.build.limit */
    int64_t limit_ms;
    struct str service_dir;
    const struct node *options; /* all else that its result depends on */
    /* Run it: write files into `place`, an empty folder two levels below the service. `*inputs`:
     * what they were made of; `*result`: what is remembered with them. `inputs->files` NULL: it is
     * not known what it depends on, so it is run each time. */
    int (*run)(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err);
    const void *context;
    /* `run` has compared its inputs before and after by their content: what was written meanwhile
     * has the same. */
    bool by_content;
    /* What came of it. */
    struct str folder; /* absolute */
    const struct node *result;
    bool kept; /* what an earlier run made was taken */
};

/* Take what is kept, if it holds. Any thread. */
bool kept_take(struct arena *a, struct build *b);
/* Run the builder, and keep what it writes. ERR_CONFIG also when it has written nothing. Any
 * thread, if no other has a build of this name. */
int kept_build(struct arena *a, struct build *b, struct err *err);
/* Before the first kept_build: make the folder `.troupe` of the service, which git ignores, and
 * remove from it what no run has needed for some time. */
int kept_prepare(struct arena *a, struct str service_dir, struct err *err);

/* ---- driver.c ---- */

/* Run `driver`, a script of this program, by node. On its standard input it has `options` of the
 * build as JSON, with `place`; it writes its files and `.troupe-result.json` there: `files` and
 * `dirs` (null: not known), which become `*inputs`, and more, which becomes `*result`; `warnings`
 * of it are told with every run. */
int driver_run(struct arena *a, const struct build *b, const char *driver, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err);

/* ---- the builders ---- */

/* Builds that a service needs, and then what they give. */
struct building {
    struct arena *arena;
    const struct service *service;
    const struct build_options *options;
    VEC(struct build) builds;
    struct built *built;
};

/* Is `name` in `plugins`? Its entry; NULL: no. */
const struct node *build_plugin(const struct service *service, const char *name);
bool build_individually(const struct service *service, const struct function *fn);

/* What the files of one zip are; `v` must not change any more. */
const struct pack_files *build_files(struct arena *a, const file_vec *v);

/* Let `package:` find them, too, in the service's folder. */
void build_beside(struct building *b, const file_vec *v);

/* Each builder: is it needed, is what the file says of it right (ERR_CONFIG with a place), which
 * builds there are, and what goes into the zips when they have run. */

/* build_command.c: custom.troupe.build */
bool commands_needed(const struct service *service);
int commands_check(struct building *b, struct err *err);
int commands_plan(struct building *b, struct err *err);
int commands_hand_out(struct building *b, struct err *err);
/* Does a command make the code of `fn` alone? */
bool commands_make(const struct service *service, const struct function *fn);

/* build_esbuild.c: serverless-esbuild, and TypeScript handlers without a plugin */
bool esbuild_needed(const struct service *service);
int esbuild_check(struct building *b, struct err *err);
int esbuild_plan(struct building *b, struct err *err);
int esbuild_hand_out(struct building *b, struct err *err);

/* build_typescript.c: serverless-plugin-typescript */
bool typescript_needed(const struct service *service);
int typescript_check(struct building *b, struct err *err);
int typescript_plan(struct building *b, struct err *err);
int typescript_hand_out(struct building *b, struct err *err);

/* build_dependencies.c: serverless-plugin-include-dependencies */
bool dependencies_needed(const struct service *service);
int dependencies_check(struct building *b, struct err *err);
int dependencies_plan(struct building *b, struct err *err);
int dependencies_hand_out(struct building *b, struct err *err);

/* build_warmers.c: serverless-plugin-warmup */
bool warmers_needed(const struct service *service);
int warmers_check(struct building *b, struct err *err);
int warmers_plan(struct building *b, struct err *err);
int warmers_hand_out(struct building *b, struct err *err);
/* Is it a function that the plugin adds, whose code no other builder makes? */
bool build_is_warmer(const struct function *fn);

/* build_python.c: serverless-python-requirements */
bool python_needed(const struct service *service);
int python_check(struct building *b, struct err *err);
int python_plan(struct building *b, struct err *err);
int python_hand_out(struct building *b, struct err *err);

#endif
