/* The table of plugins: docs/plugins.md says the same to users. */
#include "config/plugins/plugins.h"

#define LOCAL_CLOUD "'troupe deploy STAGE --local' deploys to a cloud on this machine"
#define PLAN "'troupe plan STAGE' shows what would change"
#define INFO "'troupe info STAGE --json' has the outputs"
#define PURGE "'troupe remove STAGE --purge' empties the stage's buckets"
#define AT_AWS "what it does at AWS itself, before or after a deployment, is yours to do"
#define AROUND "what it runs at a deployment, and not when it packages, is not run"

/* ---- options ---- */

static const struct schema roles_options = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"defaultInherit", &any_boolean}, {"iamGlobalPermissionsBoundary", &aws_arn})};

static const struct field roles_function_keys[] = {{"iamRoleStatementsInherit", &any_boolean},
                                                   {"iamRoleStatementsName", &any_string},
                                                   {"iamPermissionsBoundary", &aws_arn},
                                                   {"iamRoleStatements", &aws_iam_statements},
                                                   {0}};

static const struct schema domain_list = {.type = TYPE_LIST, .items = &schema_domain};
static const struct field domain_custom_keys[] = {{"customDomains", &domain_list}, {0}};

static const struct field step_functions_root_keys[] = {{"stepFunctions", &schema_step_functions},
                                                        {0}};

/* What stands below custom.esbuild is for src/build to check. */
static const struct field esbuild_function_keys[] = {
    {"skipEsbuild", &any_boolean}, {"esbuildEntrypoint", &any_string}, {0}};

static const struct schema dependencies_options = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"enableCaching", &any_boolean}, {"handlerRoot", &any_string},
                     {"always", &list_of_strings,
                      .no_effect = "versions from 5.0 on do not read it: write it under "
                                   "'package.patterns'"})};

static const struct schema pseudo_parameters_options = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"skipRegionReplace", &any_boolean}, {"allowReferences", &any_boolean})};

static const struct schema dotenv_options = {
    .type = TYPE_MAP,
    .closed = true,
    .unsupported_help = "troupe reads .env files itself: write what the parser makes of them into "
                        "a file that it can read",
    .fields =
        FIELDS({"exclude", &list_of_strings}, {"include", EITHER(CHOICE("*"), &list_of_strings)},
               {"logging", &any_boolean}, {"variableExpansion", &any_boolean},
               {"v4BreakingChanges", &any_boolean}, {"path", &list_of_strings},
               {"basePath", &any_string}, {"dotenvParser", NULL, UNSUPPORTED},
               {"required", CLOSED_MAP({"file", &any_boolean}, {"env", &list_of_strings})})};

/* What the plugin takes; CloudWatch Logs has more. */
static const struct schema retention_option = {
    .type = TYPE_NUMBER,
    .wrong = STOPS,
    .expected = "a retention that serverless-plugin-log-retention takes (1, 3, 5, 7, 14, 30, 60, "
                "90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653 days)",
    .words = WORDS("1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400",
                   "545", "731", "1827", "3653")};

static const struct schema apigw_binary_options = {
    .type = TYPE_MAP, .closed = true, .fields = FIELDS({"types", &list_of_strings, REQUIRED})};

static const struct schema prune_options = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"number", WHOLE_FROM(0)}, {"automatic", &any_boolean},
                     {"includeLayers", &any_boolean,
                      .no_effect = "layers are pruned with the versions that need them"})};

static const struct schema protection_options = {
    .type = TYPE_MAP, .closed = true, .fields = FIELDS({"stages", &list_of_strings})};

static const struct schema bucket_options = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"enabled", &any_boolean}, {"versioning", &any_boolean}, {"accelerate", &any_boolean},
        {"accessLog", EITHER(&any_boolean, CLOSED_MAP({"bucket", &any_string, REQUIRED},
                                                      {"prefix", &any_string}))},
        {"policy", EITHER(&any_string, SCHEMA(.type = TYPE_MAP))},
        {"tags",
         LIST_OF(CLOSED_MAP({"Key", &any_string, REQUIRED}, {"Value", &any_string, REQUIRED}))},
        {"blockPublicAccess", &any_boolean})};

static const struct field canary_function_keys[] = {
    {"deploymentSettings", NULL, .no_effect = "'custom.troupe.shift' says how functions move"},
    {0}};

/* ---- the table ---- */

const struct plugin plugin_rows[] = {
    /* Built in. */
    {WORDS("serverless-iam-roles-per-function"), PLUGIN_BUILT_IN,
     "a role for each function with 'iamRoleStatements'", "serverless-iam-roles-per-function",
     &roles_options, roles_function_keys},
    {WORDS("serverless-step-functions"), PLUGIN_BUILT_IN,
     "the state machines and activities of 'stepFunctions'", .root_keys = step_functions_root_keys,
     .moment = MOMENT_BEFORE},
    {WORDS("serverless-domain-manager"), PLUGIN_BUILT_IN,
     "each stage's API gets its base path of 'custom.customDomain'", "customDomain", &schema_domain,
     .custom_keys = domain_custom_keys, .moment = MOMENT_AFTER},
    {WORDS("serverless-esbuild"), PLUGIN_BUILT_IN,
     "the project's own esbuild bundles functions as 'custom.esbuild' says",
     .function_keys = esbuild_function_keys, .moment = MOMENT_BEFORE},
    {WORDS("serverless-plugin-typescript"), PLUGIN_BUILT_IN,
     "the project's own TypeScript compiles what 'tsconfig.json' names", .moment = MOMENT_BEFORE},
    {WORDS("serverless-python-requirements"), PLUGIN_BUILT_IN,
     "pip, uv, poetry and pipenv install what Python functions require", "pythonRequirements",
     &python_options, python_function_keys, .apply = plugin_python, .moment = MOMENT_BEFORE},

    {WORDS("serverless-plugin-include-dependencies"), PLUGIN_BUILT_IN,
     "the project's own copy of it says which modules the handlers need", "includeDependencies",
     &dependencies_options, .moment = MOMENT_BEFORE},
    {WORDS("serverless-plugin-warmup"), PLUGIN_BUILT_IN,
     "a function for each warmer calls the aliases of its stage", "warmup", &warmup_options,
     warmup_function_keys, .apply = plugin_warmup, .moment = MOMENT_HERE},
    {WORDS("serverless-pseudo-parameters"), PLUGIN_BUILT_IN,
     "'#{AWS::Region}' and the like become Fn::Sub", "pseudoParameters",
     &pseudo_parameters_options},
    {WORDS("serverless-dotenv-plugin"), PLUGIN_BUILT_IN,
     "what .env files say is in 'provider.environment'", "dotenv", &dotenv_options,
     .apply = plugin_dotenv, .moment = MOMENT_BEFORE},
    {WORDS("serverless-plugin-log-retention"), PLUGIN_BUILT_IN,
     "'custom.logRetentionInDays' counts for functions without one of their own",
     "logRetentionInDays", &retention_option, .apply = plugin_log_retention},
    {WORDS("serverless-apigw-binary"), PLUGIN_BUILT_IN,
     "its types are 'provider.apiGateway.binaryMediaTypes'", "apigwBinary", &apigw_binary_options,
     .apply = plugin_apigw_binary, .moment = MOMENT_AFTER},
    {WORDS("serverless-plugin-common-excludes"), PLUGIN_BUILT_IN,
     "its patterns are added to 'package.patterns'", .apply = plugin_common_excludes,
     .moment = MOMENT_BEFORE},
    {WORDS("serverless-prune-plugin"), PLUGIN_BUILT_IN,
     "its number is 'custom.troupe.history.keep', for each stage", "prune", &prune_options,
     .apply = plugin_prune, .for_location = true, .moment = MOMENT_AFTER},
    {WORDS("serverless-stack-termination-protection"), PLUGIN_BUILT_IN,
     "the stacks of its stages are protected against deletion, and troupe asks before these stages "
     "are removed, reset or shifted",
     "serverlessTerminationProtection", &protection_options, .apply = plugin_termination_protection,
     .for_location = true, .moment = MOMENT_AFTER},
    {WORDS("serverless-deployment-bucket"), PLUGIN_BUILT_IN,
     "a deployment makes the bucket that 'provider.deploymentBucket' names, and sets it up",
     "deploymentBucket", &bucket_options, .moment = MOMENT_AFTER},

    /* troupe does it in its own way. */
    {WORDS("serverless-offline", "serverless-offline-sqs", "serverless-offline-sns",
           "serverless-offline-ssm", "serverless-offline-scheduler",
           "serverless-offline-dynamodb-streams", "serverless-offline-kinesis",
           "serverless-offline-s3", "serverless-offline-lambda",
           "serverless-offline-aws-eventbridge", "serverless-offline-local-authorizers-plugin",
           "serverless-offline-ses-v2", "serverless-offline-watcher"),
     PLUGIN_REPLACED, LOCAL_CLOUD},
    {WORDS("serverless-localstack", "serverless-dynamodb", "serverless-dynamodb-local",
           "serverless-s3-local", "serverless-local-schedule", "serverless-step-functions-local",
           "serverless-appsync-simulator", "serverless-plugin-simulate"),
     PLUGIN_REPLACED, LOCAL_CLOUD},
    {WORDS("serverless-aws-alias", "serverless-aws-alias-v4"), PLUGIN_REPLACED,
     "stages are what its aliases were; 'troupe adopt STAGE' takes over what it deployed"},
    {WORDS("serverless-plugin-canary-deployments"), PLUGIN_REPLACED,
     "'custom.troupe.shift' and 'troupe shift' move calls step by step", "deploymentSettings",
     .function_keys = canary_function_keys},
    {WORDS("serverless-plugin-split-stacks"), PLUGIN_REPLACED,
     "templates that are too large for AWS are split by troupe", "splitStacks"},
    {WORDS("serverless-stage-manager"), PLUGIN_REPLACED,
     "list the stages that may be made under 'custom.troupe.stages'"},
    {WORDS("serverless-plugin-diff", "serverless-diff-plugin",
           "serverless-cloudformation-changesets"),
     PLUGIN_REPLACED, PLAN},
    {WORDS("serverless-s3-remover", "serverless-s3-cleaner", "serverless-plugin-s3-remover"),
     PLUGIN_REPLACED, PURGE},
    {WORDS("serverless-stack-output", "serverless-export-outputs", "serverless-manifest-plugin",
           "serverless-outputs-plugin"),
     PLUGIN_REPLACED, INFO},

    /* The same is deployed without it. */
    {WORDS("serverless-export-env"), PLUGIN_NOT_NEEDED, "it writes files for local runs only"},
    {WORDS("serverless-better-credentials"), PLUGIN_NOT_NEEDED,
     "troupe reads profiles and single sign-on itself"},
    {WORDS("serverless-dependson-plugin"), PLUGIN_NOT_NEEDED,
     "troupe keeps to the rates that AWS allows"},
    {WORDS("serverless-openapi-documenter", "serverless-openapi-documentation"), PLUGIN_NOT_NEEDED,
     "it writes a document, and only when it is called"},
    {WORDS("serverless-finch"), PLUGIN_NOT_NEEDED,
     "it uploads a web site, and only when it is called"},
    {WORDS("serverless-mocha-plugin", "serverless-jest-plugin"), PLUGIN_NOT_NEEDED,
     "it serves for tests only"},

    /* The project's own framework runs it, as it runs those that have no row. */
    {WORDS("serverless-webpack", "serverless-bundle", "serverless-plugin-optimize",
           "serverless-jetpack", "serverless-go-plugin", "serverless-rust",
           "serverless-appsync-plugin", "serverless-plugin-reducer", "serverless-plugin-tracing",
           "serverless-log-forwarding", "serverless-plugin-aws-alerts", "serverless-vpc-plugin",
           "serverless-plugin-datadog", "serverless-lumigo", "serverless-newrelic-lambda-layers"),
     PLUGIN_BRIDGED},
    {WORDS("serverless-api-compression", "serverless-content-encoding", "serverless-add-api-key",
           "serverless-plugin-lambda-dead-letter", "serverless-associate-waf",
           "serverless-api-gateway-caching", "serverless-api-gateway-throttling",
           "serverless-certificate-creator", "serverless-s3-sync", "serverless-sentry"),
     PLUGIN_BRIDGED, AT_AWS},
    {WORDS("serverless-plugin-scripts", "serverless-scriptable-plugin", "serverless-hooks-plugin"),
     PLUGIN_BRIDGED, AROUND},
    {0}};
