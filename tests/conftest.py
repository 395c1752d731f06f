pytest_plugins = ["tests.kafka_fixtures", "tests.stack_fixtures"]
