"""Images: how many, how long, and whose fault it is when they fail."""

from typing import Final

from deploy.watching.panels import Dashboard, Panel, Query, Row, quantiles, rate, seen_rate

_IMAGES: Final = "huestream_classifier_images_total"
_FAILED: Final = seen_rate(_IMAGES, "outcome", 'outcome!="succeeded"')
_SUCCEEDED: Final = rate(_IMAGES, where='outcome="succeeded"')

CLASSIFIER: Final = Dashboard(
    uid="huestream-classifier",
    title="huestream / Classifier",
    description="Images: how many, how long each step takes, and whose fault it is when they fail.",
    rows=(
        Row(
            "Images",
            (
                Panel(
                    title="Images, by process",
                    description="Images ended a second, by each classifier.",
                    unit="ops",
                    queries=(Query(rate(_IMAGES, "instance"), "{{instance}}"),),
                    kind="stacked",
                ),
                Panel(
                    title="Failed, by code",
                    description="Images that ended with an error, a second. fetch_…: their hosts; image_…, "
                    "decode_…: the files; "
                    "internal: ours.",
                    unit="ops",
                    queries=(Query(_FAILED, "{{outcome}}"),),
                    kind="stacked",
                    empty="no image failed",
                ),
                Panel(
                    title="Succeeded",
                    description="Share of the images that were classified.",
                    unit="percentunit",
                    queries=(Query(f"{_SUCCEEDED} / {rate(_IMAGES)}", "succeeded"),),
                    most=1,
                ),
                Panel(
                    title="In flight",
                    description="Images being fetched or analyzed now, by process. HUESTREAM_IN_FLIGHT bounds it.",
                    unit="short",
                    queries=(Query("huestream_classifier_images_in_flight", "{{instance}}"),),
                    width=6,
                ),
                Panel(
                    title="Memory of images held",
                    description="Bytes of images that were fetched and wait for a decoder, or for a repeat of "
                    "their URL.",
                    unit="bytes",
                    queries=(Query("huestream_classifier_image_memory_bytes", "{{instance}}"),),
                    width=6,
                ),
                Panel(
                    title="Repeats",
                    description="Images that did not have to be fetched again: the same URL was in work, or just "
                    "had been.",
                    unit="ops",
                    queries=(Query(rate("huestream_classifier_repeats_total"), "repeats"),),
                    width=6,
                ),
                Panel(
                    title="Kinds of error, in all",
                    description="Images that ended with an error within the time shown, by code.",
                    unit="short",
                    queries=(
                        Query(
                            f'sort_desc(sum by (outcome) (increase({_IMAGES}{{outcome!="succeeded"}}[$__range])) > 0)',
                            "{{outcome}}",
                        ),
                    ),
                    kind="bars",
                    width=6,
                    decimals=0,
                    empty="no image failed",
                ),
            ),
        ),
        Row(
            "Fetching",
            (
                Panel(
                    title="Time to fetch",
                    description="One image, with waiting for its host's turn and with retries.",
                    unit="s",
                    queries=quantiles("huestream_classifier_fetch_seconds"),
                    width=6,
                ),
                Panel(
                    title="Bytes fetched",
                    description="Bytes of images read from hosts, a second.",
                    unit="Bps",
                    queries=(Query(rate("huestream_classifier_fetched_bytes_total"), "bytes"),),
                    width=6,
                ),
                Panel(
                    title="Tried again",
                    description="Fetches that were tried again, a second: hosts that are overloaded or away.",
                    unit="ops",
                    queries=(Query(rate("huestream_classifier_fetch_retries_total"), "retries"),),
                    width=6,
                ),
                Panel(
                    title="Addresses refused",
                    description="Addresses of image hosts that were not connected to: not of the public web. "
                    "Somebody tries.",
                    unit="ops",
                    queries=(Query(rate("huestream_classifier_refused_addresses_total"), "refused"),),
                    width=6,
                ),
            ),
        ),
        Row(
            "Decoding",
            (
                Panel(
                    title="Time to decode and analyze",
                    description="One image, as its decoder took it.",
                    unit="s",
                    queries=quantiles("huestream_classifier_decode_seconds"),
                ),
                Panel(
                    title="Time until a decoder is free",
                    description="A fetched image waits so long. Seconds here: more decoders, or more classifiers.",
                    unit="s",
                    queries=quantiles("huestream_classifier_decoder_wait_seconds"),
                ),
                Panel(
                    title="Decoders ended, by reason",
                    description="crashed and too_slow: hostile or huge images; recycled: their time was up. All "
                    "are replaced.",
                    unit="ops",
                    queries=(Query(rate("huestream_classifier_decoder_ends_total", "reason"), "{{reason}}"),),
                ),
                Panel(
                    title="Processor of decoders",
                    description="Cores used by all decoding processes, by classifier.",
                    unit="short",
                    queries=(
                        Query(rate("huestream_classifier_decoder_cpu_seconds_total", "instance"), "{{instance}}"),
                    ),
                    decimals=2,
                ),
                Panel(
                    title="Memory of decoders",
                    description="Resident memory of all decoding processes, by classifier.",
                    unit="bytes",
                    queries=(Query("huestream_classifier_decoder_resident_memory_bytes", "{{instance}}"),),
                ),
                Panel(
                    title="Processor time of an image",
                    description="Processor time of classifiers and decoders, by images ended. What an image costs.",
                    unit="s",
                    queries=(
                        Query(
                            '(sum(rate(process_cpu_seconds_total{job="huestream-classifier"}[$__rate_interval]))'
                            f" + {rate('huestream_classifier_decoder_cpu_seconds_total')}) / {rate(_IMAGES)}",
                            "an image",
                        ),
                    ),
                ),
            ),
        ),
    ),
)
