/* A table of resource types. Source: CloudFormation registry schemas (createOnlyProperties). */
#include "release/resources.h"

static const struct {
    const char *type;
    bool stateful;
    const char *create_only; /* separated by spaces */
} types[] = {
    {"AWS::DynamoDB::Table", true, "TableName KeySchema ImportSourceSpecification"},
    {"AWS::DynamoDB::GlobalTable", true, "TableName KeySchema LocalSecondaryIndexes"},
    {"AWS::S3::Bucket", true, "BucketName ObjectLockEnabled"},
    {"AWS::RDS::DBInstance", true, "DBInstanceIdentifier DBName Engine MasterUsername KmsKeyId"},
    {"AWS::RDS::DBCluster", true, "DBClusterIdentifier DatabaseName EngineMode KmsKeyId"},
    {"AWS::Cognito::UserPool", true, "AliasAttributes UsernameAttributes"},
    {"AWS::Cognito::IdentityPool", true, ""},
    {"AWS::EFS::FileSystem", true, "Encrypted KmsKeyId PerformanceMode"},
    {"AWS::ElastiCache::ReplicationGroup", true, "ReplicationGroupId"},
    {"AWS::OpenSearchService::Domain", true, "DomainName"},
    {"AWS::Kinesis::Stream", true, "Name"},
    {"AWS::SecretsManager::Secret", true, "Name"},
    {"AWS::KMS::Key", true, ""},
    {"AWS::SQS::Queue", false, "QueueName FifoQueue"},
    {"AWS::SNS::Topic", false, "TopicName FifoTopic"},
    {"AWS::SNS::Subscription", false, "TopicArn Protocol Endpoint"},
    {"AWS::Events::Rule", false, "Name EventBusName"},
    {"AWS::Events::EventBus", false, "Name"},
    {"AWS::Lambda::Permission", false,
     "Action EventSourceToken FunctionName FunctionUrlAuthType Principal PrincipalOrgID "
     "SourceAccount SourceArn"},
    {"AWS::Lambda::EventSourceMapping", false,
     "EventSourceArn StartingPosition StartingPositionTimestamp SelfManagedEventSource"},
    {"AWS::Lambda::Function", false, "FunctionName PackageType TenancyConfig"},
    {"AWS::Lambda::Alias", false, "Name FunctionName"},
    {"AWS::Lambda::Url", false, "TargetFunctionArn Qualifier"},
    {"AWS::Lambda::LayerVersion", false, "Content LayerName CompatibleRuntimes Description"},
    {"AWS::Logs::LogGroup", false, "LogGroupName"},
    {"AWS::IAM::Role", false, "RoleName Path"},
    {"AWS::IAM::ManagedPolicy", false, "ManagedPolicyName Path Description"},
    {"AWS::ApiGateway::Stage", false, "RestApiId StageName"},
    {"AWS::ApiGateway::ApiKey", false, "Name Value GenerateDistinctId"},
    {"AWS::ApiGatewayV2::Api", false, "ProtocolType"},
    {"AWS::ApiGatewayV2::Route", false, "ApiId"},
    {"AWS::ApiGatewayV2::Integration", false, "ApiId"},
    {"AWS::ApiGatewayV2::Stage", false, "ApiId StageName"},
    {"AWS::StepFunctions::StateMachine", false, "StateMachineName StateMachineType"},
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

static size_t row(struct str type)
{
    size_t i = 0;
    while (i < TYPE_COUNT && !str_eq(type, str_c(types[i].type)))
        i++;
    return i;
}

bool resource_is_stateful(struct str type)
{
    size_t i = row(type);
    return i < TYPE_COUNT && types[i].stateful;
}

bool resource_is_known(struct str type)
{
    return row(type) < TYPE_COUNT;
}

bool resource_replaces(struct str type, struct str property)
{
    size_t i = row(type);
    struct str rest = str_c(i < TYPE_COUNT ? types[i].create_only : ""), word;
    while (str_cut(&rest, ' ', &word))
        if (word.n && str_eq(word, property))
            return true;
    return false;
}

/* What a framework makes of a service and can make again; of the user's own, what holds nothing and
 * has no value to lose. A trailing `::` stands for all types of it. */
static const char *const recreatable[] = {
    "AWS::Lambda::",
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::Model",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Stage",
    "AWS::ApplicationAutoScaling::",
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::",
    "AWS::Events::Rule",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IoT::TopicRule",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Scheduler::Schedule",
    "AWS::SNS::Subscription",
    "Custom::",
};

bool resource_is_recreatable(struct str type)
{
    for (size_t i = 0; i < sizeof recreatable / sizeof *recreatable; i++) {
        struct str row = str_c(recreatable[i]);
        if (str_ends(row, STR("::")) ? str_starts(type, row) : str_eq(type, row))
            return true;
    }
    return false;
}

bool resource_is_retained(const struct node *resource)
{
    struct str policy = node_text(node_get_c(resource, "DeletionPolicy"));
    return str_eq(policy, STR("Retain")) || str_eq(policy, STR("RetainExceptOnCreate")) ||
           str_eq(policy, STR("Snapshot"));
}

bool resource_goes_with_stack(const struct node *resource)
{
    const struct node *policy = node_get_c(resource, "DeletionPolicy");
    return !policy || node_is_text(policy, "Delete");
}

struct str resource_difference(struct arena *a, const struct node *before, const struct node *after,
                               bool *ret_replaces)
{
    struct node_change *changes;
    size_t n;
    struct str first = {"", 0}, type = node_text(node_get_c(after, "Type"));
    node_diff(a, before, after, &changes, &n);
    *ret_replaces = !str_eq(type, node_text(node_get_c(before, "Type")));
    for (size_t i = 0; i < n; i++) {
        struct str rest = changes[i].path, section, property = {"", 0};
        str_cut(&rest, '.', &section);
        str_cut(&rest, '.', &property);
        struct str name = property.n ? property : section;
        if (resource_replaces(type, property)) {
            *ret_replaces = true;
            return str_fmt(a, "%.*s changed", STR_ARG(name));
        }
        if (!first.n)
            first = name;
    }
    return str_fmt(a, "%.*s changed", STR_ARG(first));
}
