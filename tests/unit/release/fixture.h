/* What tests of the whole engine share: a service on disk, and the small AWS that it is deployed
 * to. Services and templates are data: tests/golden/release. */
#ifndef TROUPE_TEST_FIXTURE_H
#define TROUPE_TEST_FIXTURE_H

#include "check.h"

#include "doc/json.h"
#include "fake_aws.h"
#include "fake_clock.h"
#include "release/dispose/dispose.h"

struct fixture {
    struct arena *arena;
    struct aws *aws;
    struct str top, dir; /* "<top>/svc", with serverless.yml and h.js */
    struct service service;
    struct layout layout;
    struct target target;
    struct release release;
    struct disposals disposals; /* of `release` */
    struct config_options config;
    struct map options, params;
    struct deployed done;
    struct err err;
};

/* For cmocka: of each test, which finds an empty AWS. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
/* All of `tests`; `args` is what main got: the folder of tests comes first. */
#define FIXTURE_RUN(name, tests, argv) \
    (fixture_data(argv), cmocka_run_group_tests_name(name, tests, cloud_start, cloud_stop))
void fixture_data(char **argv);

/* A file of tests/golden/release, as text and as JSON. */
struct str data_text(struct arena *a, const char *file);
const struct node *data_json(struct arena *a, const char *file);

/* Read the service of this file for `stage` ("shop.yml"), with `code` in all its functions. */
void fixture_load(struct fixture *f, const char *file, const char *stage, const char *code);
void fixture_load_text(struct fixture *f, struct str text, const char *stage, const char *code);
/* The same, and deploy it. */
int fixture_deploy(struct fixture *f, const char *file, const char *stage, const char *code);
/* The world as it is now, with its records. */
void fixture_world(struct fixture *f, struct world *ret);

/* The object of the service's folder as JSON, NULL: there is none. */
const struct node *fixture_object(struct fixture *f, const char *key);

#endif
