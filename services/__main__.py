"""The command line: what can be run, one noun or verb each.

A command's module is imported only when the command is chosen, so that none pays for the libraries of the others.
"""

import argparse
import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from services.runtime.settings import ServiceSettings

SERVICES: Final = {
    "ingest": "run the HTTP endpoint",
    "classifier": "run a classifier",
    "reporter": "run a reporter",
}
SEVERAL: Final = frozenset({"classifier"})
"""Services that run as several processes under one parent where that is asked for."""
COMMANDS: Final = {
    "local": ("services.local.command", "run everything on this machine, around a real Kafka"),
    "demo": ("services.demo.command", "show the main job, from drawn product pictures to the mail"),
    "submit": ("services.submit.command", "submit a catalog to a running endpoint and follow it"),
    "analyze": ("services.analyze.command", "find the colors of image files of this machine, without Kafka"),
    "topics": ("services.administration.topics", "create, list or check the Kafka topics"),
    "keys": ("services.administration.keys", "issue, list, show, revoke or rotate API keys"),
    "rights": ("services.administration.rights", "list or grant what each user of Kafka may do"),
    "settings": ("services.administration.settings", "write the reference of all settings"),
    "health": ("services.administration.health", "ask a running service how it is, for health checks"),
    "sbom": ("services.administration.sbom", "list what this installation is made of, as CycloneDX"),
    "schemas": ("services.administration.schemas", "write the published JSON Schemas"),
    "dead-letters": ("services.administration.dead_letters", "list what could not be decoded or delivered"),
}
TOOLS: Final[Mapping[tuple[str, ...], tuple[str, str]]] = {
    ("reporter", "preview"): ("services.reporter.preview", "write the mail of an example report, to look at"),
}
"""What a service can do beside running."""


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="huestream", description="Classifies the colors of product images, as a stream over Apache Kafka."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in SERVICES.items():
        command = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == "reporter":
            command.add_argument("--check", action="store_true", help="say whether all that it needs is there, and end")
        if name == chosen:
            _describe_settings(command, name)
            if name in SEVERAL:
                number = importlib.import_module("services.runtime.processes").several
                command.add_argument("--processes", type=number, default=1, metavar="N", help="run N consumers")
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == chosen:
            importlib.import_module(module).configure(command)
    return parser


def _describe_settings(command: argparse.ArgumentParser, service: str) -> None:
    command.description = f"{SERVICES[service][0].upper()}{SERVICES[service][1:]}, configured by the environment."
    command.epilog = _settings_of(service).describe()


def _settings_of(service: str) -> "type[ServiceSettings]":
    module = importlib.import_module(f"services.{service}.settings")
    settings: type[ServiceSettings] = getattr(module, f"{service.title()}Settings")
    return settings


def _unknown_setting() -> str:
    """Say which environment variable with our prefix means nothing; empty when all do."""
    reference = importlib.import_module("services.administration.settings")
    try:
        reference.refuse_unknown()
    except importlib.import_module("services.runtime.settings").SettingsError as error:
        return str(error)
    return ""


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Import a command without looking for garbage, which modules are not, and leave them out of later looks."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that was asked for; returns its exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    with _without_collecting():
        run = _tool(TOOLS[tool], words) if (tool := tuple(words[:2])) in TOOLS else _command(words)
    return int(run())


def _tool(tool: tuple[str, str], words: Sequence[str]) -> Callable[[], Any]:
    module, summary = importlib.import_module(tool[0]), tool[1]
    parser = argparse.ArgumentParser(
        prog=f"huestream {' '.join(words[:2])}", description=f"{summary[0].upper()}{summary[1:]}."
    )
    module.configure(parser)
    return partial(module.run, parser.parse_args(words[2:]))


def _command(words: Sequence[str]) -> Callable[[], Any]:
    chosen = next((word for word in words if not word.startswith("-")), None)
    parsed = _parser(chosen).parse_args(words)
    if parsed.command not in SERVICES:
        return partial(importlib.import_module(COMMANDS[parsed.command][0]).run, parsed)
    if refused := _unknown_setting():
        return partial(_refuse, refused)
    return _service(parsed)


def _service(parsed: argparse.Namespace) -> Callable[[], Any]:
    if getattr(parsed, "processes", 1) > 1:
        run_processes = importlib.import_module("services.runtime.processes").run_processes
        return partial(run_processes, parsed.command, parsed.processes, _settings_of(parsed.command))
    module = "checking" if getattr(parsed, "check", False) else "main"
    run: Callable[[], Any] = importlib.import_module(f"services.{parsed.command}.{module}").run
    return run


def _refuse(reason: str) -> int:
    sys.stderr.write(f"huestream: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
