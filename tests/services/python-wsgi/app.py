from werkzeug.wrappers import Response


def app(environ, start_response):
    return Response("from wsgi")(environ, start_response)
