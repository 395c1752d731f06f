import signal

from hypothesis import settings

pytest_plugins = ["tests.kafka_fixtures", "tests.stack_fixtures"]

# A shell starts background jobs with Ctrl-C ignored, and what they start inherits that: the tests of Ctrl-C would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in each run: a change is judged by what it changes. Whoever hunts takes --hypothesis-seed=random.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")
