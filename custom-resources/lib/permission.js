'use strict';

// Who may call a function: statements of its policy, or of its alias's.

const aws = require('./aws');

// The same for the same caller, so that a statement of an interrupted call is found again.
function statementId(request, principal, sourceArn) {
  const hash = aws.sha256([request.LogicalResourceId, principal, sourceArn].join('\n'));
  return `custom-resource-${principal.split('.')[0]}-${hash.slice(0, 16)}`;
}

function policy(functionName, more = '') {
  const [name, alias] = functionName.split(':');
  return {
    service: 'lambda',
    path: `/2015-03-31/functions/${aws.encode(name)}/policy${more}`,
    query: alias ? { Qualifier: alias } : {},
  };
}

exports.add = async (request, functionName, principal, sourceArn, sourceAccount) => {
  const id = statementId(request, principal, sourceArn);
  const body = JSON.stringify({
    Action: 'lambda:InvokeFunction',
    Principal: principal,
    SourceArn: sourceArn,
    SourceAccount: sourceAccount,
    StatementId: id,
  });
  try {
    await aws.call({
      ...policy(functionName),
      body,
      isFinal: (code) => code === 'ResourceConflictException',
    });
  } catch (error) {
    if (error.code !== 'ResourceConflictException') throw error;
  }
};

exports.remove = async (request, functionName, principal, sourceArn) => {
  const id = statementId(request, principal, sourceArn);
  try {
    await aws.call({ ...policy(functionName, `/${id}`), method: 'DELETE' });
  } catch (error) {
    if (error.code !== 'ResourceNotFoundException') throw error;
  }
};
