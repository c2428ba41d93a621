"""REST, HTTP and WebSocket APIs, and the OpenAPI documents they are imported from."""
