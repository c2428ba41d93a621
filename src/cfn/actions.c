#include "cfn/actions.h"

#include <fnmatch.h>
#include <strings.h>

#include "cfn/cfn.h"

/* clang-format off */

/* Actions that properties ask for: without a property whose name has one of the words in it, they
 * are left out. Without words: never asked for here. The first row that fits counts. */
static const struct guard {
    const char *type, *action, *words;
} guards[] = {
    {"*", "kms:*", "kms SSESpecification"},
    {"*", "iam:PassRole", ""},
    {"*", "iam:GetRole", "Role"},
    {"*", "ec2:Describe*", "VpcConfig Subnet"},
    {"*", "elasticfilesystem:*", "FileSystemConfigs"},
    {"*", "s3files:*", "FileSystemConfigs"},
    {"*", "codedeploy:*", "CodeDeployLambdaAliasUpdate"},
    {"AWS::ApiGateway*", "s3:GetObject", "BodyS3Location"},
    {"AWS::ApiGateway*", "*Policy", "Policy"},
    {"AWS::DynamoDB::*", "*Import*", "ImportSourceSpecification"},
    {"AWS::DynamoDB::*", "logs:*", "ImportSourceSpecification"},
    {"AWS::DynamoDB::*", "s3:*", "ImportSourceSpecification"},
    {"AWS::DynamoDB::*", "kinesis:*", "KinesisStreamSpecification"},
    {"AWS::DynamoDB::*", "*ableKinesisStreamingDestination", "KinesisStreamSpecification"},
    {"AWS::DynamoDB::*", "*UpdateKinesisStreamingDestination", "KinesisStreamSpecification"},
    {"AWS::DynamoDB::*", "*Replica", "Replica GlobalTable"},
    {"AWS::DynamoDB::*", "*Item", "Replica GlobalTable"},
    {"AWS::DynamoDB::*", "*:Scan", "Replica GlobalTable"},
    {"AWS::DynamoDB::*", "*:Query", "Replica GlobalTable"},
    {"AWS::DynamoDB::*", "iam:CreateServiceLinkedRole", "Replica"},
    {"AWS::DynamoDB::*", "*UpdateTimeToLive", "TimeToLive"},
    {"AWS::DynamoDB::*", "*UpdateContributorInsights", "ContributorInsights"},
    {"AWS::DynamoDB::*", "*UpdateContinuousBackups", "PointInTimeRecovery"},
    {"AWS::DynamoDB::*", "*:PutResourcePolicy", "ResourcePolicy"},
    {"AWS::DynamoDB::*", "*:DeleteResourcePolicy", "ResourcePolicy"},
    {"AWS::ElasticLoadBalancingV2::*", "cognito-idp:*", "Cognito"},
    {"AWS::ElasticLoadBalancingV2::*", "ec2:*", "VpcId Subnet Ipam"},
    {"AWS::IAM::Role", "iam:AttachRolePolicy", "ManagedPolicyArns"},
    {"AWS::IAM::Role", "iam:DetachRolePolicy", "ManagedPolicyArns"},
    {"AWS::IAM::Role", "iam:PutRolePermissionsBoundary", "PermissionsBoundary"},
    /* whoever may take a boundary away is not held by it */
    {"AWS::IAM::Role", "iam:DeleteRolePermissionsBoundary", ""},
    {"AWS::IAM::Role", "iam:UpdateRoleDescription", "Description"},
    {"AWS::Lambda::Alias", "*ProvisionedConcurrencyConfig", "ProvisionedConcurrency"},
    {"AWS::Lambda::Function", "s3:GetObjectVersion", "S3ObjectVersion"},
    {"AWS::Lambda::Function", "s3:GetObject", "S3Bucket"},
    {"AWS::Lambda::Function", "lambda:GetLayerVersion", "Layers"},
    {"AWS::Lambda::Function", "*FunctionConcurrency", "ReservedConcurrent"},
    {"AWS::Lambda::Function", "lambda:GetCodeSigningConfig", "CodeSigning"},
    {"AWS::Lambda::Function", "*:PutFunctionCodeSigningConfig", "CodeSigning"},
    {"AWS::Lambda::Function", "*:DeleteFunctionCodeSigningConfig", "CodeSigning"},
    {"AWS::Lambda::Function", "*:PutRuntimeManagementConfig", "RuntimeManagement"},
    {"AWS::Lambda::Function", "*:PutFunctionRecursionConfig", "RecursiveLoop"},
    {"AWS::Lambda::Function", "*:PutFunctionScalingConfig", "ScalingConfig"},
    {"AWS::Lambda::Function", "*:PassCapacityProvider", "CapacityProvider"},
    {"AWS::Lambda::Function", "*:AssociateRuntimeAlias", "RuntimeManagement"},
    {"AWS::Lambda::Function", "lambda:PublishVersion", "CapacityProvider"},
    {"AWS::Logs::LogGroup", "*RetentionPolicy", "RetentionInDays"},
    {"AWS::Logs::LogGroup", "*:PutDataProtectionPolicy", "DataProtection"},
    {"AWS::Logs::LogGroup", "*:DeleteDataProtectionPolicy", "DataProtection"},
    {"AWS::Logs::LogGroup", "*CreateLogDelivery", "DataProtection"},
    {"AWS::Logs::LogGroup", "firehose:*", "DataProtection"},
    {"AWS::Logs::LogGroup", "*:PutResourcePolicy", "ResourcePolicy"},
    {"AWS::Logs::LogGroup", "*:DeleteResourcePolicy", "ResourcePolicy"},
    {"AWS::Logs::LogGroup", "*:PutIndexPolicy", "FieldIndex"},
    {"AWS::Logs::LogGroup", "*:DeleteIndexPolicy", "FieldIndex"},
    {"AWS::Logs::LogGroup", "*KmsKey", "kms"},
    {"AWS::Logs::LogGroup", "*BearerToken*", "BearerToken"},
    {"AWS::Logs::LogGroup", "*DeletionProtection", "DeletionProtection"},
    {"AWS::S3::Bucket", "s3:DeleteBucket", "Type"}, /* which every resource has */
    {"AWS::S3::Bucket", "s3:Get*", "Type"},
    {"AWS::S3::Bucket", "s3tables:*", "Metadata"},
    {"AWS::S3::Bucket", "*Analytics*", "Analytics"},
    {"AWS::S3::Bucket", "*Encryption*", "Encryption"},
    {"AWS::S3::Bucket", "*CORS", "Cors"},
    {"AWS::S3::Bucket", "*Cors", "Cors"},
    {"AWS::S3::Bucket", "*Inventory*", "Inventory"},
    {"AWS::S3::Bucket", "*Lifecycle*", "Lifecycle"},
    {"AWS::S3::Bucket", "*Metadata*", "Metadata"},
    {"AWS::S3::Bucket", "*Metrics*", "Metrics"},
    {"AWS::S3::Bucket", "*Notification", "Notification"},
    {"AWS::S3::Bucket", "*Replication*", "Replication"},
    {"AWS::S3::Bucket", "*Website", "Website"},
    {"AWS::S3::Bucket", "*Accelerate*", "Accelerate"},
    {"AWS::S3::Bucket", "*Acl", "AccessControl"},
    {"AWS::S3::Bucket", "*PublicAccessBlock", "PublicAccess"},
    {"AWS::S3::Bucket", "*ObjectLock*", "ObjectLock"},
    {"AWS::S3::Bucket", "*Ownership*", "Ownership"},
    {"AWS::S3::Bucket", "*IntelligentTiering*", "IntelligentTiering"},
    {"AWS::S3::Bucket", "*Logging", "Logging"},
    {"AWS::S3::Bucket", "*Versioning", "Versioning"},
    {"AWS::S3::Bucket", "*Abac", "Abac"},
    {"AWS::S3::Bucket", "s3:DeleteObject", "Metadata"},
    {"AWS::SNS::*", "*DataProtectionPolicy", "DataProtection"},
    {"AWS::SNS::Topic", "sns:Subscribe", "Subscription"},
    {"AWS::SNS::Topic", "sns:Unsubscribe", "Subscription"},
};

/* Actions that know no resource, or that are asked for all there are. */
static const char *const for_all[] = {
    "lambda:CreateEventSourceMapping", "lambda:GetCodeSigningConfig", "logs:CreateLogDelivery",
    "logs:DescribeIndexPolicies", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:PutResourcePolicy", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
};

#define GATEWAY(name) "apigateway:{region}::/" name " apigateway:{region}::/" name "/*"
#define REST GATEWAY("restapis") " apigateway:{region}::/tags/*"
#define HTTP GATEWAY("apis") " apigateway:{region}::/tags/*"
#define FUNCTION "lambda:{region}:{account}:function:{name}"
#define ELB(rest) "elasticloadbalancing:{region}:{account}:" rest
#define LOG_GROUP "logs:{region}:{account}:log-group:{name}"

static const struct cfn_arn arns[] = {
    {"AWS::ApiGateway::", REST},
    {"AWS::ApiGateway::Account", "apigateway:{region}::/account"},
    {"AWS::ApiGateway::ApiKey", GATEWAY("apikeys") " apigateway:{region}::/tags/*"},
    {"AWS::ApiGateway::BasePathMapping", GATEWAY("domainnames")},
    {"AWS::ApiGateway::DomainName", GATEWAY("domainnames") " apigateway:{region}::/tags/*"},
    {"AWS::ApiGateway::UsagePlan", GATEWAY("usageplans") " apigateway:{region}::/tags/*"},
    {"AWS::ApiGateway::UsagePlanKey", GATEWAY("usageplans")},
    {"AWS::ApiGateway::VpcLink", GATEWAY("vpclinks") " apigateway:{region}::/tags/*"},
    {"AWS::ApiGatewayV2::", HTTP},
    {"AWS::ApiGatewayV2::ApiMapping", GATEWAY("domainnames")},
    {"AWS::ApiGatewayV2::DomainName", GATEWAY("domainnames") " apigateway:{region}::/tags/*"},
    {"AWS::ApiGatewayV2::VpcLink", GATEWAY("vpclinks") " apigateway:{region}::/tags/*"},
    {"AWS::CloudFormation::Stack", "cloudformation:{region}:{account}:stack/{name}/*", "",
     .by_id = true},
    {"AWS::CloudWatch::Alarm", "cloudwatch:{region}:{account}:alarm:{name}", "AlarmName"},
    {"AWS::CloudWatch::Dashboard", "cloudwatch::{account}:dashboard/{name}", "DashboardName"},
    {"AWS::Cognito::UserPool", "cognito-idp:{region}:{account}:userpool/*"},
    {"AWS::Cognito::UserPoolClient", "cognito-idp:{region}:{account}:userpool/*"},
    {"AWS::DynamoDB::GlobalTable", "dynamodb:{region}:{account}:table/{name}", "TableName"},
    {"AWS::DynamoDB::Table", "dynamodb:{region}:{account}:table/{name}", "TableName"},
    {"AWS::ElasticLoadBalancingV2::ListenerRule",
     ELB("listener/app/*") " " ELB("listener-rule/app/*")},
    {"AWS::ElasticLoadBalancingV2::TargetGroup", ELB("targetgroup/{name}/*"), "Name", 32},
    {"AWS::Events::EventBus", "events:{region}:{account}:event-bus/{name}", "Name"},
    {"AWS::Events::Rule", "events:{region}:{account}:rule/{name}", "Name", 64},
    {"AWS::IAM::ManagedPolicy", "iam::{account}:policy{path}{name}", "ManagedPolicyName"},
    {"AWS::IAM::Policy", "iam::{account}:role/{name}", "Roles", 64},
    {"AWS::IAM::Role", "iam::{account}:role{path}{name}", "RoleName", 64},
    {"AWS::IoT::ProvisioningTemplate", "iot:{region}:{account}:provisioningtemplate/{name}",
     "TemplateName", 36},
    {"AWS::IoT::TopicRule", "iot:{region}:{account}:rule/*"},
    {"AWS::Kinesis::Stream", "kinesis:{region}:{account}:stream/{name}", "Name"},
    {"AWS::Lambda::Alias", FUNCTION, "FunctionName", 64, .in_service = true},
    {"AWS::Lambda::EventInvokeConfig", FUNCTION, "FunctionName", 64, .in_service = true},
    {"AWS::Lambda::Function", FUNCTION, "FunctionName", 64, .in_service = true},
    {"AWS::Lambda::LayerVersion", "lambda:{region}:{account}:layer:{name}", "LayerName", 64},
    {"AWS::Lambda::Permission", FUNCTION, "FunctionName", 64, .in_service = true},
    {"AWS::Lambda::Url", FUNCTION, "TargetFunctionArn", 64, .in_service = true},
    {"AWS::Lambda::Version", FUNCTION, "FunctionName", 64, .in_service = true},
    {"AWS::Logs::LogGroup", LOG_GROUP, "LogGroupName", .in_service = true},
    {"AWS::Logs::LogStream", LOG_GROUP, "LogGroupName", .in_service = true},
    {"AWS::Logs::MetricFilter", LOG_GROUP, "LogGroupName", .in_service = true},
    {"AWS::Logs::SubscriptionFilter", LOG_GROUP, "LogGroupName", .in_service = true},
    {"AWS::S3::Bucket", "s3:::{name}", "BucketName", 63, .lower = true},
    {"AWS::S3::BucketPolicy", "s3:::{name}", "Bucket", 63, .lower = true},
    {"AWS::SNS::Subscription", "sns:{region}:{account}:{name}", "TopicArn"},
    {"AWS::SNS::Topic", "sns:{region}:{account}:{name}", "TopicName"},
    {"AWS::SNS::TopicPolicy", "sns:{region}:{account}:{name}", "Topics"},
    {"AWS::SQS::Queue", "sqs:{region}:{account}:{name}", "QueueName"},
    {"AWS::SQS::QueuePolicy", "sqs:{region}:{account}:{name}", "Queues"},
    {"AWS::SSM::Parameter", "ssm:{region}:{account}:parameter/{name}", "Name"},
    {"AWS::Scheduler::Schedule", "scheduler:{region}:{account}:schedule/*/{name}", "Name", 64},
    {"AWS::Scheduler::ScheduleGroup", "scheduler:{region}:{account}:schedule-group/{name}", "Name"},
    {"AWS::SecretsManager::Secret", "secretsmanager:{region}:{account}:secret:{name}", "Name"},
    {"AWS::StepFunctions::Activity", "states:{region}:{account}:activity:{name}", "Name"},
    {"AWS::StepFunctions::StateMachine", "states:{region}:{account}:stateMachine:{name}",
     "StateMachineName"},
};

/* Whose principal gets the roles that resources of these types have. */
static const struct {
    const char *prefix, *principal;
} principals[] = {
    {"AWS::ApiGateway", "apigateway"}, {"AWS::Events::", "events"}, {"AWS::IoT::", "iot"},
    {"AWS::KinesisFirehose::", "firehose"}, {"AWS::Lambda::", "lambda"}, {"AWS::Logs::", "logs"},
    {"AWS::Pipes::", "pipes"}, {"AWS::S3::", "s3"}, {"AWS::SNS::", "sns"},
    {"AWS::Scheduler::", "scheduler"}, {"AWS::StepFunctions::", "states"},
};
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ACTION_MAX = 128 };

static bool matches(const char *pattern, struct str s)
{
    char text[ACTION_MAX];
    if (s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    return fnmatch(pattern, text, 0) == 0;
}

static bool holds(struct str name, struct str word)
{
    for (size_t i = 0; i + word.n <= name.n; i++)
        if (strncasecmp(name.p + i, word.p, word.n) == 0)
            return true;
    return false;
}

/* Has `n` a property, however deep, with `word` in its name? */
static bool has_property(const struct node *n, struct str word)
{
    node_each (item, n)
        if (has_property(item, word))
            return true;
    member_each (m, n)
        if (holds(m->key, word) || has_property(m->value, word))
            return true;
    return false;
}

static bool is_asked_for(const struct node *resource, struct str type, struct str action)
{
    for (size_t i = 0; i < COUNT(guards); i++) {
        if (!matches(guards[i].type, type) || !matches(guards[i].action, action))
            continue;
        struct str words = str_c(guards[i].words), word;
        while (str_cut(&words, ' ', &word))
            if (word.n && has_property(resource, word))
                return true;
        return false;
    }
    return true;
}

static struct str actions_of(struct str type)
{
    for (size_t i = 0; i < cfn_type_actions_count; i++)
        if (str_eq(type, str_c(cfn_type_actions[i].type)))
            return str_c(cfn_type_actions[i].actions);
    return (struct str){NULL, 0};
}

bool cfn_each_action(const struct node *resource, cfn_visit_action *visit, void *context)
{
    struct str type = cfn_type_of(resource), rest = actions_of(type), action;
    bool known = rest.p != NULL;
    while (str_cut(&rest, ' ', &action))
        if (is_asked_for(resource, type, action))
            visit(context, action);
    return known;
}

bool cfn_asks_for_all(struct str action)
{
    for (size_t i = 0; i < COUNT(for_all); i++)
        if (str_eq(action, str_c(for_all[i])))
            return true;
    return str_starts(action, STR("ec2:Describe")) ||
           str_starts(action, STR("elasticloadbalancing:Describe"));
}

const struct cfn_arn *cfn_arn_of(struct str type)
{
    const struct cfn_arn *family = NULL;
    for (size_t i = 0; i < COUNT(arns); i++) {
        struct str name = str_c(arns[i].type);
        if (str_eq(type, name))
            return &arns[i];
        if (str_ends(name, STR("::")) && str_starts(type, name))
            family = &arns[i];
    }
    return family;
}

/* ---- roles ---- */

static bool is_role_property(struct str name)
{
    return str_eq(name, STR("Role")) || str_ends(name, STR("RoleArn")) ||
           str_ends(name, STR("RoleARN")) || str_eq(name, STR("Credentials")) ||
           str_eq(name, STR("CredentialsArn")) || str_eq(name, STR("AuthorizerCredentials"));
}

static void each_role(const struct node *n, cfn_visit_role *visit, void *context,
                      struct str service)
{
    node_each (item, n)
        each_role(item, visit, context, service);
    member_each (m, n)
        if (is_role_property(m->key))
            visit(context, m->value, service);
        else
            each_role(m->value, visit, context, service);
}

void cfn_each_passed(const struct node *resource, cfn_visit_role *visit, void *context)
{
    struct str type = cfn_type_of(resource), service = {"", 0}, rest = actions_of(type), action;
    for (size_t i = 0; i < COUNT(principals) && !service.n; i++)
        if (str_starts(type, str_c(principals[i].prefix)))
            service = str_c(principals[i].principal);
    while (str_cut(&rest, ' ', &action))
        if (str_eq(action, STR("iam:PassRole")))
            each_role(node_get_c(resource, "Properties"), visit, context, service);
}
