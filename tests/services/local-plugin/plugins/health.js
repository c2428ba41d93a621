'use strict';

// A function for health checks, and an alarm on the main one's errors, in every service that lists it.
module.exports = class Health {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      initialize: () => this.addFunction(),
      'before:package:finalize': () => this.addAlarm(),
    };
  }

  addFunction() {
    const { service } = this.serverless;
    const stage = this.serverless.getProvider('aws').getStage();
    service.functions.health = {
      handler: 'main.health',
      name: `${service.service}-${stage}-health`,
      events: [{ httpApi: `GET ${service.custom.health.path}` }],
    };
  }

  addAlarm() {
    const { service } = this.serverless;
    const stage = this.serverless.getProvider('aws').getStage();
    service.provider.compiledCloudFormationTemplate.Resources.MainErrors = {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `${service.service}-${stage}-errors`,
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
        Dimensions: [{ Name: 'FunctionName', Value: `${service.service}-${stage}-main` }],
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      },
    };
  }
};
