/* The top of the service file: its keys, `package`, `resources`. */
#include "config/schema/schema.h"

static const struct schema schema_package = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"artifact", &plain_text}, {"exclude", &list_of_strings, ONLY_3},
                     {"excludeDevDependencies", &any_boolean},
                     {"include", &list_of_strings, ONLY_3}, {"individually", &any_boolean},
                     {"path", &any_string, .no_effect = "every deployment packages anew"},
                     {"patterns", &list_of_strings})};

/* Limits: Lambda API reference, PublishLayerVersion and AddLayerVersionPermission. */
static const struct schema layer = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"allowedAccounts", LIST_OF(PATTERN("an account id, '*' or the ARN of an account's root",
                                            "^([0-9]{12}|\\*|arn:(aws[a-zA-Z-]*):iam::[0-9]{12}:"
                                            "root)$"))},
        {"compatibleArchitectures",
         SCHEMA(.type = TYPE_LIST, .has_max = true, .max = 2, .items = &aws_architecture)},
        {"compatibleRuntimes",
         SCHEMA(.type = TYPE_LIST, .has_max = true, .max = 15, .items = &aws_runtime)},
        {"description", TEXT_MAX(256)}, {"licenseInfo", TEXT_MAX(512)},
        {"name", SCHEMA(.type = TYPE_STRING, .has_min = true, .min = 1, .has_max = true, .max = 140,
                        .expected = "the name or the ARN of a layer",
                        .pattern = "^((arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:[0-9]{12}:layer:"
                                   "[a-zA-Z0-9_-]+)|[a-zA-Z0-9_-]+)$")},
        {"package", CLOSED_MAP({"artifact", &any_string}, {"exclude", &list_of_strings},
                               {"include", &list_of_strings}, {"patterns", &list_of_strings})},
        {"path", &any_string}, {"retain", &any_boolean})};

/* CloudFormation's own functions may stand where a text is usual: the transform of its language
 * extensions evaluates them. */
static const struct schema text_or_function = {.any = ANY_OF(&any_string, &any_map)};

#define RESOURCE_MEMBERS                                                                           \
    {"Properties", &any_map}, {"CreationPolicy", &any_map}, {"DeletionPolicy", &text_or_function}, \
        {"DependsOn", &list_of_strings}, {"Metadata", &any_map}, {"UpdatePolicy", &any_map},       \
        {"UpdateReplacePolicy", &text_or_function},                                                \
    {                                                                                              \
        "Condition", &any_string                                                                   \
    }

/* Without a type it is a part of a resource that is made elsewhere. */
static const struct schema resource = {.type = TYPE_MAP,
                                       .closed = true,
                                       .wrong = REFUSED,
                                       .wrong_keys = REFUSED,
                                       .fields = FIELDS({"Type", &any_string}, RESOURCE_MEMBERS)};
static const struct schema extension = {
    .type = TYPE_MAP, .closed = true, .fields = FIELDS(RESOURCE_MEMBERS)};

/* `Fn::ForEach::Name` has a list, `Fn::Transform` a map. */
#define RESOURCE_NAMES "^([a-zA-Z0-9]{1,255}|Fn::ForEach::[a-zA-Z0-9]+)$"
static const struct schema resource_or_loop = {.any = ANY_OF(&resource, &any_list)};

static const struct schema schema_resources = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong_keys = REFUSED,
    .fields = FIELDS(
        {"AWSTemplateFormatVersion", &any_string}, {"Conditions", &any_map},
        {"Description", &any_string}, {"Hooks", &any_map}, {"Mappings", &any_map},
        {"Metadata", &any_map}, {"Outputs", &any_map}, {"Parameters", &any_map},
        {"Resources",
         SCHEMA(.type = TYPE_MAP, .closed = true, .wrong_keys = REFUSED, .keys = RESOURCE_NAMES,
                .keys_expected = "letters and digits, as CloudFormation wants",
                .values = &resource_or_loop,
                .fields = FIELDS({"Fn::Transform", CLOSED_MAP({"Name", &any_string, REQUIRED},
                                                              {"Parameters", &any_map})}))},
        {"Rules", &any_map}, {"Transform", LIST_OF(&text_or_function)},
        {"extensions", SCHEMA(.type = TYPE_MAP, .closed = true, .wrong_keys = REFUSED,
                              .keys = "^[a-zA-Z0-9]{1,255}$",
                              .keys_expected = "letters and digits, as CloudFormation wants",
                              .values = &extension)})};

#define OF_ANOTHER_SERVICE \
    .no_effect = "it belongs to a service that troupe does not use: remove it"

/* Anything, and what the listed plugins read (plugins/plugins.h). */
const struct schema schema_custom = {.type = TYPE_MAP};

static const struct field fields[] = {
    {"service",
     PLAIN_PATTERN("a service name (a letter, then one or more letters, digits and '-')",
                   "^[a-zA-Z][0-9a-zA-Z-]+$"),
     REQUIRED},
    {"provider", &schema_provider, REQUIRED},
    {"functions",
     SCHEMA(.type = TYPE_MAP, .closed = true, .wrong_keys = REFUSED, .keys = "^[a-zA-Z0-9_-]+$",
            .keys_expected = "letters, digits, '-' and '_'", .values = &schema_function)},
    {"resources", &schema_resources},
    {"package", &schema_package},
    {"custom", &schema_custom},
    {"params", SCHEMA(.type = TYPE_MAP, .closed = true, .keys = "^[A-Za-z0-9_-]+$",
                      .keys_expected = "letters, digits, '-' and '_'", .values = &any_map)},
    {"plugins", EITHER(CLOSED_MAP({"localPath", &any_string, .no_effect = "plugins are not run"},
                                  {"modules", &list_of_strings, REQUIRED}),
                       &list_of_strings)},
    {"layers", MAP_OF(&layer)},
    {"configValidationMode", CHOICE("error", "warn", "off")},
    {"app", NULL, OF_ANOTHER_SERVICE},
    {"console", NULL, OF_ANOTHER_SERVICE},
    {"deprecationNotificationMode", CHOICE("error", "warn", "warn:summary")},
    {"disabledDeprecations",
     EITHER(CHOICE("*"), LIST_OF(PATTERN("a deprecation code", "^[A-Z0-9_]+$")))},
    {"frameworkVersion", &any_string},
    {"org", NULL, OF_ANOTHER_SERVICE},
    {"projectDir", &any_string, .no_effect = "remove it"},
    {"tenant", NULL, OF_ANOTHER_SERVICE},
    {"useDotenv", &any_boolean},
    {"variablesResolutionMode",
     SCHEMA(.type = TYPE_STRING, .words = WORDS("20210326"), .wrong = STOPS), ONLY_4,
     .no_effect = "there is one way to resolve variables: remove it"},
    {"variablesResolutionMode", TEXT_CHOICE("20210219", "20210326"), ONLY_3,
     .no_effect = "there is one way to resolve variables: remove it"},
    {0}};

static const struct hint hints[] = {
    {"outputs", "outputs of the stack stand under 'resources.Outputs'"},
    {"stepFunctions", "'serverless-step-functions' reads it: list it under 'plugins'"},
    {0}};

const struct schema schema_root = {.type = TYPE_MAP,
                                   .closed = true,
                                   .fields = fields,
                                   .hints = hints,
                                   .help = "a key that only a plugin reads belongs under 'custom'"};
