/* Container images: what a tag stands for now, and images that are built from a folder.
 *
 * A built image is named by its content: the tag has a hash of the folder and of all that the
 * builder is told, so that one content is built and pushed once, whatever stage asks for it. */
#ifndef TROUPE_RELEASE_IMAGE_IMAGE_H
#define TROUPE_RELEASE_IMAGE_IMAGE_H

#include <regex.h>

#include "base/vec.h"
#include "release/release.h"

struct image_request {
    const struct compile_image *images;
    size_t count;
    struct str repository; /* for what is built (image_repository) */
    bool look_only;        /* build nothing: what would be built has a tag in place of a digest */
};
/* `*ret`: compile_image.key -> URI, as compile_options.images wants it. CONFIG with a place: no
 * such image, another region than the functions', no Dockerfile. FAILED: there is no builder, or
 * it failed. */
int images_resolve(const struct release *r, const struct image_request *request,
                   const struct node **ret, struct err *err);
/* The repository of a service: "troupe/shop", for all its stages in its region; that of remote
 * stages, "troupe/shop/<home>", is not the one that a service of this name would have there. */
struct str image_repository(struct arena *a, const struct service *service);
/* The one that the dialect's reference makes for a stage: "serverless-shop-dev". */
struct str image_repository_flat(struct arena *a, const struct service *service);

/* ---- image_content.c ---- */

/* Tag of an image: its name and a hash of what it is built from. `dir`: of the service. CONFIG: no
 * Dockerfile, a `.dockerignore` that is none. */
int image_tag(struct arena *a, struct str dir, const struct compile_image *image, struct str *ret,
              struct err *err);

/* Has it the form of a tag that image_tag makes? */
bool image_is_tag(struct str tag);

/* ---- docker_ignore.c ---- */

struct docker_rule {
    regex_t *regex;
    bool keeps; /* "!…": what a rule before it leaves out is there after all */
};
struct docker_ignore {
    VEC(struct docker_rule) rules;
    bool keeps; /* one of them does */
};
/* The rules that the builder reads for a folder: `<Dockerfile>.dockerignore`, else the folder's
 * `.dockerignore`. None where there is a `.containerignore`, which Podman reads and Docker does
 * not: then everything counts. CONFIG with file and line: a pattern that is none. */
int docker_ignore_read(struct arena *a, struct str folder, struct str dockerfile,
                       struct docker_ignore *ret, struct err *err);
void docker_ignore_free(struct docker_ignore *ignore);
#define cleanup_docker_ignore __attribute__((cleanup(docker_ignore_free)))
/* Does the builder not get this file of the folder? `path` begins at the folder. */
bool docker_ignores(const struct docker_ignore *ignore, const char *path);

/* ---- builder.c ---- */

/* The first of docker, podman and buildah that the PATH has. FAILED: none of them is there. */
int builder_find(struct arena *a, struct str *ret, struct err *err);
/* Run it in `dir` without a shell; what it says goes to standard error. `input` (may be empty) is
 * what it reads. FAILED with the command when it ends with another status than 0. */
int builder_run(struct arena *a, struct str dir, const struct node *words, struct str input,
                struct err *err);

#endif
