/* The service: from serverless.yml to the model.
 *
 * In: a file (or what was recorded of one: a source bundle), command-line options, the environment.
 * Out: `struct service`, whose tree has every variable resolved, is checked against the schema, and
 * is coerced as the dialect coerces (numbers in `environment` become strings, a function without
 * events gets `events: []` and so on). No network: variable sources that need AWS ask the callback.
 * Every node keeps its place and whether the stage took part. */
#ifndef TROUPE_CONFIG_H
#define TROUPE_CONFIG_H

#include "base/map.h"
#include "doc/object.h"

/* Where values of AWS are asked for. */
/* A variable whose value only AWS knows: ${source(params):address}. */
struct remote_query {
    struct str source, address;
    struct str params;          /* the text in parentheses (a region), or empty */
    struct str region, stage;   /* the stage is empty where it is not known yet */
    const struct node *profile; /* of provider.profile; NULL: none */
};

/* Who asks AWS. `*ret` NULL: there is no such value, the fallback applies. */
struct remote_values {
    void *context;
    int (*get)(void *context, struct arena *a, const struct remote_query *query,
               const struct node **ret, struct err *err);
};

/* Of the service file, by its major version. */
enum dialect { DIALECT_3 = 1, DIALECT_4 };

/* What a service was made from when it was deployed. From it the service is made again without its
 * files, for the same or another stage. The texts and nodes must live as long as the service made
 * of them. */
struct source_bundle {
    struct object object;
    /* stage that it was recorded for; empty: another one than is made now */
    struct str stage;
    struct str main;          /* name of the service file in `files`: `file` of the service then */
    const struct node *files; /* path -> text: `files` of the service then */
    /* `externals`, `absent`, `params` and `options` of the service then; each may be NULL. */
    const struct node *externals, *absent, *params, *options;
    const struct node *dotenv; /* names of the .env files that there were; may be NULL */
    /* "file(x.js):key", or the name of the service file when that is a script -> {"value",
     * "stage": what it was computed for, if it depends on that, "modules"}; may be NULL. */
    const struct node *scripts;
    enum dialect dialect; /* of --dialect then; 0: there was none */
    /* Of the last deployment of the stage that is made now, when that is another one: only what its
     * own .env.<stage> said is taken from there, and what the same scripts computed for it. May be
     * NULL. */
    const struct source_bundle *own;
};

/* What troupe does about a plugin (plugins/plugins.h). */
enum plugin_answer {
    PLUGIN_BUILT_IN,   /* its configuration is read, and its part done here */
    PLUGIN_REPLACED,   /* troupe does it in its own way */
    PLUGIN_NOT_NEEDED, /* the same is deployed without it */
    PLUGIN_BRIDGED,    /* the project's own framework runs it: what that packages is deployed */
};

/* With a bundle no file is touched, neither the service's nor .env: a file that the bundle does not
 * have does not exist, with a warning unless it is recorded as absent. What `externals` holds is
 * used as it is, what `absent` names stays absent; secrets and what was not recorded are asked now,
 * in the environment or through `remote`. No script is run: what scripts gave is in `scripts`, for
 * all stages or for one, and what is not is an error. Recorded params stand below those given now
 * and params.<stage> of the file, above params.default; for the stage they were recorded for also
 * above params.<stage>, as they stood then. Recorded options stand below those given now. Stage and
 * region always come from now. */
/* How much of a service is loaded. Variables of other sections are not looked up, and no script is
 * run for them: they are empty. */
enum load_part {
    LOAD_ALL,
    LOAD_PLACE,  /* what says where its stacks are */
    LOAD_STACKS, /* also what is sent with each update of them, and `custom.troupe` */
};

struct config_options {
    /* NULL: read from disk. Else `path` and `dir` are not used. */
    const struct source_bundle *bundle;
    struct str path;  /* --config; empty: look in `dir` and its parents */
    struct str dir;   /* where to start looking; empty: current directory */
    struct str stage; /* from the command line; empty: provider.stage decides */
    struct str
        default_stage; /* when neither names one; "dev" for package, print, validate; empty: none */
    struct str
        region; /* --region or AWS_REGION / AWS_DEFAULT_REGION; empty: provider.region, us-east-1 */
    struct str home;           /* the service's region, when it is known; empty: found */
    const struct map *options; /* `opt:`: name -> struct str *; may be NULL */
    const struct map *params;  /* --param: name -> struct str *; may be NULL */
    enum dialect dialect;      /* of the command line; 0: the bundle's, else frameworkVersion's */
    bool strict;               /* all that the schema does not have is an error */
    bool lenient;              /* nothing that the schema does not have is one */
    bool only_compiles;        /* nothing is sent to AWS: what AWS refuses is a warning */
    enum load_part part;
    bool packaged;                      /* with LOAD_ALL: another tool has packaged the service */
    const struct remote_values *remote; /* NULL: aws:, cf:, s3:, ssm: sources are an error */
    void (*warn)(void *context, struct pos pos, struct str msg, struct str help); /* may be NULL */
    /* Told of each entry of `plugins` instead of a warning or an error; may be NULL. `says` is why,
     * or what to do. */
    void (*plugin)(void *context, struct pos pos, struct str name, enum plugin_answer answer,
                   struct str says);
    void *warn_context; /* of both */
};

struct function {
    struct str key;  /* as in serverless.yml */
    struct str name; /* its FunctionName: `name`, else <service>-<stage>-<key> */
    bool name_explicit;
    const struct node *node; /* its properties */
    struct pos pos;          /* of the key */
};

/* How functions move on deploy: at once, or first by weights. */
enum shift_kind { SHIFT_ALL_AT_ONCE, SHIFT_CANARY, SHIFT_LINEAR };
struct shift {
    enum shift_kind kind;
    unsigned percent;          /* canary: of the calls; linear: more with every step; 1-99 */
    int64_t pause_ms;          /* how long a step lasts */
    const struct node *alarms; /* list of names and of {Ref: logical id}; NULL: none */
};

/* custom.troupe, defaults filled in. */
struct settings {
    const struct node *node;       /* the section itself, or NULL */
    struct str *service_resources; /* globs over logical ids */
    size_t service_resource_count;
    struct str *unqualified; /* references.unqualified */
    size_t unqualified_count;
    struct str *per_stage_functions; /* globs over function keys */
    size_t per_stage_function_count;
    struct str *protect;
    size_t protect_count;
    struct str *terminations; /* terminationProtection: stages whose stacks nobody may delete */
    size_t termination_count;
    bool has_terminations;   /* else the protection of stacks is not looked at */
    struct str *stage_names; /* globs: those that may be made; none: any */
    size_t stage_name_count;
    bool logs_per_stage, rest_per_stage, http_shared, regions_independent;
    int64_t rest_stages, http_stages; /* that AWS allows an API */
    int64_t history_keep;
    const struct node *build;  /* builds by commands; NULL: none */
    const struct node *bridge; /* the command that packages; NULL: node_modules is searched */
    struct shift shift;
};

/* A file the configuration was made of: for the source bundle. */
struct source_file {
    struct str path; /* as it is named, cleaned: "a.yml", "../b.yml", "/etc/c.yml", "~/d.yml" */
    struct str text;
};

struct resolver;

struct service {
    struct str name;  /* service: */
    struct str stage; /* empty: none named anywhere */
    bool stage_named; /* by the command line or provider.stage, not by default_stage */
    struct str region;
    /* Where the service stack and the records are: provider.region as it is without --region. The
     * same as `region`, unless the stage is a remote one (docs/design.md, "Regions"). */
    struct str home;
    bool remote;
    struct str address; /* of the stage in records and messages: "prod", remote "prod@eu-west-1" */
    struct str dir;     /* absolute: where serverless.yml is; from a bundle: no such directory */
    struct str artifact_dir; /* where zips lie that it names; empty: in `dir` */
    struct str file;         /* its name as shown to the user */
    enum dialect dialect;
    const struct node *root; /* everything, resolved and coerced, as `print` shows it */
    /* With LOAD_ALL, when it lists plugins that are bridged or is `packaged`: no more was loaded
     * than with LOAD_PLACE. The rest comes from what the framework packages
     * (compile/bridge/bridge.h). */
    bool to_bridge;
    /* Of a service that was made from such a package: how its template differs from the one that
     * compile makes (compile/patches.h); else NULL. */
    const struct node *patches;
    struct function *functions;
    size_t function_count;
    struct settings settings;
    struct source_file *files;
    size_t file_count;
    /* For the source bundle: what took part besides files, also when it came from a bundle. None is
     * NULL. Variables are named by their resolved text, `type(param,param):address` after the
     * variables in it were replaced: "env:TABLE", "ssm(raw):/app/dev/key"; what a .env file says is
     * "env(.env.dev):TABLE", for that stage only, or "env(.env):TABLE", for stages without a file
     * of their own. One whose resolved text would hold a secret is in neither map, so it is asked
     * again. */
    const struct node *externals; /* env, aws, cf, s3, ssm: text -> value, null for a secret one */
    /* List of the texts that had no value, "file(local.yml)" for files that were missing; each
     * once. */
    const struct node *absent;
    /* Name -> text: what --param and other options gave (now, else in the bundle) to ${param:…} and
     * ${opt:…} that name it. A param that the file's block for the stage overrode is not among
     * them, nor are stage and region, nor what only ${opt:}, all of them, has. */
    const struct node *params, *options;
    struct resolver *resolver; /* what service_bundle goes on with */
};

/* Load, resolve, check. `*ret` lives in `a`. ERR_CONFIG with a place, ERR_NOT_FOUND when there is
 * no configuration file, ERR_FAILED when the bundle is none (damaged). */
int service_load(struct arena *a, const struct config_options *options, struct service *ret,
                 struct err *err);
/* Make it the service without a stage, at home. */
void service_alone(struct service *service);

/* A text that AWS keeps secret: the variable that gives it, as resolved ("ssm:/app/dev/key"), and
 * the keys to it where that gives a map ("a.b"). */
struct secret {
    struct str text, variable, path;
};
struct secrets {
    struct secret *p;
    size_t n, cap;
};
/* Those that the service file itself asks for, of a service that was loaded from it, whatever part
 * of it: AWS is asked. They live in the arena of `s`. */
int service_secrets(const struct service *s, struct secrets *ret, struct err *err);

/* The source bundle of `s`, as it is recorded, from which it can be made again for any stage.
 * Besides what took part in `s` it has what another stage may ask for: the files whose names differ
 * only in what the stage took part in ("config/prod.yml" beside "config/dev.yml"; inside the
 * service directory, text, no .env files, 1 MiB for each such name, else with a warning), the
 * fallbacks behind what this stage has, and of a bundle all it had. "file(config/<*>.yml)" in
 * `absent` says that all files of such names are there, but for those in
 * "unrecorded(config/huge.yml)". Reads files; the texts live in the arena of `s`. */
struct source_bundle service_bundle(const struct service *s);
extern const struct object_table source_bundle_table;
/* One that was recorded for `stage`, which may be empty; `key` names it. FAILED when it has a later
 * format, or a member of another type; what else is wrong with it service_load says. */
int source_bundle_read(struct arena *a, struct str key, const struct node *n, struct str stage,
                       struct source_bundle *ret, struct err *err);

/* Does glob `pattern` (`*`, `?`) match `name` as a whole? */
bool settings_glob(struct str pattern, struct str name);

/* Is `name` a possible stage name (Lambda alias rules: 1–128 of A-Za-z0-9-_, not all digits, not
 * "latest")? Source: Lambda API reference, CreateAlias. */
int stage_name_check(struct str name, struct err *err);

#endif
