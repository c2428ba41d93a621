module.exports = () => {
  const functions = {};
  for (let i = 0; i < 60; i++)
    functions[`f${i}`] = { handler: 'hello.handler', events: [{ http: `GET /f${i}` }, { http: `POST /f${i}` }] };
  return functions;
};
