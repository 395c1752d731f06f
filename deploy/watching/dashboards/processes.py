"""Rows of the overview about the processes that run."""

from typing import Final

from deploy.watching.panels import BAD, GOOD, Panel, Query, Row, Step, quantile

PROCESSES: Final = Row(
    "Processes",
    (
        Panel(
            title="Up",
            description="Processes that Prometheus can scrape, by service.",
            unit="short",
            queries=(Query('sum by (job) (up{job=~"huestream-.*"})', "{{job}}"),),
            width=6,
        ),
        Panel(
            title="Ready",
            description="Health probes by process, 1 for success. Ready: Kafka, partitions and tables are there.",
            unit="short",
            queries=(Query('huestream_probe_success{probe="readiness"}', "{{job}} {{instance}}"),),
            width=6,
            most=1,
            steps=(Step(None, BAD), Step(1, GOOD)),
        ),
        Panel(
            title="Processor",
            description="Cores used by each process; for classifiers without their decoders, which their own page has.",
            unit="short",
            queries=(
                Query(
                    'sum by (job, instance) (rate(process_cpu_seconds_total{job=~"huestream-.*"}[$__rate_interval]))',
                    "{{job}} {{instance}}",
                ),
            ),
            width=6,
            decimals=2,
        ),
        Panel(
            title="Memory",
            description="Resident memory of each process.",
            unit="bytes",
            queries=(Query('process_resident_memory_bytes{job=~"huestream-.*"}', "{{job}} {{instance}}"),),
            width=6,
        ),
        Panel(
            title="Event loop lag, p99",
            description="How late a process comes to a call that is due. More than some tenths: it computes, or "
            "starves.",
            unit="s",
            queries=(
                Query(quantile(0.99, "huestream_event_loop_lag_seconds", "job, instance"), "{{job}} {{instance}}"),
            ),
            width=6,
        ),
        Panel(
            title="File descriptors",
            description="Open descriptors as a share of the limit.",
            unit="percentunit",
            queries=(
                Query(
                    'process_open_fds{job=~"huestream-.*"} / process_max_fds{job=~"huestream-.*"}',
                    "{{job}} {{instance}}",
                ),
            ),
            width=6,
        ),
        Panel(
            title="Uptime",
            description="Time since each process began.",
            unit="s",
            queries=(Query('time() - process_start_time_seconds{job=~"huestream-.*"}', "{{job}} {{instance}}"),),
            width=6,
        ),
        Panel(
            title="Versions",
            description="What runs: version, and a hash of the settings. Two hashes of one service: a change is "
            "under way.",
            unit="short",
            queries=(
                Query(
                    "count by (job, version, config_hash) (huestream_build_info)", "{{job}} {{version}} {{config_hash}}"
                ),
            ),
            kind="table",
            width=6,
        ),
    ),
)
