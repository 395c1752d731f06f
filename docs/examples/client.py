"""Submit a batch over HTTP with the Python client, and print what its labels should be.

    python client.py ENDPOINT API_KEY < items.json

`items.json` is an array of 1 to 250 objects as the endpoint takes them.
"""

import json
import sys

from huestream import Client, HuestreamError


def main() -> None:
    endpoint, key = sys.argv[1:]
    try:
        with Client(endpoint, key) as client:
            batch = client.submit(json.load(sys.stdin))
            results = client.results(batch.inference_id, wait=True)
    except HuestreamError as error:
        sys.exit(str(error))
    for result in results:
        found = result.classification
        if found is None or found.label is None:
            print(result.index, result.error.code if result.error else "no label")
        else:
            print(result.index, found.label.verdict, found.label.suggested_hex, found.label.suggested_name)


if __name__ == "__main__":
    main()
