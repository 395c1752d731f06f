import signal

pytest_plugins = ["tests.kafka_fixtures", "tests.stack_fixtures"]

# A shell starts background jobs with Ctrl-C ignored, and what they start inherits that: the tests of Ctrl-C would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)
