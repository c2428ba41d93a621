exports.handler = async () => process.env.COLOR + ' ' + process.env.STAGE_COLOR;
