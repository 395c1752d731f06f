"""A typed client of huestream: `Client` for ordinary code, `AsyncClient` for asyncio; both do the same.

    with Client("https://huestream.example", key) as client:
        batch = client.submit([{"image_path": ..., "product_type": ..., "hex_color_label": ..., "category": ...}])
        for result in client.results(batch.inference_id, wait=True):
            ...

Errors:

    HuestreamError
    ├── EndpointError       nothing that answers like huestream is at the address
    ├── KeyRefusedError     the API key is wrong, or may not do this
    └── RefusedError        this one call is refused, and would be again
        └── GaveUpError     it was tried for as long as `Patience` allows
"""

from huestream.async_client import AsyncClient
from huestream.calls import Patience
from huestream.client import Client
from huestream.errors import EndpointError, GaveUpError, HuestreamError, KeyRefusedError, RefusedError
from huestream.values import Image, Status, Submission
from schemas.classification import Classification
from schemas.events import ItemError
from schemas.results import ResultItem

__all__ = [
    "AsyncClient",
    "Classification",
    "Client",
    "EndpointError",
    "GaveUpError",
    "HuestreamError",
    "Image",
    "ItemError",
    "KeyRefusedError",
    "Patience",
    "RefusedError",
    "ResultItem",
    "Status",
    "Submission",
]
