/* Written by scripts/cfn-types.py from the CloudFormation registry's schemas: do not edit. */
#include "cfn/cfn.h"

/* clang-format off */
const struct cfn_type_actions cfn_type_actions[] = {
    {"AWS::ApiGateway::Account",
     "apigateway:GET apigateway:PATCH iam:GetRole iam:PassRole"},
    {"AWS::ApiGateway::ApiKey",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGateway::Authorizer",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST iam:PassRole"},
    {"AWS::ApiGateway::BasePathMapping",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::BasePathMappingV2",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::ClientCertificate",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGateway::Deployment",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGateway::DocumentationPart",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::DocumentationVersion",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::DomainName",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGateway::DomainNameAccessAssociation",
     "apigateway:CreateAccessAssociation apigateway:DELETE apigateway:GET "
     "apigateway:POST apigateway:PUT apigateway:RejectAccessAssociation"},
    {"AWS::ApiGateway::DomainNameV2",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT "
     "apigateway:UpdateDomainNamePolicy"},
    {"AWS::ApiGateway::GatewayResponse",
     "apigateway:DELETE apigateway:GET apigateway:PUT"},
    {"AWS::ApiGateway::Method",
     "apigateway:DELETE apigateway:GET apigateway:PUT iam:PassRole"},
    {"AWS::ApiGateway::Model",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::RequestValidator",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::Resource",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST"},
    {"AWS::ApiGateway::RestApi",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT "
     "apigateway:UpdateRestApiPolicy iam:PassRole s3:GetObject"},
    {"AWS::ApiGateway::Stage",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGateway::UsagePlan",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGateway::UsagePlanKey",
     "apigateway:DELETE apigateway:GET apigateway:POST"},
    {"AWS::ApiGateway::VpcLink",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT "
     "ec2:CreateVpcEndpointServiceConfiguration "
     "ec2:DeleteVpcEndpointServiceConfigurations "
     "ec2:DescribeVpcEndpointServiceConfigurations "
     "ec2:ModifyVpcEndpointServicePermissions"},
    {"AWS::ApiGatewayV2::Api",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT "
     "s3:GetObject"},
    {"AWS::ApiGatewayV2::ApiGatewayManagedOverrides",
     "apigateway:DELETE apigateway:GET apigateway:PATCH logs:CreateLogDelivery "
     "logs:CreateLogGroup logs:CreateLogStream logs:DeleteLogDelivery "
     "logs:DeleteResourcePolicy logs:DescribeLogGroups logs:DescribeLogStreams "
     "logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries "
     "logs:PutResourcePolicy logs:UpdateLogDelivery"},
    {"AWS::ApiGatewayV2::ApiMapping",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGatewayV2::Authorizer",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT "
     "iam:PassRole"},
    {"AWS::ApiGatewayV2::Deployment",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGatewayV2::DomainName",
     "apigateway:AddCertificateToDomain apigateway:DELETE apigateway:GET "
     "apigateway:PATCH apigateway:POST apigateway:PUT "
     "apigateway:RemoveCertificateFromDomain s3:GetObject s3:GetObjectVersion"},
    {"AWS::ApiGatewayV2::Integration",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT "
     "iam:PassRole"},
    {"AWS::ApiGatewayV2::IntegrationResponse",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGatewayV2::Model",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGatewayV2::PortalProduct",
     "apigateway:CreatePortalProduct apigateway:DELETE apigateway:DeletePortalProduct "
     "apigateway:GET apigateway:GetPortalProduct apigateway:GetTags apigateway:PATCH "
     "apigateway:POST apigateway:TagResource apigateway:UntagResource "
     "apigateway:UpdatePortalProduct"},
    {"AWS::ApiGatewayV2::Route",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGatewayV2::RouteResponse",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"},
    {"AWS::ApiGatewayV2::RoutingRule",
     "apigateway:CreateRoutingRule apigateway:DeleteRoutingRule "
     "apigateway:GetRoutingRule apigateway:UpdateRoutingRule"},
    {"AWS::ApiGatewayV2::Stage",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST "
     "apigateway:TagResource apigateway:UntagResource"},
    {"AWS::ApiGatewayV2::VpcLink",
     "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST "
     "apigateway:TagResource apigateway:UnTagResource iam:CreateServiceLinkedRole "
     "iam:DeleteServiceLinkedRole iam:GetServiceLinkedRoleDeletionStatus"},
    {"AWS::AppSync::Api",
     "appsync:CreateApi appsync:DeleteApi appsync:GetApi appsync:ListTagsForResource "
     "appsync:TagResource appsync:UntagResource appsync:UpdateApi iam:PassRole"},
    {"AWS::AppSync::ApiCache",
     "appsync:CreateApiCache appsync:DeleteApiCache appsync:GetApiCache "
     "appsync:UpdateApiCache"},
    {"AWS::AppSync::ApiKey",
     "appsync:CreateApiKey appsync:DeleteApiKey appsync:ListApiKeys "
     "appsync:UpdateApiKey"},
    {"AWS::AppSync::ChannelNamespace",
     "appsync:CreateChannelNamespace appsync:DeleteChannelNamespace "
     "appsync:GetChannelNamespace appsync:ListTagsForResource appsync:TagResource "
     "appsync:UntagResource appsync:UpdateChannelNamespace s3:GetObject"},
    {"AWS::AppSync::DataSource",
     "appsync:CreateDataSource appsync:DeleteDataSource appsync:GetDataSource "
     "appsync:UpdateDataSource iam:PassRole"},
    {"AWS::AppSync::DomainName",
     "acm:DescribeCertificate appsync:CreateDomainName appsync:DeleteDomainName "
     "appsync:GetDomainName appsync:TagResource appsync:UntagResource "
     "appsync:UpdateDomainName cloudfront:UpdateDistribution"},
    {"AWS::AppSync::DomainNameApiAssociation",
     "appsync:AssociateApi appsync:DisassociateApi appsync:GetApiAssociation"},
    {"AWS::AppSync::FunctionConfiguration",
     "appsync:CreateFunction appsync:DeleteFunction appsync:GetFunction "
     "appsync:UpdateFunction s3:GetObject"},
    {"AWS::AppSync::GraphQLApi",
     "appsync:CreateGraphqlApi appsync:DeleteGraphqlApi appsync:GetGraphqlApi "
     "appsync:GetGraphqlApiEnvironmentVariables appsync:ListTagsForResource "
     "appsync:PutGraphqlApiEnvironmentVariables appsync:TagResource "
     "appsync:UntagResource appsync:UpdateGraphqlApi iam:PassRole"},
    {"AWS::AppSync::GraphQLSchema",
     "appsync:GetSchemaCreationStatus appsync:StartSchemaCreation s3:GetObject"},
    {"AWS::AppSync::Resolver",
     "appsync:CreateResolver appsync:DeleteResolver appsync:GetResolver "
     "appsync:UpdateResolver s3:GetObject"},
    {"AWS::AppSync::SourceApiAssociation",
     "appsync:AssociateMergedGraphqlApi appsync:AssociateSourceGraphqlApi "
     "appsync:DisassociateMergedGraphqlApi appsync:DisassociateSourceGraphqlApi "
     "appsync:GetSourceApiAssociation appsync:ListSourceApiAssociations "
     "appsync:UpdateSourceApiAssociation"},
    {"AWS::AppSync::Type",
     "appsync:CreateType appsync:DeleteType appsync:GetType appsync:UpdateType"},
    {"AWS::ApplicationAutoScaling::ScalableTarget",
     "application-autoscaling:DeleteScheduledAction "
     "application-autoscaling:DeregisterScalableTarget "
     "application-autoscaling:DescribeScalableTargets "
     "application-autoscaling:DescribeScheduledActions "
     "application-autoscaling:ListTagsForResource "
     "application-autoscaling:PutScheduledAction "
     "application-autoscaling:RegisterScalableTarget "
     "application-autoscaling:TagResource application-autoscaling:UntagResource "
     "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:PutMetricAlarm "
     "iam:CreateServiceLinkedRole iam:PassRole "
     "lambda:DeleteProvisionedConcurrencyConfig lambda:GetProvisionedConcurrencyConfig "
     "lambda:PutProvisionedConcurrencyConfig"},
    {"AWS::ApplicationAutoScaling::ScalingPolicy",
     "application-autoscaling:DeleteScalingPolicy "
     "application-autoscaling:DescribeScalingPolicies "
     "application-autoscaling:PutScalingPolicy cloudwatch:GetMetricData"},
    {"AWS::CertificateManager::Account",
     "acm:GetAccountConfiguration acm:PutAccountConfiguration"},
    {"AWS::CertificateManager::AcmeDomainValidation",
     "acm:CreateAcmeDomainValidation acm:DeleteAcmeDomainValidation "
     "acm:DescribeAcmeDomainValidation acm:ListTagsForResource acm:TagResource "
     "acm:UntagResource acm:UpdateAcmeDomainValidation "
     "route53:ChangeResourceRecordSets route53:GetChange route53:GetHostedZone"},
    {"AWS::CertificateManager::AcmeEndpoint",
     "acm:CreateAcmeEndpoint acm:DeleteAcmeEndpoint acm:DescribeAcmeEndpoint "
     "acm:ListTagsForResource acm:TagResource acm:UntagResource acm:UpdateAcmeEndpoint"},
    {"AWS::CertificateManager::AcmeExternalAccountBinding",
     "acm:CreateAcmeExternalAccountBinding acm:DeleteAcmeExternalAccountBinding "
     "acm:DescribeAcmeExternalAccountBinding acm:ListTagsForResource acm:TagResource "
     "acm:UntagResource iam:PassRole"},
    {"AWS::CertificateManager::Certificate",
     "acm-pca:GetCertificate acm-pca:IssueCertificate acm:AddTagsToCertificate "
     "acm:DeleteCertificate acm:DescribeCertificate acm:ListTagsForCertificate "
     "acm:RemoveTagsFromCertificate acm:RequestCertificate "
     "acm:UpdateCertificateOptions route53:ChangeResourceRecordSets"},
    {"AWS::CloudFormation::Stack",
     "cloudformation:CreateStack cloudformation:DeleteStack "
     "cloudformation:DescribeStacks cloudformation:GetStackPolicy "
     "cloudformation:GetTemplate cloudformation:SetStackPolicy "
     "cloudformation:UpdateStack cloudformation:UpdateTerminationProtection "
     "iam:PassRole"},
    {"AWS::CloudFront::AnycastIpList",
     "cloudfront:CreateAnycastIpList cloudfront:DeleteAnycastIpList "
     "cloudfront:GetAnycastIpList cloudfront:ListTagsForResource "
     "cloudfront:TagResource cloudfront:UntagResource cloudfront:UpdateAnycastIpList"},
    {"AWS::CloudFront::CachePolicy",
     "cloudfront:CreateCachePolicy cloudfront:DeleteCachePolicy "
     "cloudfront:GetCachePolicy cloudfront:UpdateCachePolicy"},
    {"AWS::CloudFront::CloudFrontOriginAccessIdentity",
     "cloudfront:CreateCloudFrontOriginAccessIdentity "
     "cloudfront:DeleteCloudFrontOriginAccessIdentity "
     "cloudfront:GetCloudFrontOriginAccessIdentity "
     "cloudfront:UpdateCloudFrontOriginAccessIdentity"},
    {"AWS::CloudFront::ConnectionFunction",
     "cloudfront:CreateConnectionFunction cloudfront:DeleteConnectionFunction "
     "cloudfront:DescribeConnectionFunction cloudfront:GetConnectionFunction "
     "cloudfront:ListTagsForResource cloudfront:PublishConnectionFunction "
     "cloudfront:TagResource cloudfront:UntagResource "
     "cloudfront:UpdateConnectionFunction"},
    {"AWS::CloudFront::ConnectionGroup",
     "cloudfront:CreateConnectionGroup cloudfront:DeleteConnectionGroup "
     "cloudfront:GetConnectionGroup cloudfront:ListTagsForResource "
     "cloudfront:TagResource cloudfront:UntagResource cloudfront:UpdateConnectionGroup"},
    {"AWS::CloudFront::ContinuousDeploymentPolicy",
     "cloudfront:CreateContinuousDeploymentPolicy "
     "cloudfront:DeleteContinuousDeploymentPolicy "
     "cloudfront:GetContinuousDeploymentPolicy "
     "cloudfront:UpdateContinuousDeploymentPolicy"},
    {"AWS::CloudFront::Distribution",
     "cloudfront:CreateConnectionGroup cloudfront:CreateDistribution "
     "cloudfront:CreateDistributionWithTags cloudfront:DeleteDistribution "
     "cloudfront:GetConnectionGroup cloudfront:GetDistribution "
     "cloudfront:GetDistributionConfig cloudfront:GetVpcOrigin "
     "cloudfront:ListTagsForResource cloudfront:TagResource cloudfront:UntagResource "
     "cloudfront:UpdateDistribution cloudfront:UpdateDistributionWithStagingConfig"},
    {"AWS::CloudFront::DistributionTenant",
     "acm:DescribeCertificate acm:RequestCertificate "
     "cloudfront:CreateDistributionTenant cloudfront:DeleteDistributionTenant "
     "cloudfront:GetDistributionTenant cloudfront:GetManagedCertificateDetails "
     "cloudfront:ListTagsForResource cloudfront:TagResource cloudfront:UntagResource "
     "cloudfront:UpdateDistributionTenant cloudfront:VerifyDnsConfiguration "
     "wafv2:GetWebACL"},
    {"AWS::CloudFront::FieldLevelEncryptionConfig",
     "cloudfront:CreateFieldLevelEncryptionConfig "
     "cloudfront:DeleteFieldLevelEncryptionConfig cloudfront:GetFieldLevelEncryption "
     "cloudfront:UpdateFieldLevelEncryptionConfig"},
    {"AWS::CloudFront::FieldLevelEncryptionProfile",
     "cloudfront:CreateFieldLevelEncryptionProfile "
     "cloudfront:DeleteFieldLevelEncryptionProfile "
     "cloudfront:GetFieldLevelEncryptionProfile "
     "cloudfront:UpdateFieldLevelEncryptionProfile"},
    {"AWS::CloudFront::Function",
     "cloudfront:CreateFunction cloudfront:DeleteFunction cloudfront:DescribeFunction "
     "cloudfront:GetFunction cloudfront:ListTagsForResource cloudfront:PublishFunction "
     "cloudfront:TagResource cloudfront:UntagResource cloudfront:UpdateFunction"},
    {"AWS::CloudFront::KeyGroup",
     "cloudfront:CreateKeyGroup cloudfront:DeleteKeyGroup cloudfront:GetKeyGroup "
     "cloudfront:UpdateKeyGroup"},
    {"AWS::CloudFront::KeyValueStore",
     "cloudfront:CreateKeyValueStore cloudfront:DeleteKeyValueStore "
     "cloudfront:DescribeKeyValueStore cloudfront:ListTagsForResource "
     "cloudfront:TagResource cloudfront:UntagResource cloudfront:UpdateKeyValueStore "
     "s3:GetBucketLocation s3:GetObject s3:HeadObject"},
    {"AWS::CloudFront::MonitoringSubscription",
     "cloudfront:CreateMonitoringSubscription cloudfront:DeleteMonitoringSubscription "
     "cloudfront:GetMonitoringSubscription"},
    {"AWS::CloudFront::OriginAccessControl",
     "cloudfront:CreateOriginAccessControl cloudfront:DeleteOriginAccessControl "
     "cloudfront:GetOriginAccessControl cloudfront:UpdateOriginAccessControl"},
    {"AWS::CloudFront::OriginRequestPolicy",
     "cloudfront:CreateOriginRequestPolicy cloudfront:DeleteOriginRequestPolicy "
     "cloudfront:GetOriginRequestPolicy cloudfront:UpdateOriginRequestPolicy"},
    {"AWS::CloudFront::PublicKey",
     "cloudfront:CreatePublicKey cloudfront:DeletePublicKey cloudfront:GetPublicKey "
     "cloudfront:UpdatePublicKey"},
    {"AWS::CloudFront::RealtimeLogConfig",
     "cloudfront:CreateRealtimeLogConfig cloudfront:DeleteRealtimeLogConfig "
     "cloudfront:GetRealtimeLogConfig cloudfront:UpdateRealtimeLogConfig iam:PassRole"},
    {"AWS::CloudFront::ResponseHeadersPolicy",
     "cloudfront:CreateResponseHeadersPolicy cloudfront:DeleteResponseHeadersPolicy "
     "cloudfront:GetResponseHeadersPolicy cloudfront:UpdateResponseHeadersPolicy"},
    {"AWS::CloudFront::TrustStore",
     "cloudfront:CreateTrustStore cloudfront:DeleteTrustStore cloudfront:GetTrustStore "
     "cloudfront:ListTagsForResource cloudfront:TagResource cloudfront:UntagResource "
     "cloudfront:UpdateTrustStore s3:GetObject s3:GetObjectVersion s3:ListBucket"},
    {"AWS::CloudFront::VpcOrigin",
     "cloudfront:CreateVpcOrigin cloudfront:DeleteVpcOrigin cloudfront:GetVpcOrigin "
     "cloudfront:ListTagsForResource cloudfront:TagResource cloudfront:UntagResource "
     "cloudfront:UpdateVpcOrigin ec2:DescribeInstances ec2:DescribeInternetGateways "
     "elasticloadbalancing:DescribeLoadBalancers iam:CreateServiceLinkedRole "
     "sts:AssumeRole"},
    {"AWS::CloudWatch::Alarm",
     "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource "
     "cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:UntagResource"},
    {"AWS::CloudWatch::AlarmMuteRule",
     "cloudwatch:DeleteAlarmMuteRule cloudwatch:GetAlarmMuteRule "
     "cloudwatch:ListTagsForResource cloudwatch:PutAlarmMuteRule "
     "cloudwatch:TagResource cloudwatch:UntagResource"},
    {"AWS::CloudWatch::CompositeAlarm",
     "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource "
     "cloudwatch:PutCompositeAlarm cloudwatch:TagResource cloudwatch:UntagResource"},
    {"AWS::CloudWatch::Dashboard",
     "cloudwatch:DeleteDashboards cloudwatch:GetDashboard "
     "cloudwatch:ListTagsForResource cloudwatch:PutDashboard cloudwatch:TagResource "
     "cloudwatch:UntagResource"},
    {"AWS::CloudWatch::InsightRule",
     "cloudwatch:DeleteInsightRules cloudwatch:DescribeInsightRules "
     "cloudwatch:ListTagsForResource cloudwatch:PutInsightRule cloudwatch:TagResource "
     "cloudwatch:UntagResource"},
    {"AWS::CloudWatch::Integration",
     "cloudwatch:CreateIntegration cloudwatch:DeleteIntegration "
     "cloudwatch:GetIntegration cloudwatch:ListTagsForResource cloudwatch:TagResource "
     "cloudwatch:UntagResource cloudwatch:UpdateIntegration iam:PassRole"},
    {"AWS::CloudWatch::LogAlarm",
     "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource "
     "cloudwatch:PutLogAlarm cloudwatch:TagResource cloudwatch:UntagResource "
     "iam:PassRole logs:CreateScheduledQuery logs:DeleteScheduledQuery "
     "logs:GetScheduledQuery logs:ListTagsForResource logs:TagResource "
     "logs:UntagResource logs:UpdateScheduledQuery"},
    {"AWS::CloudWatch::MetricStream",
     "cloudwatch:DeleteMetricStream cloudwatch:GetMetricStream "
     "cloudwatch:ListTagsForResource cloudwatch:PutMetricStream cloudwatch:TagResource "
     "cloudwatch:UntagResource iam:PassRole"},
    {"AWS::CloudWatch::OTelEnrichment",
     "cloudwatch:GetOTelEnrichment cloudwatch:StartOTelEnrichment "
     "cloudwatch:StopOTelEnrichment cloudwatch:UpdateOTelEnrichment"},
    {"AWS::CloudWatch::ResourceMetricsConfiguration",
     "cloudwatch:CreateResourceMetricsConfiguration "
     "cloudwatch:DeleteResourceMetricsConfiguration "
     "cloudwatch:GetResourceMetricsConfiguration "
     "cloudwatch:UpdateResourceMetricsConfiguration"},
    {"AWS::CloudWatch::View",
     "cloudwatch:CreateView cloudwatch:DeleteView cloudwatch:GetView "
     "cloudwatch:ListTagsForResource cloudwatch:TagResource cloudwatch:UntagResource "
     "cloudwatch:UpdateView"},
    {"AWS::Cognito::IdentityPool",
     "cognito-identity:CreateIdentityPool cognito-identity:DeleteIdentityPool "
     "cognito-identity:DescribeIdentityPool cognito-identity:ListTagsForResource "
     "cognito-identity:TagResource cognito-identity:UntagResource "
     "cognito-identity:UpdateIdentityPool cognito-sync:SetCognitoEvents "
     "cognito-sync:SetIdentityPoolConfiguration iam:PassRole"},
    {"AWS::Cognito::IdentityPoolPrincipalTag",
     "cognito-identity:GetPrincipalTagAttributeMap "
     "cognito-identity:SetPrincipalTagAttributeMap"},
    {"AWS::Cognito::IdentityPoolRoleAttachment",
     "cognito-identity:GetIdentityPoolRoles cognito-identity:SetIdentityPoolRoles "
     "iam:PassRole"},
    {"AWS::Cognito::LogDeliveryConfiguration",
     "cognito-idp:GetLogDeliveryConfiguration cognito-idp:SetLogDeliveryConfiguration "
     "firehose:TagDeliveryStream iam:CreateServiceLinkedRole logs:CreateLogDelivery "
     "logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
     "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy "
     "logs:UpdateLogDelivery s3:GetBucketAcl s3:GetBucketPolicy s3:ListBucket "
     "s3:PutBucketPolicy s3:PutObject"},
    {"AWS::Cognito::ManagedLoginBranding",
     "cognito-idp:CreateManagedLoginBranding cognito-idp:DeleteManagedLoginBranding "
     "cognito-idp:DescribeManagedLoginBranding "
     "cognito-idp:DescribeManagedLoginBrandingByClient "
     "cognito-idp:UpdateManagedLoginBranding"},
    {"AWS::Cognito::Terms",
     "cognito-idp:CreateTerms cognito-idp:DeleteTerms cognito-idp:DescribeTerms "
     "cognito-idp:DescribeTermsByClient cognito-idp:UpdateTerms"},
    {"AWS::Cognito::UserPool",
     "cognito-idp:AddCustomAttributes cognito-idp:CreateUserPool "
     "cognito-idp:DeleteUserPool cognito-idp:DescribeUserPool "
     "cognito-idp:GetUserPoolMfaConfig cognito-idp:ListTagsForResource "
     "cognito-idp:SetUserPoolMfaConfig cognito-idp:TagResource "
     "cognito-idp:UntagResource cognito-idp:UpdateUserPool iam:CreateServiceLinkedRole "
     "iam:PassRole kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt "
     "kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom "
     "kms:ReEncryptTo"},
    {"AWS::Cognito::UserPoolClient",
     "cognito-idp:CreateUserPoolClient cognito-idp:DeleteUserPoolClient "
     "cognito-idp:DescribeUserPoolClient cognito-idp:ListUserPoolClientSecrets "
     "cognito-idp:UpdateUserPoolClient iam:CreateServiceLinkedRole "
     "iam:DeleteRolePolicy iam:PassRole iam:PutRolePolicy"},
    {"AWS::Cognito::UserPoolDomain",
     "cloudfront:UpdateDistribution cognito-idp:CreateUserPoolDomain "
     "cognito-idp:DeleteUserPoolDomain cognito-idp:DescribeUserPoolDomain "
     "cognito-idp:UpdateUserPoolDomain kms:CreateGrant kms:Decrypt kms:DescribeKey "
     "kms:Encrypt kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom "
     "kms:ReEncryptTo"},
    {"AWS::Cognito::UserPoolGroup",
     "cognito-idp:CreateGroup cognito-idp:DeleteGroup cognito-idp:GetGroup "
     "cognito-idp:UpdateGroup iam:PassRole iam:PutRolePolicy"},
    {"AWS::Cognito::UserPoolIdentityProvider",
     "cognito-idp:CreateIdentityProvider cognito-idp:DeleteIdentityProvider "
     "cognito-idp:DescribeIdentityProvider cognito-idp:UpdateIdentityProvider"},
    {"AWS::Cognito::UserPoolRegionalConfigurationAttachment",
     "cognito-idp:DescribeUserPool cognito-idp:ListTagsForResource "
     "cognito-idp:ListUserPoolReplicas cognito-idp:TagResource "
     "cognito-idp:UntagResource cognito-idp:UpdateUserPool "
     "cognito-idp:UpdateUserPoolReplica iam:PassRole kms:CreateGrant kms:Decrypt "
     "kms:DescribeKey kms:Encrypt kms:GenerateDataKeyWithoutPlaintext "
     "kms:ReEncryptFrom kms:ReEncryptTo"},
    {"AWS::Cognito::UserPoolReplica",
     "cognito-idp:CreateUserPoolReplica cognito-idp:DeleteUserPoolReplica "
     "cognito-idp:DescribeUserPool cognito-idp:ListTagsForResource "
     "cognito-idp:ListUserPoolReplicas cognito-idp:TagResource "
     "cognito-idp:UntagResource iam:CreateServiceLinkedRole iam:PassRole "
     "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt "
     "kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo"},
    {"AWS::Cognito::UserPoolResourceServer",
     "cognito-idp:CreateResourceServer cognito-idp:DeleteResourceServer "
     "cognito-idp:DescribeResourceServer cognito-idp:UpdateResourceServer"},
    {"AWS::Cognito::UserPoolRiskConfigurationAttachment",
     "cognito-idp:DescribeRiskConfiguration cognito-idp:SetRiskConfiguration "
     "iam:PassRole"},
    {"AWS::Cognito::UserPoolUICustomizationAttachment",
     "cognito-idp:GetUICustomization cognito-idp:SetUICustomization"},
    {"AWS::Cognito::UserPoolUser",
     "cognito-idp:AdminCreateUser cognito-idp:AdminDeleteUser cognito-idp:AdminGetUser "
     "iam:PassRole"},
    {"AWS::Cognito::UserPoolUserToGroupAttachment",
     "cognito-idp:AdminAddUserToGroup cognito-idp:AdminListGroupsForUser "
     "cognito-idp:AdminRemoveUserFromGroup"},
    {"AWS::DynamoDB::GlobalTable",
     "application-autoscaling:DeleteScalingPolicy "
     "application-autoscaling:DeleteScheduledAction "
     "application-autoscaling:DeregisterScalableTarget "
     "application-autoscaling:Describe* application-autoscaling:PutScalingPolicy "
     "application-autoscaling:PutScheduledAction "
     "application-autoscaling:RegisterScalableTarget cloudwatch:PutMetricData "
     "dynamodb:BatchWriteItem dynamodb:CreateTable dynamodb:CreateTableReplica "
     "dynamodb:DeleteItem dynamodb:DeleteResourcePolicy dynamodb:DeleteTable "
     "dynamodb:DeleteTableReplica dynamodb:Describe* "
     "dynamodb:DisableKinesisStreamingDestination dynamodb:DisassociateTableReplica "
     "dynamodb:EnableKinesisStreamingDestination dynamodb:GetItem "
     "dynamodb:GetResourcePolicy dynamodb:ListTagsOfResource dynamodb:PutItem "
     "dynamodb:PutResourcePolicy dynamodb:Query dynamodb:Scan dynamodb:TagResource "
     "dynamodb:UntagResource dynamodb:UpdateContinuousBackups "
     "dynamodb:UpdateContributorInsights dynamodb:UpdateItem "
     "dynamodb:UpdateKinesisStreamingDestination dynamodb:UpdateTable "
     "dynamodb:UpdateTableReplicaAutoScaling dynamodb:UpdateTimeToLive "
     "iam:CreateServiceLinkedRole kinesis:DescribeStream kinesis:ListStreams "
     "kinesis:PutRecords kms:CreateGrant kms:Decrypt kms:DescribeKey kms:ListAliases "
     "kms:RevokeGrant"},
    {"AWS::DynamoDB::Table",
     "dynamodb:AssociateTableReplica dynamodb:BatchWriteItem dynamodb:CreateTable "
     "dynamodb:CreateTableReplica dynamodb:DeleteItem dynamodb:DeleteResourcePolicy "
     "dynamodb:DeleteTable dynamodb:DescribeContinuousBackups "
     "dynamodb:DescribeContributorInsights dynamodb:DescribeImport "
     "dynamodb:DescribeKinesisStreamingDestination dynamodb:DescribeTable "
     "dynamodb:DescribeTimeToLive dynamodb:DisableKinesisStreamingDestination "
     "dynamodb:EnableKinesisStreamingDestination dynamodb:GetItem "
     "dynamodb:GetResourcePolicy dynamodb:ImportTable dynamodb:ListTagsOfResource "
     "dynamodb:PutItem dynamodb:PutResourcePolicy dynamodb:Query dynamodb:Scan "
     "dynamodb:TagResource dynamodb:UntagResource dynamodb:UpdateContinuousBackups "
     "dynamodb:UpdateContributorInsights dynamodb:UpdateItem "
     "dynamodb:UpdateKinesisStreamingDestination dynamodb:UpdateTable "
     "dynamodb:UpdateTimeToLive iam:CreateServiceLinkedRole kinesis:DescribeStream "
     "kinesis:PutRecords kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt "
     "kms:ListAliases kms:RevokeGrant logs:CreateLogGroup logs:CreateLogStream "
     "logs:DescribeLogGroups logs:DescribeLogStreams logs:PutLogEvents "
     "logs:PutRetentionPolicy s3:GetObject s3:GetObjectMetadata s3:ListBucket"},
    {"AWS::EC2::SecurityGroup",
     "ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress "
     "ec2:CreateSecurityGroup ec2:CreateTags ec2:DeleteSecurityGroup ec2:DeleteTags "
     "ec2:DescribeInstances ec2:DescribeSecurityGroups ec2:RevokeSecurityGroupEgress "
     "ec2:RevokeSecurityGroupIngress ec2:UpdateSecurityGroupRuleDescriptionsEgress "
     "ec2:UpdateSecurityGroupRuleDescriptionsIngress"},
    {"AWS::EC2::Subnet",
     "ec2:AssociateSubnetCidrBlock ec2:CreateSubnet ec2:CreateTags ec2:DeleteSubnet "
     "ec2:DeleteTags ec2:DescribeNetworkAcls ec2:DescribeSubnets "
     "ec2:DisassociateSubnetCidrBlock ec2:ModifySubnetAttribute"},
    {"AWS::EC2::VPC",
     "ec2:CreateTags ec2:CreateVpc ec2:CreateVpcEncryptionControl ec2:DeleteTags "
     "ec2:DeleteVpc ec2:DescribeNetworkAcls ec2:DescribeSecurityGroups "
     "ec2:DescribeVpcAttribute ec2:DescribeVpcEncryptionControls ec2:DescribeVpcs "
     "ec2:ModifyVpcAttribute ec2:ModifyVpcTenancy"},
    {"AWS::EC2::VPCEndpoint",
     "ec2:CreateTags ec2:CreateVpcEndpoint ec2:DeleteTags ec2:DeleteVpcEndpoints "
     "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcEndpoints "
     "ec2:DescribeVpcs ec2:ModifyVpcEndpoint "
     "vpc-lattice:CreateServiceNetworkVpcEndpointAssociation "
     "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation vpce:AllowMultiRegion"},
    {"AWS::EFS::AccessPoint",
     "elasticfilesystem:CreateAccessPoint elasticfilesystem:DeleteAccessPoint "
     "elasticfilesystem:DescribeAccessPoints elasticfilesystem:ListTagsForResource "
     "elasticfilesystem:TagResource elasticfilesystem:UntagResource"},
    {"AWS::EFS::FileSystem",
     "elasticfilesystem:CreateFileSystem "
     "elasticfilesystem:CreateReplicationConfiguration "
     "elasticfilesystem:DeleteFileSystem elasticfilesystem:DeleteFileSystemPolicy "
     "elasticfilesystem:DeleteReplicationConfiguration elasticfilesystem:DeleteTags "
     "elasticfilesystem:DescribeBackupPolicy "
     "elasticfilesystem:DescribeFileSystemPolicy elasticfilesystem:DescribeFileSystems "
     "elasticfilesystem:DescribeLifecycleConfiguration "
     "elasticfilesystem:DescribeReplicationConfigurations "
     "elasticfilesystem:ListTagsForResource elasticfilesystem:PutBackupPolicy "
     "elasticfilesystem:PutFileSystemPolicy "
     "elasticfilesystem:PutLifecycleConfiguration elasticfilesystem:TagResource "
     "elasticfilesystem:UntagResource elasticfilesystem:UpdateFileSystem "
     "elasticfilesystem:UpdateFileSystemProtection iam:CreateServiceLinkedRole "
     "iam:PassRole kms:CreateGrant kms:DescribeKey kms:GenerateDataKeyWithoutPlaintext"},
    {"AWS::EFS::MountTarget",
     "elasticfilesystem:CreateMountTarget elasticfilesystem:DeleteMountTarget "
     "elasticfilesystem:DescribeMountTargetSecurityGroups "
     "elasticfilesystem:DescribeMountTargets "
     "elasticfilesystem:ModifyMountTargetSecurityGroups"},
    {"AWS::ElastiCache::CacheCluster",
     "elasticache:AddTagsToResource elasticache:CreateCacheCluster "
     "elasticache:CreateSnapshot elasticache:DeleteCacheCluster "
     "elasticache:DescribeCacheClusters elasticache:ListTagsForResource "
     "elasticache:ModifyCacheCluster elasticache:RebootCacheCluster "
     "elasticache:RemoveTagsFromResource firehose:TagDeliveryStream "
     "iam:CreateServiceLinkedRole logs:CreateLogDelivery logs:CreateLogStream "
     "logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
     "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy "
     "logs:UpdateLogDelivery s3:GetObject"},
    {"AWS::ElastiCache::GlobalReplicationGroup",
     "elasticache:AddTagsToResource elasticache:CreateGlobalReplicationGroup "
     "elasticache:DecreaseNodeGroupsInGlobalReplicationGroup "
     "elasticache:DeleteGlobalReplicationGroup "
     "elasticache:DescribeGlobalReplicationGroups "
     "elasticache:DisassociateGlobalReplicationGroup "
     "elasticache:FailoverGlobalReplicationGroup "
     "elasticache:IncreaseNodeGroupsInGlobalReplicationGroup "
     "elasticache:ListTagsForResource elasticache:ModifyGlobalReplicationGroup "
     "elasticache:RebalanceSlotsInGlobalReplicationGroup "
     "elasticache:RemoveTagsFromResource"},
    {"AWS::ElastiCache::ParameterGroup",
     "elasticache:AddTagsToResource elasticache:CreateCacheParameterGroup "
     "elasticache:DeleteCacheParameterGroup elasticache:DescribeCacheParameterGroups "
     "elasticache:DescribeCacheParameters elasticache:DescribeEngineDefaultParameters "
     "elasticache:ListTagsForResource elasticache:ModifyCacheParameterGroup "
     "elasticache:RemoveTagsFromResource iam:CreateServiceLinkedRole iam:PutRolePolicy"},
    {"AWS::ElastiCache::ReplicationGroup",
     "elasticache:AddTagsToResource elasticache:CreateCacheCluster "
     "elasticache:CreateReplicationGroup elasticache:CreateSnapshot "
     "elasticache:DecreaseReplicaCount elasticache:DeleteCacheCluster "
     "elasticache:DeleteReplicationGroup elasticache:DescribeCacheClusters "
     "elasticache:DescribeReplicationGroups elasticache:IncreaseReplicaCount "
     "elasticache:ListTagsForResource elasticache:ModifyReplicationGroup "
     "elasticache:ModifyReplicationGroupShardConfiguration "
     "elasticache:RemoveTagsFromResource firehose:PutRecord firehose:PutRecordBatch "
     "firehose:TagDeliveryStream iam:CreateServiceLinkedRole kms:CreateGrant "
     "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey "
     "logs:CreateLogDelivery logs:CreateLogStream logs:DeleteLogDelivery "
     "logs:GetLogDelivery logs:ListLogDeliveries logs:PutLogEvents "
     "logs:UpdateLogDelivery s3:GetObject"},
    {"AWS::ElastiCache::ServerlessCache",
     "ec2:CreateTags ec2:CreateVpcEndpoint elasticache:AddTagsToResource "
     "elasticache:CreateServerlessCache elasticache:DeleteServerlessCache "
     "elasticache:DescribeServerlessCaches elasticache:ListTagsForResource "
     "elasticache:ModifyServerlessCache elasticache:RemoveTagsFromResource "
     "kms:CreateGrant kms:DescribeKey"},
    {"AWS::ElastiCache::ServerlessCacheSnapshot",
     "elasticache:AddTagsToResource elasticache:CreateServerlessCacheSnapshot "
     "elasticache:DeleteServerlessCacheSnapshot "
     "elasticache:DescribeServerlessCacheSnapshots elasticache:ListTagsForResource "
     "elasticache:RemoveTagsFromResource kms:CreateGrant kms:DescribeKey"},
    {"AWS::ElastiCache::Snapshot",
     "elasticache:AddTagsToResource elasticache:CreateSnapshot "
     "elasticache:DeleteSnapshot elasticache:DescribeSnapshots "
     "elasticache:ListTagsForResource elasticache:RemoveTagsFromResource "
     "kms:CreateGrant kms:DescribeKey"},
    {"AWS::ElastiCache::SubnetGroup",
     "elasticache:AddTagsToResource elasticache:CreateCacheSubnetGroup "
     "elasticache:DeleteCacheSubnetGroup elasticache:DescribeCacheSubnetGroups "
     "elasticache:ListTagsForResource elasticache:ModifyCacheSubnetGroup "
     "elasticache:RemoveTagsFromResource"},
    {"AWS::ElastiCache::User",
     "elasticache:AddTagsToResource elasticache:CreateUser elasticache:DeleteUser "
     "elasticache:DescribeUsers elasticache:ListTagsForResource elasticache:ModifyUser "
     "elasticache:RemoveTagsFromResource"},
    {"AWS::ElastiCache::UserGroup",
     "elasticache:AddTagsToResource elasticache:CreateUserGroup "
     "elasticache:DeleteUserGroup elasticache:DescribeUserGroups "
     "elasticache:ListTagsForResource elasticache:ModifyReplicationGroup "
     "elasticache:ModifyUserGroup elasticache:RemoveTagsFromResource"},
    {"AWS::ElasticLoadBalancingV2::Listener",
     "cognito-idp:DescribeUserPoolClient elasticloadbalancing:AddTags "
     "elasticloadbalancing:CreateListener elasticloadbalancing:DeleteListener "
     "elasticloadbalancing:DescribeListenerAttributes "
     "elasticloadbalancing:DescribeListeners elasticloadbalancing:DescribeTags "
     "elasticloadbalancing:ModifyListener "
     "elasticloadbalancing:ModifyListenerAttributes elasticloadbalancing:RemoveTags"},
    {"AWS::ElasticLoadBalancingV2::ListenerRule",
     "cognito-idp:DescribeUserPoolClient elasticloadbalancing:AddTags "
     "elasticloadbalancing:CreateRule elasticloadbalancing:DeleteRule "
     "elasticloadbalancing:DescribeRules elasticloadbalancing:DescribeTags "
     "elasticloadbalancing:ModifyRule elasticloadbalancing:RemoveTags "
     "elasticloadbalancing:SetRulePriorities"},
    {"AWS::ElasticLoadBalancingV2::LoadBalancer",
     "ec2:DescribeIpamPools elasticloadbalancing:AddTags "
     "elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:DeleteLoadBalancer "
     "elasticloadbalancing:DescribeCapacityReservation "
     "elasticloadbalancing:DescribeLoadBalancerAttributes "
     "elasticloadbalancing:DescribeLoadBalancers elasticloadbalancing:DescribeTags "
     "elasticloadbalancing:ModifyCapacityReservation "
     "elasticloadbalancing:ModifyIpPools "
     "elasticloadbalancing:ModifyLoadBalancerAttributes "
     "elasticloadbalancing:RemoveTags elasticloadbalancing:SetIpAddressType "
     "elasticloadbalancing:SetSecurityGroups elasticloadbalancing:SetSubnets"},
    {"AWS::ElasticLoadBalancingV2::TargetGroup",
     "ec2:DescribeVpcs elasticloadbalancing:AddTags "
     "elasticloadbalancing:CreateTargetGroup elasticloadbalancing:DeleteTargetGroup "
     "elasticloadbalancing:DeregisterTargets elasticloadbalancing:DescribeTags "
     "elasticloadbalancing:DescribeTargetGroupAttributes "
     "elasticloadbalancing:DescribeTargetGroups "
     "elasticloadbalancing:DescribeTargetHealth elasticloadbalancing:ModifyTargetGroup "
     "elasticloadbalancing:ModifyTargetGroupAttributes "
     "elasticloadbalancing:RegisterTargets elasticloadbalancing:RemoveTags"},
    {"AWS::ElasticLoadBalancingV2::TrustStore",
     "elasticloadbalancing:AddTags elasticloadbalancing:CreateTrustStore "
     "elasticloadbalancing:DeleteTrustStore elasticloadbalancing:DescribeTags "
     "elasticloadbalancing:DescribeTrustStores elasticloadbalancing:ModifyTrustStore "
     "elasticloadbalancing:RemoveTags s3:GetObject s3:GetObjectVersion"},
    {"AWS::ElasticLoadBalancingV2::TrustStoreRevocation",
     "elasticloadbalancing:AddTrustStoreRevocations "
     "elasticloadbalancing:DescribeTrustStoreRevocations "
     "elasticloadbalancing:RemoveTrustStoreRevocations s3:GetObject "
     "s3:GetObjectVersion"},
    {"AWS::Events::ApiDestination",
     "events:CreateApiDestination events:DeleteApiDestination "
     "events:DescribeApiDestination events:UpdateApiDestination"},
    {"AWS::Events::Archive",
     "events:CreateArchive events:DeleteArchive events:DescribeArchive "
     "events:UpdateArchive kms:Decrypt kms:DescribeKey kms:GenerateDataKey "
     "kms:ReEncryptFrom kms:ReEncryptTo"},
    {"AWS::Events::Connection",
     "events:CreateConnection events:DeleteConnection events:DescribeConnection "
     "events:UpdateConnection iam:CreateServiceLinkedRole kms:Decrypt kms:DescribeKey "
     "kms:Encrypt kms:GenerateDataKey secretsmanager:CreateSecret "
     "secretsmanager:GetSecretValue secretsmanager:PutSecretValue "
     "secretsmanager:UpdateSecret"},
    {"AWS::Events::Endpoint",
     "events:CreateEndpoint events:DeleteEndpoint events:DescribeEndpoint "
     "events:UpdateEndpoint iam:PassRole route53:GetHealthCheck"},
    {"AWS::Events::EventBus",
     "events:CreateEventBus events:DeleteEventBus events:DescribeEventBus "
     "events:ListTagsForResource events:PutPermission events:RemovePermission "
     "events:TagResource events:UntagResource events:UpdateEventBus kms:Decrypt "
     "kms:DescribeKey kms:Encrypt kms:GenerateDataKey "
     "kms:GenerateDataKeyWithoutPlaintext kms:ReEncrypt kms:ReEncryptFrom "
     "kms:ReEncryptTo"},
    {"AWS::Events::EventBusPolicy",
     "events:DescribeEventBus events:PutPermission events:RemovePermission"},
    {"AWS::Events::Rule",
     "events:DeleteRule events:DescribeRule events:ListTagsForResource "
     "events:ListTargetsByRule events:PutRule events:PutTargets events:RemoveTargets "
     "events:TagResource events:UntagResource iam:PassRole"},
    {"AWS::IAM::Group",
     "iam:AttachGroupPolicy iam:CreateGroup iam:DeleteGroup iam:DeleteGroupPolicy "
     "iam:DetachGroupPolicy iam:GetGroup iam:GetGroupPolicy "
     "iam:ListAttachedGroupPolicies iam:ListGroupPolicies iam:PutGroupPolicy "
     "iam:UpdateGroup"},
    {"AWS::IAM::GroupPolicy",
     "iam:DeleteGroupPolicy iam:GetGroupPolicy iam:PutGroupPolicy"},
    {"AWS::IAM::InstanceProfile",
     "iam:AddRoleToInstanceProfile iam:CreateInstanceProfile iam:DeleteInstanceProfile "
     "iam:GetInstanceProfile iam:PassRole iam:RemoveRoleFromInstanceProfile"},
    {"AWS::IAM::ManagedPolicy",
     "iam:AttachGroupPolicy iam:AttachRolePolicy iam:AttachUserPolicy iam:CreatePolicy "
     "iam:CreatePolicyVersion iam:DeletePolicy iam:DeletePolicyVersion "
     "iam:DetachGroupPolicy iam:DetachRolePolicy iam:DetachUserPolicy iam:GetPolicy "
     "iam:GetPolicyVersion iam:ListEntitiesForPolicy iam:ListPolicyVersions"},
    {"AWS::IAM::OIDCProvider",
     "iam:AddClientIDToOpenIDConnectProvider iam:CreateOpenIDConnectProvider "
     "iam:DeleteOpenIDConnectProvider iam:GetOpenIDConnectProvider "
     "iam:ListOpenIDConnectProviderTags iam:RemoveClientIDFromOpenIDConnectProvider "
     "iam:TagOpenIDConnectProvider iam:UntagOpenIDConnectProvider "
     "iam:UpdateOpenIDConnectProviderThumbprint"},
    {"AWS::IAM::Policy",
     "iam:DeleteGroupPolicy iam:DeleteRolePolicy iam:DeleteUserPolicy "
     "iam:GetGroupPolicy iam:GetRolePolicy iam:GetUserPolicy iam:PutGroupPolicy "
     "iam:PutRolePolicy iam:PutUserPolicy"},
    {"AWS::IAM::Role",
     "iam:AttachRolePolicy iam:CreateRole iam:DeleteRole "
     "iam:DeleteRolePermissionsBoundary iam:DeleteRolePolicy iam:DetachRolePolicy "
     "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies "
     "iam:PutRolePermissionsBoundary iam:PutRolePolicy iam:TagRole iam:UntagRole "
     "iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription"},
    {"AWS::IAM::RolePolicy",
     "iam:DeleteRolePolicy iam:GetRolePolicy iam:PutRolePolicy"},
    {"AWS::IAM::SAMLProvider",
     "iam:CreateSAMLProvider iam:DeleteSAMLProvider iam:GetSAMLProvider "
     "iam:ListSAMLProviderTags iam:TagSAMLProvider iam:UntagSAMLProvider "
     "iam:UpdateSAMLProvider"},
    {"AWS::IAM::ServerCertificate",
     "iam:DeleteServerCertificate iam:GetServerCertificate "
     "iam:ListServerCertificateTags iam:TagServerCertificate "
     "iam:UntagServerCertificate iam:UploadServerCertificate"},
    {"AWS::IAM::ServiceLinkedRole",
     "iam:CreateServiceLinkedRole iam:DeleteServiceLinkedRole iam:GetRole "
     "iam:GetServiceLinkedRoleDeletionStatus iam:UpdateRole"},
    {"AWS::IAM::User",
     "iam:AddUserToGroup iam:AttachUserPolicy iam:CreateLoginProfile iam:CreateUser "
     "iam:DeleteAccessKey iam:DeleteLoginProfile iam:DeleteUser "
     "iam:DeleteUserPermissionsBoundary iam:DeleteUserPolicy iam:DetachUserPolicy "
     "iam:GetLoginProfile iam:GetUser iam:GetUserPolicy iam:ListAccessKeys "
     "iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:ListUserPolicies "
     "iam:ListUserTags iam:PutUserPermissionsBoundary iam:PutUserPolicy "
     "iam:RemoveUserFromGroup iam:TagUser iam:UntagUser iam:UpdateLoginProfile "
     "iam:UpdateUser"},
    {"AWS::IAM::UserPolicy",
     "iam:DeleteUserPolicy iam:GetUserPolicy iam:PutUserPolicy"},
    {"AWS::IAM::VirtualMFADevice",
     "iam:CreateVirtualMFADevice iam:DeactivateMFADevice iam:DeleteVirtualMFADevice "
     "iam:EnableMFADevice iam:ListVirtualMFADevices iam:TagMFADevice "
     "iam:UntagMFADevice"},
    {"AWS::IoT::AccountAuditConfiguration",
     "iam:PassRole iot:DeleteAccountAuditConfiguration "
     "iot:DescribeAccountAuditConfiguration iot:UpdateAccountAuditConfiguration"},
    {"AWS::IoT::Authorizer",
     "iot:CreateAuthorizer iot:DeleteAuthorizer iot:DescribeAuthorizer "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateAuthorizer "
     "kms:Decrypt"},
    {"AWS::IoT::BillingGroup",
     "iot:CreateBillingGroup iot:DeleteBillingGroup iot:DescribeBillingGroup "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateBillingGroup"},
    {"AWS::IoT::CACertificate",
     "iam:GetRole iam:PassRole iot:DeleteCACertificate iot:DescribeCACertificate "
     "iot:ListTagsForResource iot:RegisterCACertificate iot:TagResource "
     "iot:UntagResource iot:UpdateCACertificate kms:Decrypt"},
    {"AWS::IoT::Certificate",
     "iot:CreateCertificateFromCsr iot:DeleteCertificate iot:DescribeCertificate "
     "iot:RegisterCertificate iot:RegisterCertificateWithoutCA iot:UpdateCertificate "
     "kms:Decrypt"},
    {"AWS::IoT::CertificateProvider",
     "iot:CreateCertificateProvider iot:DeleteCertificateProvider "
     "iot:DescribeCertificateProvider iot:ListTagsForResource iot:TagResource "
     "iot:UntagResource iot:UpdateCertificateProvider kms:Decrypt"},
    {"AWS::IoT::Command",
     "iam:PassRole iot:CreateCommand iot:DeleteCommand iot:GetCommand "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateCommand"},
    {"AWS::IoT::CustomMetric",
     "iot:CreateCustomMetric iot:DeleteCustomMetric iot:DescribeCustomMetric "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateCustomMetric"},
    {"AWS::IoT::Dimension",
     "iot:CreateDimension iot:DeleteDimension iot:DescribeDimension "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateDimension"},
    {"AWS::IoT::DomainConfiguration",
     "acm:GetCertificate iot:CreateDomainConfiguration iot:DeleteDomainConfiguration "
     "iot:DescribeDomainConfiguration iot:ListTagsForResource iot:TagResource "
     "iot:UntagResource iot:UpdateDomainConfiguration kms:Decrypt"},
    {"AWS::IoT::EncryptionConfiguration",
     "iam:PassRole iot:DescribeEncryptionConfiguration "
     "iot:UpdateEncryptionConfiguration kms:Decrypt kms:DescribeKey kms:Encrypt"},
    {"AWS::IoT::FleetMetric",
     "iot:CreateFleetMetric iot:DeleteFleetMetric iot:DescribeFleetMetric "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateFleetMetric"},
    {"AWS::IoT::Job",
     "iam:PassRole iot:CreateJob iot:DeleteJob iot:DescribeJob iot:GetPackageVersion "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateJob "
     "s3:GetObject"},
    {"AWS::IoT::JobTemplate",
     "iam:PassRole iot:CreateJobTemplate iot:DeleteJobTemplate iot:DescribeJobTemplate "
     "iot:ListTagsForResource iot:TagResource s3:GetObject"},
    {"AWS::IoT::Logging",
     "iam:PassRole iot:GetV2LoggingOptions iot:SetV2LoggingOptions"},
    {"AWS::IoT::MitigationAction",
     "iam:PassRole iot:CreateMitigationAction iot:DeleteMitigationAction "
     "iot:DescribeMitigationAction iot:ListTagsForResource iot:TagResource "
     "iot:UntagResource iot:UpdateMitigationAction"},
    {"AWS::IoT::Policy",
     "iot:CreatePolicy iot:CreatePolicyVersion iot:DeletePolicy "
     "iot:DeletePolicyVersion iot:GetPolicy iot:ListPolicyVersions "
     "iot:ListTagsForResource iot:SetDefaultPolicyVersion iot:TagResource "
     "iot:UntagResource kms:Decrypt"},
    {"AWS::IoT::PolicyPrincipalAttachment",
     "iot:AttachPrincipalPolicy iot:DetachPrincipalPolicy iot:ListAttachedPolicies"},
    {"AWS::IoT::ProvisioningTemplate",
     "iam:GetRole iam:PassRole iot:CreateProvisioningTemplate "
     "iot:CreateProvisioningTemplateVersion iot:DeleteProvisioningTemplate "
     "iot:DeleteProvisioningTemplateVersion iot:DescribeProvisioningTemplate "
     "iot:ListProvisioningTemplateVersions iot:ListTagsForResource iot:TagResource "
     "iot:UntagResource iot:UpdateProvisioningTemplate kms:Decrypt"},
    {"AWS::IoT::ResourceSpecificLogging",
     "iot:DeleteV2LoggingLevel iot:ListV2LoggingLevels iot:SetV2LoggingLevel"},
    {"AWS::IoT::RoleAlias",
     "iam:GetRole iam:PassRole iot:CreateRoleAlias iot:DeleteRoleAlias "
     "iot:DescribeRoleAlias iot:ListTagsForResource iot:TagResource iot:UntagResource "
     "iot:UpdateRoleAlias kms:Decrypt"},
    {"AWS::IoT::ScheduledAudit",
     "iot:CreateScheduledAudit iot:DeleteScheduledAudit iot:DescribeScheduledAudit "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource "
     "iot:UpdateScheduledAudit"},
    {"AWS::IoT::SecurityProfile",
     "iam:PassRole iot:AttachSecurityProfile iot:CreateSecurityProfile "
     "iot:DeleteSecurityProfile iot:DescribeSecurityProfile iot:DetachSecurityProfile "
     "iot:ListTagsForResource iot:ListTargetsForSecurityProfile iot:TagResource "
     "iot:UntagResource iot:UpdateSecurityProfile"},
    {"AWS::IoT::SoftwarePackage",
     "iot:CreatePackage iot:DeletePackage iot:DeletePackageVersion "
     "iot:GetIndexingConfiguration iot:GetPackage iot:GetPackageVersion "
     "iot:ListPackageVersions iot:ListTagsForResource iot:TagResource "
     "iot:UntagResource iot:UpdatePackage iot:UpdatePackageVersion"},
    {"AWS::IoT::SoftwarePackageVersion",
     "iot:AssociateSbomWithPackageVersion iot:CreatePackageVersion "
     "iot:DeletePackageVersion iot:DisassociateSbomFromPackageVersion "
     "iot:GetIndexingConfiguration iot:GetPackageVersion iot:ListTagsForResource "
     "iot:TagResource iot:UntagResource iot:UpdatePackageVersion s3:GetObjectVersion"},
    {"AWS::IoT::Stream",
     "iam:PassRole iot:CreateStream iot:DeleteStream iot:DescribeStream "
     "iot:ListTagsForResource iot:TagResource iot:UntagResource iot:UpdateStream"},
    {"AWS::IoT::Thing",
     "iot:CreateThing iot:DeleteThing iot:DescribeThing iot:UpdateThing"},
    {"AWS::IoT::ThingGroup",
     "iot:CreateDynamicThingGroup iot:CreateThingGroup iot:DeleteDynamicThingGroup "
     "iot:DeleteThingGroup iot:DescribeThingGroup iot:ListTagsForResource "
     "iot:TagResource iot:UntagResource iot:UpdateDynamicThingGroup "
     "iot:UpdateThingGroup"},
    {"AWS::IoT::ThingPrincipalAttachment",
     "iot:AttachThingPrincipal iot:DetachThingPrincipal iot:ListThingPrincipalsV2"},
    {"AWS::IoT::ThingType",
     "iot:CreateThingType iot:DeleteThingType iot:DeprecateThingType "
     "iot:DescribeThingType iot:ListTagsForResource iot:TagResource iot:UntagResource "
     "iot:UpdateThingType"},
    {"AWS::IoT::TopicRule",
     "iam:PassRole iot:CreateTopicRule iot:DeleteTopicRule iot:GetTopicRule "
     "iot:ListTagsForResource iot:ReplaceTopicRule iot:TagResource iot:UntagResource"},
    {"AWS::IoT::TopicRuleDestination",
     "iam:PassRole iot:CreateTopicRuleDestination iot:DeleteTopicRuleDestination "
     "iot:GetTopicRuleDestination iot:UpdateTopicRuleDestination "
     "secretsmanager:GetSecretValue"},
    {"AWS::KMS::Alias",
     "kms:CreateAlias kms:DeleteAlias kms:ListAliases kms:UpdateAlias"},
    {"AWS::KMS::Key",
     "kms:CreateKey kms:DescribeKey kms:DisableKey kms:DisableKeyRotation "
     "kms:EnableKey kms:EnableKeyRotation kms:GetKeyPolicy kms:GetKeyRotationStatus "
     "kms:ListResourceTags kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:TagResource "
     "kms:UntagResource kms:UpdateKeyDescription"},
    {"AWS::KMS::ReplicaKey",
     "kms:CreateKey kms:DescribeKey kms:DisableKey kms:EnableKey kms:GetKeyPolicy "
     "kms:ListResourceTags kms:PutKeyPolicy kms:ReplicateKey kms:ScheduleKeyDeletion "
     "kms:TagResource kms:UntagResource kms:UpdateKeyDescription"},
    {"AWS::Kinesis::Channel",
     "iam:PassRole kinesis:AssociateStreamsWithChannel kinesis:CreateChannel "
     "kinesis:DeleteChannel kinesis:DescribeChannel kinesis:ListTagsForResource "
     "kinesis:TagResource kinesis:UntagResource kinesis:UpdateChannel"},
    {"AWS::Kinesis::ResourcePolicy",
     "kinesis:DeleteResourcePolicy kinesis:GetResourcePolicy kinesis:PutResourcePolicy"},
    {"AWS::Kinesis::Stream",
     "kinesis:AddTagsToStream kinesis:CreateStream "
     "kinesis:DecreaseStreamRetentionPeriod kinesis:DeleteStream "
     "kinesis:DescribeStreamSummary kinesis:DisableEnhancedMonitoring "
     "kinesis:EnableEnhancedMonitoring kinesis:IncreaseStreamRetentionPeriod "
     "kinesis:ListTagsForResource kinesis:ListTagsForStream "
     "kinesis:RemoveTagsFromStream kinesis:StartStreamEncryption "
     "kinesis:StopStreamEncryption kinesis:TagResource kinesis:UntagResource "
     "kinesis:UpdateMaxRecordSize kinesis:UpdateShardCount kinesis:UpdateStreamMode "
     "kinesis:UpdateStreamRecordDistributionStrategy "
     "kinesis:UpdateStreamWarmThroughput"},
    {"AWS::Kinesis::StreamConsumer",
     "kinesis:DeregisterStreamConsumer kinesis:DescribeStreamConsumer "
     "kinesis:ListTagsForResource kinesis:RegisterStreamConsumer kinesis:TagResource "
     "kinesis:UntagResource"},
    {"AWS::KinesisFirehose::DeliveryStream",
     "firehose:CreateDeliveryStream firehose:DeleteDeliveryStream "
     "firehose:DescribeDeliveryStream firehose:ListTagsForDeliveryStream "
     "firehose:StartDeliveryStreamEncryption firehose:StopDeliveryStreamEncryption "
     "firehose:TagDeliveryStream firehose:UntagDeliveryStream "
     "firehose:UpdateDestination iam:GetRole iam:PassRole kms:CreateGrant "
     "kms:DescribeKey kms:RevokeGrant"},
    {"AWS::Lambda::Alias",
     "codedeploy:CreateDeployment codedeploy:GetDeployment "
     "codedeploy:GetDeploymentConfig codedeploy:GetDeploymentGroup "
     "codedeploy:StopDeployment lambda:CreateAlias lambda:DeleteAlias "
     "lambda:DeleteProvisionedConcurrencyConfig lambda:GetAlias "
     "lambda:GetProvisionedConcurrencyConfig lambda:PutProvisionedConcurrencyConfig "
     "lambda:UpdateAlias"},
    {"AWS::Lambda::CapacityProvider",
     "iam:CreateServiceLinkedRole iam:PassRole kms:DescribeKey "
     "lambda:CreateCapacityProvider lambda:DeleteCapacityProvider "
     "lambda:GetCapacityProvider lambda:ListTags lambda:TagResource "
     "lambda:UntagResource lambda:UpdateCapacityProvider"},
    {"AWS::Lambda::CodeSigningConfig",
     "lambda:CreateCodeSigningConfig lambda:DeleteCodeSigningConfig "
     "lambda:GetCodeSigningConfig lambda:ListTags lambda:TagResource "
     "lambda:UntagResource lambda:UpdateCodeSigningConfig"},
    {"AWS::Lambda::EventInvokeConfig",
     "lambda:DeleteFunctionEventInvokeConfig lambda:GetFunctionEventInvokeConfig "
     "lambda:PutFunctionEventInvokeConfig lambda:UpdateFunctionEventInvokeConfig"},
    {"AWS::Lambda::EventSourceMapping",
     "kms:Decrypt kms:DescribeKey kms:GenerateDataKey lambda:CreateEventSourceMapping "
     "lambda:DeleteEventSourceMapping lambda:GetEventSourceMapping lambda:ListTags "
     "lambda:TagResource lambda:UntagResource lambda:UpdateEventSourceMapping"},
    {"AWS::Lambda::Function",
     "ec2:DescribeNetworkInterfaces ec2:DescribeSecurityGroups ec2:DescribeSubnets "
     "ec2:DescribeVpcs elasticfilesystem:DescribeMountTargets iam:PassRole "
     "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey "
     "lambda:AssociateRuntimeAlias lambda:CreateFunction lambda:DeleteFunction "
     "lambda:DeleteFunctionCodeSigningConfig lambda:DeleteFunctionConcurrency "
     "lambda:GetCodeSigningConfig lambda:GetFunction "
     "lambda:GetFunctionCodeSigningConfig lambda:GetFunctionRecursionConfig "
     "lambda:GetFunctionScalingConfig lambda:GetLayerVersion "
     "lambda:GetRuntimeManagementConfig lambda:PassCapacityProvider "
     "lambda:PublishVersion lambda:PutFunctionCodeSigningConfig "
     "lambda:PutFunctionConcurrency lambda:PutFunctionRecursionConfig "
     "lambda:PutFunctionScalingConfig lambda:PutRuntimeManagementConfig "
     "lambda:TagResource lambda:UntagResource lambda:UpdateFunctionCode "
     "lambda:UpdateFunctionConfiguration s3:GetObject s3:GetObjectVersion "
     "s3files:ListMountTargets"},
    {"AWS::Lambda::LayerVersion",
     "lambda:DeleteLayerVersion lambda:GetLayerVersion lambda:PublishLayerVersion "
     "s3:GetObject s3:GetObjectVersion"},
    {"AWS::Lambda::LayerVersionPermission",
     "lambda:AddLayerVersionPermission lambda:GetLayerVersionPolicy "
     "lambda:RemoveLayerVersionPermission"},
    {"AWS::Lambda::MicrovmImage",
     "iam:PassRole lambda:CreateMicrovmImage lambda:DeleteMicrovmImage "
     "lambda:DeleteMicrovmImageVersion lambda:GetMicrovmImage "
     "lambda:GetMicrovmImageVersion lambda:ListTags lambda:PassNetworkConnector "
     "lambda:TagResource lambda:TagResource20170331v2 lambda:UntagResource "
     "lambda:UntagResource20170331v2 lambda:UpdateMicrovmImage"},
    {"AWS::Lambda::NetworkConnector",
     "ec2:DescribeSecurityGroups ec2:DescribeSubnets iam:CreateServiceLinkedRole "
     "iam:PassRole lambda:CreateNetworkConnector lambda:DeleteNetworkConnector "
     "lambda:GetNetworkConnector lambda:ListTags lambda:TagResource "
     "lambda:UntagResource lambda:UpdateNetworkConnector"},
    {"AWS::Lambda::Permission",
     "lambda:AddPermission lambda:GetPolicy lambda:RemovePermission"},
    {"AWS::Lambda::ResourcePolicy",
     "cloudformation:DescribeStacks lambda:AddPermission lambda:DeleteResourcePolicy "
     "lambda:GetPolicy lambda:GetResourcePolicy lambda:PutResourcePolicy "
     "lambda:RemovePermission"},
    {"AWS::Lambda::Url",
     "lambda:CreateFunctionUrlConfig lambda:DeleteFunctionUrlConfig "
     "lambda:GetFunctionUrlConfig lambda:UpdateFunctionUrlConfig"},
    {"AWS::Lambda::Version",
     "lambda:DeleteFunction lambda:GetFunctionConfiguration "
     "lambda:GetFunctionScalingConfig lambda:GetProvisionedConcurrencyConfig "
     "lambda:GetRuntimeManagementConfig lambda:ListVersionsByFunction "
     "lambda:PublishVersion lambda:PutFunctionScalingConfig "
     "lambda:PutProvisionedConcurrencyConfig lambda:PutRuntimeManagementConfig"},
    {"AWS::Lambda::WebFunction",
     "lambda:CreateWebFunction lambda:DeleteWebFunction lambda:GetWebFunction "
     "lambda:ListTags lambda:TagResource lambda:UntagResource"},
    {"AWS::Lambda::WebFunctionEndpoint",
     "lambda:CreateWebFunctionEndpoint lambda:DeleteWebFunctionEndpoint "
     "lambda:GetWebFunctionEndpoint lambda:UpdateWebFunctionEndpoint"},
    {"AWS::Lambda::WebFunctionRevision",
     "iam:PassRole kms:CreateGrant kms:Decrypt kms:DescribeKey kms:GenerateDataKey "
     "lambda:CreateWebFunctionRevision lambda:DeleteWebFunctionRevision "
     "lambda:GetWebFunctionRevision lambda:PassNetworkConnector s3:GetObject "
     "s3:GetObjectVersion"},
    {"AWS::Logs::AccountPolicy",
     "firehose:TagDeliveryStream iam:PassRole logs:CreateLogDelivery "
     "logs:DeleteAccountPolicy logs:DeleteDataProtectionPolicy logs:DeleteIndexPolicy "
     "logs:DeleteMetricExtractionPolicy logs:DeleteSubscriptionFilter "
     "logs:DeleteTransformer logs:DescribeAccountPolicies "
     "logs:GetMetricExtractionPolicy logs:GetTransformer logs:PutAccountPolicy "
     "logs:PutDataProtectionPolicy logs:PutIndexPolicy logs:PutMetricExtractionPolicy "
     "logs:PutSubscriptionFilter logs:PutTransformer"},
    {"AWS::Logs::Delivery",
     "logs:CreateDelivery logs:DeleteDelivery logs:DescribeDeliveries logs:GetDelivery "
     "logs:GetDeliveryDestination logs:GetDeliverySource logs:ListTagsForResource "
     "logs:TagResource logs:UntagResource logs:UpdateDeliveryConfiguration"},
    {"AWS::Logs::DeliveryDestination",
     "logs:DeleteDeliveryDestination logs:DeleteDeliveryDestinationPolicy "
     "logs:GetDeliveryDestination logs:GetDeliveryDestinationPolicy "
     "logs:ListTagsForResource logs:PutDeliveryDestination "
     "logs:PutDeliveryDestinationPolicy logs:TagResource logs:UntagResource"},
    {"AWS::Logs::DeliverySource",
     "autoloop:AllowVendedLogDeliveryForResource "
     "codewhisperer:AllowVendedLogDeliveryForResource "
     "logs:AllowVendedLogDeliveryForResource logs:DeleteDeliverySource "
     "logs:GetDeliverySource logs:ListTagsForResource logs:PutDeliverySource "
     "logs:TagResource logs:UntagResource workmail:AllowVendedLogDeliveryForResource"},
    {"AWS::Logs::Destination",
     "iam:PassRole logs:DeleteDestination logs:DescribeDestinations "
     "logs:ListTagsForResource logs:PutDestination logs:PutDestinationPolicy "
     "logs:TagResource logs:UntagResource"},
    {"AWS::Logs::Integration",
     "aoss:APIAccessAll aoss:BatchGetCollection aoss:BatchGetLifecyclePolicy "
     "aoss:CreateAccessPolicy aoss:CreateCollection aoss:CreateLifeCyclePolicy "
     "aoss:CreateSecurityPolicy aoss:DeleteAccessPolicy aoss:DeleteCollection "
     "aoss:DeleteLifeCyclePolicy aoss:DeleteSecurityPolicy aoss:GetAccessPolicy "
     "aoss:GetSecurityPolicy aoss:TagResource es:AddDirectQueryDataSource es:AddTags "
     "es:CreateApplication es:DeleteApplication es:DeleteDirectQueryDataSource "
     "es:GetApplication es:GetDirectQueryDataSource es:ListApplications "
     "es:UpdateApplication iam:AttachRolePolicy iam:AttachUserPolicy "
     "iam:CreateServiceLinkedRole iam:PassRole logs:DeleteIntegration "
     "logs:GetIntegration logs:PutIntegration opensearch:AddDirectQueryDataSource "
     "opensearch:ApplicationAccessAll opensearch:CreateApplication "
     "opensearch:DashboardsAccessAll opensearch:DeleteApplication "
     "opensearch:DeleteDirectQueryDataSource opensearch:GetApplication "
     "opensearch:GetDirectQuery opensearch:GetDirectQueryDataSource "
     "opensearch:StartDirectQuery opensearch:UpdateApplication"},
    {"AWS::Logs::LogAnomalyDetector",
     "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey "
     "logs:CreateLogAnomalyDetector logs:DeleteLogAnomalyDetector "
     "logs:GetLogAnomalyDetector logs:UpdateLogAnomalyDetector"},
    {"AWS::Logs::LogGroup",
     "firehose:TagDeliveryStream logs:AssociateKmsKey logs:CreateLogDelivery "
     "logs:CreateLogGroup logs:DeleteDataProtectionPolicy logs:DeleteIndexPolicy "
     "logs:DeleteLogGroup logs:DeleteResourcePolicy logs:DeleteRetentionPolicy "
     "logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies "
     "logs:DisassociateKmsKey logs:GetDataProtectionPolicy logs:ListTagsForResource "
     "logs:PutBearerTokenAuthentication logs:PutDataProtectionPolicy "
     "logs:PutIndexPolicy logs:PutLogGroupDeletionProtection logs:PutResourcePolicy "
     "logs:PutRetentionPolicy logs:TagResource logs:UntagResource"},
    {"AWS::Logs::LogStream",
     "logs:CreateLogStream logs:DeleteLogStream logs:DescribeLogStreams"},
    {"AWS::Logs::MetricFilter",
     "logs:DeleteMetricFilter logs:DescribeMetricFilters logs:PutMetricFilter"},
    {"AWS::Logs::QueryDefinition",
     "logs:DeleteQueryDefinition logs:DescribeQueryDefinitions logs:PutQueryDefinition"},
    {"AWS::Logs::ResourcePolicy",
     "logs:DeleteResourcePolicy logs:DescribeResourcePolicies logs:PutResourcePolicy"},
    {"AWS::Logs::ScheduledQuery",
     "iam:PassRole logs:CreateScheduledQuery logs:DeleteScheduledQuery "
     "logs:GetScheduledQuery logs:ListTagsForResource logs:StartQuery logs:TagResource "
     "logs:UntagResource logs:UpdateScheduledQuery"},
    {"AWS::Logs::StorageTierPolicy",
     "logs:GetStorageTierPolicy logs:PutStorageTierPolicy"},
    {"AWS::Logs::SubscriptionFilter",
     "iam:PassRole logs:DeleteSubscriptionFilter logs:DescribeSubscriptionFilters "
     "logs:PutSubscriptionFilter"},
    {"AWS::Logs::Transformer",
     "logs:DeleteTransformer logs:GetTransformer logs:PutTransformer"},
    {"AWS::OpenSearchService::Application",
     "es:AddTags es:CreateApplication es:DeleteApplication es:GetApplication "
     "es:ListTags es:RemoveTags es:UpdateApplication iam:CreateServiceLinkedRole"},
    {"AWS::OpenSearchService::Domain",
     "es:AddTags es:CreateDomain es:DeleteDomain es:DescribeDomain "
     "es:DescribeDomainChangeProgress es:ListTags es:RemoveTags es:UpdateDomain "
     "es:UpgradeDomain"},
    {"AWS::Pipes::Pipe",
     "firehose:TagDeliveryStream iam:CreateServiceLinkedRole iam:PassRole kms:Decrypt "
     "kms:DescribeKey kms:GenerateDataKey logs:CreateLogDelivery "
     "logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
     "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy "
     "logs:UpdateLogDelivery pipes:CreatePipe pipes:DeletePipe pipes:DescribePipe "
     "pipes:TagResource pipes:UntagResource pipes:UpdatePipe s3:GetBucketPolicy "
     "s3:PutBucketPolicy"},
    {"AWS::RDS::ClusterSnapshot",
     "rds:AddTagsToResource rds:CreateDBClusterSnapshot rds:DeleteDBClusterSnapshot "
     "rds:DescribeDBClusterSnapshots rds:DescribeDBClusters rds:ListTagsForResource "
     "rds:RemoveTagsFromResource"},
    {"AWS::RDS::CustomDBEngineVersion",
     "ec2:CopySnapshot ec2:DeleteSnapshot ec2:DescribeImages ec2:DescribeSnapshots "
     "iam:CreateServiceLinkedRole kms:CreateGrant kms:Decrypt kms:DescribeKey "
     "kms:GenerateDataKey kms:ReEncrypt mediaimport:CreateDatabaseBinarySnapshot "
     "rds:AddTagsToResource rds:CreateCustomDBEngineVersion "
     "rds:DeleteCustomDBEngineVersion rds:DescribeDBEngineVersions "
     "rds:ModifyCustomDBEngineVersion rds:RemoveTagsFromResource s3:CreateBucket "
     "s3:GetObject s3:GetObjectAcl s3:GetObjectTagging s3:ListBucket "
     "s3:PutBucketObjectLockConfiguration s3:PutBucketPolicy s3:PutBucketVersioning"},
    {"AWS::RDS::DBCluster",
     "ec2:DescribeSecurityGroups iam:CreateServiceLinkedRole iam:PassRole "
     "rds:AddRoleToDBCluster rds:AddTagsToResource rds:CreateDBCluster "
     "rds:CreateDBClusterSnapshot rds:CreateDBInstance rds:DeleteDBCluster "
     "rds:DeleteDBInstance rds:DescribeDBClusterAutomatedBackups "
     "rds:DescribeDBClusterSnapshots rds:DescribeDBClusters rds:DescribeDBSnapshots "
     "rds:DescribeDBSubnetGroups rds:DescribeEvents rds:DescribeGlobalClusters "
     "rds:DisableHttpEndpoint rds:EnableHttpEndpoint rds:ModifyDBCluster "
     "rds:ModifyDBInstance rds:RemoveFromGlobalCluster rds:RemoveRoleFromDBCluster "
     "rds:RemoveTagsFromResource rds:RestoreDBClusterFromSnapshot "
     "rds:RestoreDBClusterToPointInTime secretsmanager:CreateSecret "
     "secretsmanager:TagResource"},
    {"AWS::RDS::DBClusterEndpoint",
     "rds:AddTagsToResource rds:CreateDBClusterEndpoint rds:DeleteDBClusterEndpoint "
     "rds:DescribeDBClusterEndpoints rds:ListTagsForResource "
     "rds:ModifyDBClusterEndpoint rds:RemoveTagsFromResource"},
    {"AWS::RDS::DBClusterParameterGroup",
     "iam:CreateServiceLinkedRole rds:AddTagsToResource "
     "rds:CreateDBClusterParameterGroup rds:DeleteDBClusterParameterGroup "
     "rds:DescribeDBClusterParameterGroups rds:DescribeDBClusterParameters "
     "rds:DescribeDBClusters rds:DescribeEngineDefaultClusterParameters "
     "rds:ListTagsForResource rds:ModifyDBClusterParameterGroup "
     "rds:RemoveTagsFromResource rds:ResetDBClusterParameterGroup"},
    {"AWS::RDS::DBInstance",
     "ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones "
     "ec2:DescribeInternetGateways ec2:DescribeSecurityGroups ec2:DescribeSubnets "
     "ec2:DescribeVpcAttribute ec2:DescribeVpcs iam:CreateServiceLinkedRole "
     "iam:GetRole iam:ListRoles iam:PassRole kms:CreateGrant kms:DescribeKey "
     "rds:AddRoleToDBInstance rds:AddTagsToResource rds:CreateDBInstance "
     "rds:CreateDBInstanceReadReplica rds:CreateDBSnapshot rds:DeleteDBInstance "
     "rds:DescribeDBClusterSnapshots rds:DescribeDBClusters "
     "rds:DescribeDBEngineVersions rds:DescribeDBInstanceAutomatedBackups "
     "rds:DescribeDBInstances rds:DescribeDBParameterGroups rds:DescribeDBSnapshots "
     "rds:DescribeEvents rds:ModifyDBInstance rds:PromoteReadReplica "
     "rds:RebootDBInstance rds:RemoveRoleFromDBInstance rds:RemoveTagsFromResource "
     "rds:RestoreDBInstanceFromDBSnapshot rds:RestoreDBInstanceToPointInTime "
     "rds:StartDBInstanceAutomatedBackupsReplication "
     "rds:StopDBInstanceAutomatedBackupsReplication secretsmanager:CreateSecret "
     "secretsmanager:TagResource"},
    {"AWS::RDS::DBParameterGroup",
     "iam:CreateServiceLinkedRole rds:AddTagsToResource rds:CreateDBParameterGroup "
     "rds:DeleteDBParameterGroup rds:DescribeDBParameterGroups "
     "rds:DescribeDBParameters rds:DescribeEngineDefaultParameters "
     "rds:ListTagsForResource rds:ModifyDBParameterGroup rds:RemoveTagsFromResource "
     "rds:ResetDBParameterGroup"},
    {"AWS::RDS::DBProxy",
     "iam:PassRole rds:AddTagsToResource rds:CreateDBProxy rds:DeleteDBProxy "
     "rds:DescribeDBProxies rds:ListTagsForResource rds:ModifyDBProxy "
     "rds:RemoveTagsFromResource"},
    {"AWS::RDS::DBProxyEndpoint",
     "rds:AddTagsToResource rds:CreateDBProxyEndpoint rds:DeleteDBProxyEndpoint "
     "rds:DescribeDBProxyEndpoints rds:ListTagsForResource rds:ModifyDBProxyEndpoint "
     "rds:RemoveTagsFromResource"},
    {"AWS::RDS::DBProxyTargetGroup",
     "rds:AddTagsToResource rds:DeregisterDBProxyTargets rds:DescribeDBProxies "
     "rds:DescribeDBProxyTargetGroups rds:DescribeDBProxyTargets "
     "rds:ListTagsForResource rds:ModifyDBProxyTargetGroup rds:RegisterDBProxyTargets "
     "rds:RemoveTagsFromResource"},
    {"AWS::RDS::DBShardGroup",
     "rds:AddTagsToResource rds:CreateDBShardGroup rds:DeleteDBShardGroup "
     "rds:DescribeDBClusters rds:DescribeDBShardGroups rds:DescribeDbShardGroups "
     "rds:ListTagsForResource rds:ModifyDBShardGroup rds:RemoveTagsFromResource"},
    {"AWS::RDS::DBSnapshot",
     "rds:AddTagsToResource rds:CreateDBSnapshot rds:DeleteDBSnapshot "
     "rds:DescribeDBInstances rds:DescribeDBSnapshots rds:ListTagsForResource "
     "rds:RemoveTagsFromResource"},
    {"AWS::RDS::DBSubnetGroup",
     "iam:CreateServiceLinkedRole rds:AddTagsToResource rds:CreateDBSubnetGroup "
     "rds:DeleteDBSubnetGroup rds:DescribeDBSubnetGroups rds:ListTagsForResource "
     "rds:ModifyDBSubnetGroup rds:RemoveTagsFromResource"},
    {"AWS::RDS::Deployment",
     "iam:PassRole rds:AddTagsToResource rds:CreateBlueGreenDeployment "
     "rds:CreateDBCluster rds:CreateDBClusterEndpoint rds:CreateDBInstance "
     "rds:CreateDBInstanceReadReplica rds:CreateGlobalCluster "
     "rds:DeleteBlueGreenDeployment rds:DeleteDBCluster rds:DeleteDBClusterEndpoint "
     "rds:DeleteDBInstance rds:DeleteGlobalCluster rds:DescribeBlueGreenDeployments "
     "rds:ListTagsForResource rds:PromoteReadReplica rds:PromoteReadReplicaDBCluster "
     "rds:RemoveFromGlobalCluster rds:RemoveTagsFromResource"},
    {"AWS::RDS::EventSubscription",
     "iam:CreateServiceLinkedRole rds:AddSourceIdentifierToSubscription "
     "rds:AddTagsToResource rds:CreateEventSubscription rds:DeleteEventSubscription "
     "rds:DescribeEventSubscriptions rds:ListTagsForResource "
     "rds:ModifyEventSubscription rds:RemoveSourceIdentifierFromSubscription "
     "rds:RemoveTagsFromResource"},
    {"AWS::RDS::GlobalCluster",
     "rds:AddTagsToResource rds:CreateGlobalCluster rds:DeleteGlobalCluster "
     "rds:DescribeDBClusters rds:DescribeGlobalClusters rds:ListTagsForResource "
     "rds:ModifyGlobalCluster rds:RemoveFromGlobalCluster rds:RemoveTagsFromResource"},
    {"AWS::RDS::Integration",
     "kms:CreateGrant kms:DescribeKey rds:AddTagsToResource rds:CreateIntegration "
     "rds:DeleteIntegration rds:DescribeIntegrations rds:ModifyIntegration "
     "rds:RemoveTagsFromResource redshift:CreateInboundIntegration"},
    {"AWS::RDS::OptionGroup",
     "iam:CreateServiceLinkedRole rds:AddTagsToResource rds:CreateOptionGroup "
     "rds:DeleteOptionGroup rds:DescribeOptionGroups rds:ListTagsForResource "
     "rds:ModifyOptionGroup rds:RemoveTagsFromResource"},
    {"AWS::Route53::CidrCollection",
     "route53:ChangeCidrCollection route53:CreateCidrCollection "
     "route53:DeleteCidrCollection route53:ListCidrBlocks route53:ListCidrCollections"},
    {"AWS::Route53::DNSSEC",
     "kms:CreateGrant kms:DescribeKey kms:GetPublicKey kms:Sign "
     "route53:DisableHostedZoneDNSSEC route53:EnableHostedZoneDNSSEC route53:GetDNSSEC"},
    {"AWS::Route53::DelegationSet",
     "route53:CreateReusableDelegationSet route53:DeleteReusableDelegationSet "
     "route53:GetReusableDelegationSet"},
    {"AWS::Route53::HealthCheck",
     "cloudwatch:DescribeAlarms route53-recovery-control-config:DescribeRoutingControl "
     "route53:ChangeTagsForResource route53:CreateHealthCheck "
     "route53:DeleteHealthCheck route53:GetHealthCheck route53:ListTagsForResource "
     "route53:UpdateHealthCheck"},
    {"AWS::Route53::HostedZone",
     "ec2:DescribeVpcs route53:AssociateVPCWithHostedZone "
     "route53:ChangeTagsForResource route53:CreateHostedZone "
     "route53:CreateQueryLoggingConfig route53:DeleteHostedZone "
     "route53:DeleteQueryLoggingConfig route53:DisassociateVPCFromHostedZone "
     "route53:GetChange route53:GetHostedZone route53:ListQueryLoggingConfigs "
     "route53:ListTagsForResource route53:UpdateHostedZoneComment "
     "route53:UpdateHostedZoneFeatures"},
    {"AWS::Route53::KeySigningKey",
     "kms:CreateGrant kms:DescribeKey kms:GetPublicKey kms:Sign "
     "route53:ActivateKeySigningKey route53:CreateKeySigningKey "
     "route53:DeactivateKeySigningKey route53:DeleteKeySigningKey route53:GetDNSSEC"},
    {"AWS::Route53::QueryLoggingConfig",
     "route53:CreateQueryLoggingConfig route53:DeleteQueryLoggingConfig "
     "route53:GetQueryLoggingConfig"},
    {"AWS::Route53::RecordSet",
     "route53:ChangeResourceRecordSets route53:GetChange route53:GetHostedZone "
     "route53:ListHostedZones route53:ListResourceRecordSets"},
    {"AWS::Route53::TrafficPolicy",
     "route53:CreateTrafficPolicy route53:DeleteTrafficPolicy "
     "route53:ListTrafficPolicyVersions route53:UpdateTrafficPolicyComment"},
    {"AWS::Route53::TrafficPolicyInstance",
     "route53:CreateTrafficPolicyInstance route53:DeleteTrafficPolicyInstance "
     "route53:GetTrafficPolicyInstance route53:UpdateTrafficPolicyInstance"},
    {"AWS::S3::AccessGrant",
     "s3:CreateAccessGrant s3:DeleteAccessGrant s3:GetAccessGrant "
     "s3:ListTagsForResource s3:TagResource s3:UntagResource"},
    {"AWS::S3::AccessGrantsInstance",
     "s3:AssociateAccessGrantsIdentityCenter s3:CreateAccessGrantsInstance "
     "s3:DeleteAccessGrantsInstance s3:DissociateAccessGrantsIdentityCenter "
     "s3:GetAccessGrantsInstance s3:ListTagsForResource s3:TagResource "
     "s3:UntagResource"},
    {"AWS::S3::AccessGrantsLocation",
     "iam:PassRole s3:CreateAccessGrantsLocation s3:DeleteAccessGrantsLocation "
     "s3:GetAccessGrantsLocation s3:ListTagsForResource s3:TagResource "
     "s3:UntagResource s3:UpdateAccessGrantsLocation"},
    {"AWS::S3::AccessPoint",
     "s3:CreateAccessPoint s3:DeleteAccessPoint s3:DeleteAccessPointPolicy "
     "s3:GetAccessPoint s3:GetAccessPointPolicy s3:ListTagsForResource "
     "s3:PutAccessPointPolicy s3:PutAccessPointPublicAccessBlock s3:TagResource "
     "s3:UntagResource"},
    {"AWS::S3::Bucket",
     "iam:PassRole s3:CreateBucket s3:CreateBucketMetadataTableConfiguration "
     "s3:DeleteBucket s3:DeleteBucketAnalyticsConfiguration s3:DeleteBucketCors "
     "s3:DeleteBucketEncryption s3:DeleteBucketLifecycle "
     "s3:DeleteBucketMetadataTableConfiguration s3:DeleteBucketMetricsConfiguration "
     "s3:DeleteBucketReplication s3:DeleteBucketWebsite s3:DeleteObject "
     "s3:GetAccelerateConfiguration s3:GetAnalyticsConfiguration s3:GetBucketAbac "
     "s3:GetBucketAcl s3:GetBucketCORS s3:GetBucketLogging "
     "s3:GetBucketMetadataTableConfiguration s3:GetBucketNotification "
     "s3:GetBucketObjectLockConfiguration s3:GetBucketOwnershipControls "
     "s3:GetBucketPublicAccessBlock s3:GetBucketTagging s3:GetBucketVersioning "
     "s3:GetBucketWebsite s3:GetEncryptionConfiguration "
     "s3:GetIntelligentTieringConfiguration s3:GetInventoryConfiguration "
     "s3:GetLifecycleConfiguration s3:GetMetricsConfiguration "
     "s3:GetReplicationConfiguration s3:ListBucket s3:ListTagsForResource "
     "s3:PutAccelerateConfiguration s3:PutAnalyticsConfiguration s3:PutBucketAbac "
     "s3:PutBucketAcl s3:PutBucketCORS s3:PutBucketLogging s3:PutBucketNotification "
     "s3:PutBucketObjectLockConfiguration s3:PutBucketOwnershipControls "
     "s3:PutBucketPublicAccessBlock s3:PutBucketReplication s3:PutBucketTagging "
     "s3:PutBucketVersioning s3:PutBucketWebsite s3:PutEncryptionConfiguration "
     "s3:PutIntelligentTieringConfiguration s3:PutInventoryConfiguration "
     "s3:PutLifecycleConfiguration s3:PutMetricsConfiguration s3:PutObjectAcl "
     "s3:PutObjectLockConfiguration s3:PutReplicationConfiguration s3:TagResource "
     "s3:UntagResource s3:UpdateBucketMetadataAnnotationTableConfiguration "
     "s3:UpdateBucketMetadataInventoryTableConfiguration "
     "s3:UpdateBucketMetadataJournalTableConfiguration s3tables:CreateNamespace "
     "s3tables:CreateTable s3tables:CreateTableBucket s3tables:GetTable "
     "s3tables:GetTableMetadataLocation s3tables:PutTableBucketPolicy "
     "s3tables:PutTableEncryption s3tables:PutTablePolicy "
     "s3tables:UpdateTableMetadataLocation"},
    {"AWS::S3::BucketPolicy",
     "s3:DeleteBucketPolicy s3:GetBucketPolicy s3:PutBucketPolicy"},
    {"AWS::S3::MultiRegionAccessPoint",
     "s3:CreateMultiRegionAccessPoint s3:DeleteMultiRegionAccessPoint "
     "s3:DescribeMultiRegionAccessPointOperation s3:GetMultiRegionAccessPoint"},
    {"AWS::S3::MultiRegionAccessPointPolicy",
     "s3:DescribeMultiRegionAccessPointOperation s3:GetMultiRegionAccessPoint "
     "s3:GetMultiRegionAccessPointPolicy s3:GetMultiRegionAccessPointPolicyStatus "
     "s3:PutMultiRegionAccessPointPolicy"},
    {"AWS::S3::StorageLens",
     "iam:CreateServiceLinkedRole organizations:DescribeOrganization "
     "organizations:ListAWSServiceAccessForOrganization organizations:ListAccounts "
     "organizations:ListDelegatedAdministrators s3:DeleteStorageLensConfiguration "
     "s3:DeleteStorageLensConfigurationTagging s3:GetStorageLensConfiguration "
     "s3:GetStorageLensConfigurationTagging s3:PutStorageLensConfiguration "
     "s3:PutStorageLensConfigurationTagging s3tables:CreateTableBucket "
     "s3tables:PutTableBucketPolicy"},
    {"AWS::S3::StorageLensGroup",
     "s3:CreateStorageLensGroup s3:DeleteStorageLensGroup s3:GetStorageLensGroup "
     "s3:ListTagsForResource s3:TagResource s3:UntagResource s3:UpdateStorageLensGroup"},
    {"AWS::SNS::Subscription",
     "iam:GetRole iam:PassRole sns:GetSubscriptionAttributes "
     "sns:SetSubscriptionAttributes sns:Subscribe sns:Unsubscribe"},
    {"AWS::SNS::Topic",
     "iam:GetRole iam:PassRole sns:CreateTopic sns:DeleteTopic "
     "sns:GetDataProtectionPolicy sns:GetTopicAttributes sns:ListSubscriptionsByTopic "
     "sns:ListTagsForResource sns:PutDataProtectionPolicy sns:SetTopicAttributes "
     "sns:Subscribe sns:TagResource sns:Unsubscribe sns:UntagResource"},
    {"AWS::SNS::TopicInlinePolicy",
     "sns:GetTopicAttributes sns:SetTopicAttributes"},
    {"AWS::SNS::TopicPolicy",
     "sns:SetTopicAttributes"},
    {"AWS::SQS::Queue",
     "sqs:CreateQueue sqs:DeleteQueue sqs:GetQueueAttributes sqs:GetQueueUrl "
     "sqs:ListQueueTags sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue"},
    {"AWS::SQS::QueueInlinePolicy",
     "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SetQueueAttributes"},
    {"AWS::SQS::QueuePolicy",
     "sqs:SetQueueAttributes"},
    {"AWS::SSM::Association",
     "ec2:DescribeInstanceStatus iam:CreateServiceLinkedRole iam:PassRole "
     "resource-groups:GetGroupQuery resource-groups:ListGroupResources "
     "resource-groups:ListGroups ssm:AddTagsToResource ssm:CreateAssociation "
     "ssm:DeleteAssociation ssm:DescribeAssociation ssm:GetCalendarState "
     "ssm:ListTagsForResource ssm:RemoveTagsFromResource ssm:UpdateAssociation"},
    {"AWS::SSM::CloudConnector",
     "config:DeleteServiceLinkedConfigurationRecorder config:GetConnector "
     "config:PutThirdPartyServiceLinkedConfigurationRecorder iam:PassRole "
     "ssm:AddTagsToResource ssm:CreateCloudConnector ssm:DeleteCloudConnector "
     "ssm:GetCloudConnector ssm:ListAssociations ssm:ListTagsForResource "
     "ssm:RemoveTagsFromResource ssm:UpdateCloudConnector"},
    {"AWS::SSM::Document",
     "iam:PassRole s3:GetObject ssm:AddTagsToResource ssm:CreateDocument "
     "ssm:DeleteDocument ssm:DescribeDocument ssm:GetDocument ssm:ListTagsForResource "
     "ssm:RemoveTagsFromResource ssm:UpdateDocument ssm:UpdateDocumentDefaultVersion"},
    {"AWS::SSM::MaintenanceWindow",
     "ssm:AddTagsToResource ssm:CreateMaintenanceWindow ssm:DeleteMaintenanceWindow "
     "ssm:GetMaintenanceWindow ssm:ListTagsForResource ssm:RemoveTagsFromResource "
     "ssm:UpdateMaintenanceWindow"},
    {"AWS::SSM::MaintenanceWindowTarget",
     "ssm:DeregisterTargetFromMaintenanceWindow ssm:DescribeMaintenanceWindowTargets "
     "ssm:RegisterTargetWithMaintenanceWindow ssm:UpdateMaintenanceWindowTarget"},
    {"AWS::SSM::MaintenanceWindowTask",
     "iam:CreateServiceLinkedRole iam:PassRole ssm:DeregisterTaskFromMaintenanceWindow "
     "ssm:GetMaintenanceWindowTask ssm:RegisterTaskWithMaintenanceWindow "
     "ssm:UpdateMaintenanceWindowTask"},
    {"AWS::SSM::OpsItem",
     "ssm:AddTagsToResource ssm:CreateOpsItem ssm:DeleteOpsItem ssm:DescribeOpsItems "
     "ssm:GetOpsItem ssm:ListTagsForResource ssm:RemoveTagsFromResource "
     "ssm:UpdateOpsItem"},
    {"AWS::SSM::Parameter",
     "ssm:AddTagsToResource ssm:DeleteParameter ssm:GetParameters "
     "ssm:ListTagsForResource ssm:PutParameter ssm:RemoveTagsFromResource"},
    {"AWS::SSM::PatchBaseline",
     "ssm:AddTagsToResource ssm:CreatePatchBaseline ssm:DeletePatchBaseline "
     "ssm:DeregisterPatchBaselineForPatchGroup ssm:GetDefaultPatchBaseline "
     "ssm:GetPatchBaseline ssm:ListTagsForResource ssm:RegisterDefaultPatchBaseline "
     "ssm:RegisterPatchBaselineForPatchGroup ssm:RemoveTagsFromResource "
     "ssm:UpdatePatchBaseline"},
    {"AWS::SSM::ResourceDataSync",
     "ssm:CreateResourceDataSync ssm:DeleteResourceDataSync ssm:ListResourceDataSync "
     "ssm:UpdateResourceDataSync"},
    {"AWS::SSM::ResourcePolicy",
     "ssm:DeleteResourcePolicy ssm:GetResourcePolicies ssm:PutResourcePolicy"},
    {"AWS::SSM::ServiceSetting",
     "ssm:GetServiceSetting ssm:ResetServiceSetting ssm:UpdateServiceSetting"},
    {"AWS::Scheduler::Schedule",
     "iam:PassRole scheduler:CreateSchedule scheduler:DeleteSchedule "
     "scheduler:GetSchedule scheduler:UpdateSchedule"},
    {"AWS::Scheduler::ScheduleGroup",
     "scheduler:CreateScheduleGroup scheduler:DeleteSchedule "
     "scheduler:DeleteScheduleGroup scheduler:GetScheduleGroup "
     "scheduler:ListTagsForResource scheduler:TagResource scheduler:UntagResource"},
    {"AWS::SecretsManager::ResourcePolicy",
     "secretsmanager:DeleteResourcePolicy secretsmanager:GetResourcePolicy "
     "secretsmanager:PutResourcePolicy"},
    {"AWS::SecretsManager::RotationSchedule",
     "iam:PassRole lambda:InvokeFunction secretsmanager:CancelRotateSecret "
     "secretsmanager:DescribeSecret secretsmanager:RotateSecret"},
    {"AWS::SecretsManager::Secret",
     "secretsmanager:CreateSecret secretsmanager:DeleteSecret "
     "secretsmanager:DescribeSecret secretsmanager:GetRandomPassword "
     "secretsmanager:GetSecretValue secretsmanager:RemoveRegionsFromReplication "
     "secretsmanager:ReplicateSecretToRegions secretsmanager:TagResource "
     "secretsmanager:UntagResource secretsmanager:UpdateSecret"},
    {"AWS::SecretsManager::SecretTargetAttachment",
     "docdb-elastic:GetCluster rds:DescribeDBClusters rds:DescribeDBInstances "
     "redshift-serverless:GetNamespace redshift-serverless:ListWorkgroups "
     "redshift:DescribeClusters secretsmanager:GetSecretValue "
     "secretsmanager:PutSecretValue"},
    {"AWS::StepFunctions::Activity",
     "kms:DescribeKey states:CreateActivity states:DeleteActivity "
     "states:DescribeActivity states:ListTagsForResource states:TagResource "
     "states:UntagResource"},
    {"AWS::StepFunctions::StateMachine",
     "iam:PassRole kms:Decrypt kms:DescribeKey kms:GenerateDataKey s3:GetObject "
     "s3:GetObjectVersion states:CreateStateMachine states:DeleteStateMachine "
     "states:DescribeStateMachine states:ListTagsForResource states:TagResource "
     "states:UntagResource states:UpdateStateMachine"},
    {"AWS::StepFunctions::StateMachineAlias",
     "cloudwatch:DescribeAlarms states:CreateStateMachineAlias "
     "states:DeleteStateMachineAlias states:DescribeStateMachineAlias "
     "states:UpdateStateMachineAlias"},
    {"AWS::StepFunctions::StateMachineVersion",
     "states:DeleteStateMachineVersion states:DescribeStateMachine "
     "states:ListStateMachineVersions states:PublishStateMachineVersion"},
    {"AWS::WAFv2::IPSet",
     "wafv2:CreateIPSet wafv2:DeleteIPSet wafv2:GetIPSet wafv2:ListTagsForResource "
     "wafv2:TagResource wafv2:UntagResource wafv2:UpdateIPSet"},
    {"AWS::WAFv2::LoggingConfiguration",
     "firehose:ListDeliveryStreams iam:CreateServiceLinkedRole "
     "iam:DescribeOrganization logs:CreateLogDelivery logs:DeleteLogDelivery "
     "logs:DescribeLogGroups logs:DescribeResourcePolicies logs:PutResourcePolicy "
     "s3:GetBucketPolicy s3:PutBucketPolicy wafv2:DeleteLoggingConfiguration "
     "wafv2:GetLoggingConfiguration wafv2:PutLoggingConfiguration"},
    {"AWS::WAFv2::RegexPatternSet",
     "wafv2:CreateRegexPatternSet wafv2:DeleteRegexPatternSet wafv2:GetRegexPatternSet "
     "wafv2:ListTagsForResource wafv2:TagResource wafv2:UntagResource "
     "wafv2:UpdateRegexPatternSet"},
    {"AWS::WAFv2::RuleGroup",
     "payments:GetConnectedAccount wafv2:CreateRuleGroup wafv2:DeleteRuleGroup "
     "wafv2:GetRuleGroup wafv2:ListTagsForResource wafv2:TagResource "
     "wafv2:UntagResource wafv2:UpdateRuleGroup"},
    {"AWS::WAFv2::WebACL",
     "payments:GetConnectedAccount wafv2:CreateWebACL wafv2:DeleteWebACL "
     "wafv2:GetWebACL wafv2:ListTagsForResource wafv2:TagResource wafv2:UntagResource "
     "wafv2:UpdateWebACL"},
    {"AWS::WAFv2::WebACLAssociation",
     "amplify:AssociateWebACL amplify:DisassociateWebACL amplify:GetWebACLForResource "
     "apigateway:SetWebACL apprunner:AssociateWebAcl "
     "apprunner:DescribeWebAclForService apprunner:DisassociateWebAcl "
     "appsync:AssociateWebACL appsync:DisassociateWebACL appsync:GetWebACLForResource "
     "appsync:SetWebACL bedrock-agentcore:GatewayAssociateWebACL "
     "bedrock-agentcore:GatewayDisassociateWebACL "
     "bedrock-agentcore:GatewayGetWebACLForResource cognito-idp:AssociateWebACL "
     "cognito-idp:DisassociateWebACL cognito-idp:GetWebACLForResource "
     "ec2:AssociateVerifiedAccessInstanceWebAcl "
     "ec2:DescribeVerifiedAccessInstanceWebAclAssociations "
     "ec2:DisassociateVerifiedAccessInstanceWebAcl ec2:GetVerifiedAccessInstanceWebAcl "
     "elasticloadbalancing:CreateWebACLAssociation "
     "elasticloadbalancing:DeleteWebACLAssociation "
     "elasticloadbalancing:GetLoadBalancerWebACL elasticloadbalancing:SetWebACL "
     "wafv2:AssociateWebACL wafv2:DisassociateWebACL wafv2:GetPermissionPolicy "
     "wafv2:GetWebACL wafv2:GetWebACLForResource wafv2:PutPermissionPolicy"},
};
/* clang-format on */

const size_t cfn_type_actions_count = sizeof cfn_type_actions / sizeof *cfn_type_actions;
