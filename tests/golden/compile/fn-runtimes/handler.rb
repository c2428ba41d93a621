def main(event:, context:)
  { statusCode: 200, body: 'ok' }
end
