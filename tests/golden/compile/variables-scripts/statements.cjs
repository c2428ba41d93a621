module.exports = Promise.resolve([{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: { 'Fn::Sub': 'arn:aws:s3:::${AWS::AccountId}/*' } }]);
