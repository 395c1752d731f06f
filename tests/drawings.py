"""The demo's products, each drawn once for all tests of a process: one takes a processor for a third of a second."""

from functools import cache

from services.demo.offer import Product, drawn


@cache
def drawing(product: Product) -> bytes:
    return drawn(product)
