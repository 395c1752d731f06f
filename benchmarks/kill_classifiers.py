"""Kills processes of running classifiers with -9, at random and under load, and counts what is lost.

    python -m benchmarks.kill_classifiers [--kills 20] [--images 10000] [--seed 1]

Two supervised consumers, each with its decoder, on a real Kafka of their own; every second kill hits a consumer.
"""

import argparse
import tempfile
from pathlib import Path

from services.local.folders import user_data_folder
from services.local.kafka.jars import ensure_jars
from tests.classifier.killing import kill_under_load
from tests.kafka_fixtures import running_kafka


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    kills = [("consumer", "decoder")[number % 2] for number in range(given.kills)]
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as name:
        jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
        with running_kafka(Path(name), jars) as kafka:
            seen = kill_under_load(kafka.bootstrap, Path(name), kills, given.images, given.seed)
    print(f"{'sent':24} {seen.sent:6}")
    for kind, count in seen.kills.items():
        print(f"{f'kill -9 of a {kind}':24} {count:6}")
    for outcome, count in seen.results.outcomes().most_common():
        print(f"{outcome:24} {count:6}")
    print(f"{'missing':24} {seen.sent - len(seen.results.results):6}")
    print(f"{'classified twice':24} {seen.results.duplicates:6}")
    print(f"the lag came back to 0; {seen.seconds:.0f} s")


if __name__ == "__main__":
    main()
