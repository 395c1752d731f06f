"""What odd, broken and hostile image files do to a running classifier.

    python -m benchmarks.hostile_images --corpus DIR

DIR holds files and a manifest.csv whose column `file` names them; bombs that are generated come on top. Each goes
through the whole service, on a real Kafka of its own, one at a time: seconds are from its record to its result. Memory
is the most that a process ever had resident.
"""

import argparse
import tempfile
from pathlib import Path

from services.local.folders import user_data_folder
from services.local.kafka.jars import ensure_jars
from tests.classifier.hostile_images import Seen, files, run
from tests.kafka_fixtures import running_kafka


def show(seen: Seen, sizes: dict[str, int]) -> None:
    for outcome, count in seen.outcomes.most_common():
        print(f"{outcome:28} {count:6}")
    print(f"{'in all':28} {sum(seen.outcomes.values()):6}")
    print("\nslowest                                            seconds     bytes  outcome")
    for name, seconds in sorted(seen.seconds.items(), key=lambda item: -item[1])[:8]:
        print(f"{name[-48:]:50} {seconds:7.2f} {sizes[name]:9}  {seen.unlike_classified.get(name, 'succeeded')}")
    print()
    for name, megabytes in seen.peak_megabytes.items():
        print(f"peak of the {name:16} {megabytes:6.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    contents = files(parser.parse_args().corpus)
    with tempfile.TemporaryDirectory(prefix="huestream-bench-", ignore_cleanup_errors=True) as name:
        jars = ensure_jars(user_data_folder() / "jars", lambda *_: None)
        with running_kafka(Path(name), jars) as kafka:
            seen = run(kafka.bootstrap, Path(name), contents)
    show(seen, {name: len(content) for name, content in contents.items()})


if __name__ == "__main__":
    main()
