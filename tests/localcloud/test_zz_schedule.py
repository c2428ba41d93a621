"""Runs last: by now the schedule set up at the start of the session has fired."""

from test_events import expect_alias, seen


def test_schedule_fires_the_alias(aws, scheduled):
    message = seen(aws, scheduled, 90)
    expect_alias(message, scheduled)
    assert '{"k":1}' in message
