"""`make observe`: the whole system under steady load, watched by a real Prometheus, and broken part by part."""
