"""Sends hostile URLs through a whole classifier in production mode, inside a sealed network; prints what was seen.

unshare --net --mount python -m tests.classifier.sealed.hostile_urls FOLDER JARS_FOLDER SHARED_HOSTILE_FOLDER
"""

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import quote

from services.local.kafka.jars import ensure_jars
from tests.classifier.running import classifier, prepare, results_of, send, submitted
from tests.classifier.sealed.internet import internet
from tests.classifier.sealed.namespace import seal
from tests.kafka_fixtures import running_kafka

PORTS = (80, 443, 22, 2375, 2379, 5000, 6379, 8000, 8080, 8443, 9090, 9200)
NAMES = ("inside", "metadata", "mixed", "private", "mapped", "v6only", "none", "slow", "good")
MORE = (
    "http://127.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://127\u30020\u30020\u30021/",
    "http://[fe80::1%25lo]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://0/",
    "http://good.example:8\uff10/",
    "http://good.example:22/",
    "http://good.example:0/",
)


def urls(hostile: Path) -> list[str]:
    """All hostile URLs, each straight and as the target of a redirect."""
    addresses = [entry["ip"] for entry in json.loads((hostile / "addresses.json").read_text())]
    cases = json.loads((hostile / "wpt-urltestdata.json").read_text())
    straight = [
        *(
            f"http://[{address.replace('%', '%25')}]/" if ":" in address else f"http://{address}/"
            for address in addresses
        ),
        *json.loads((hostile / "ssrf-urls.json").read_text()),
        *(case["input"] for case in cases if isinstance(case, dict)),
        *(f"http://{name}.example/" for name in NAMES),
        *(f"http://rebind{number}.example/" for number in range(20)),
        *MORE,
    ]
    redirects = [f"http://good.example/to/{quote(url.encode('utf-8', 'surrogatepass'), safe='')}" for url in straight]
    return [*straight, *(url for url in redirects if len(url) <= 2048)]


def send_all(servers: str, found: list[str], folder: Path) -> dict[str, object]:
    asyncio.run(prepare(servers))
    events = submitted(found, "hostile")
    with internet(PORTS) as (names, hosts), classifier(servers, folder) as process:
        asyncio.run(send(servers, events))
        results = asyncio.run(results_of(servers, len(events), 240))
        return {
            "sent": len(events),
            "outcomes": results.outcomes(),
            "dead_letters": results.dead_letters,
            "by_url": {
                result.image_path: result.error.code if result.error else "succeeded"
                for result in results.results.values()
            },
            "reached": [[address, port, count] for (address, port), count in hosts.reached.items()],
            "names_asked": len(names.asked),
            "tracebacks": process.log_path.read_text().count("Traceback"),
        }


def main() -> None:
    folder, jars, hostile = (Path(text) for text in sys.argv[1:4])
    seal(folder)
    with running_kafka(folder, ensure_jars(jars, lambda *_: None)) as kafka:
        print(json.dumps(send_all(kafka.bootstrap, urls(hostile), folder)))  # noqa: T201  # the test reads it


if __name__ == "__main__":
    main()
