"""What is broken, one by one, and which alerts are to fire: these, within their time, and no other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from deploy.observing.load import ImageHost
from deploy.observing.system import System

Fired = tuple[str, str]
"""Name and severity of an alert."""


@dataclass(frozen=True)
class Fault:
    """One thing that breaks; `must` fire within `within` seconds and clear within `clears` of its mending."""

    name: str
    break_it: Callable[[], Awaitable[None]]
    mend_it: Callable[[], Awaitable[None]]
    must: frozenset[Fired]
    may: frozenset[Fired] = field(default_factory=frozenset)
    """What is right too, by how long it lasts and how busy the machine is; each with a reason where it is declared."""
    within: float = 90.0
    clears: float = 120.0

    def pages(self) -> frozenset[Fired]:
        """Of those that must fire, the ones that somebody is told at once."""
        return frozenset(alert for alert in self.must if alert[1] == "page")


def page(*names: str) -> frozenset[Fired]:
    """Alerts that page."""
    return frozenset((name, "page") for name in names)


def ticket(*names: str) -> frozenset[Fired]:
    """Alerts that open a ticket."""
    return frozenset((name, "ticket") for name in names)


BUSY_MACHINE = ticket("EventLoopSlow")
"""Right at any time where others take the processor for ten seconds; of no fault of ours."""


def faults(system: System, host: ImageHost) -> list[Fault]:
    """All of them, in the order in which they are tried; the one with the longest memory comes last."""
    return [
        _image_host(host),
        _mail_server(system),
        _hanging_classifier(system),
        _classifiers(system),
        _kafka(system),
    ]


def together(*broken: Fault) -> Fault:
    """Break several things at once: the alerts of all of them, and no other."""

    async def break_it() -> None:
        for fault in broken:
            await fault.break_it()

    async def mend_it() -> None:
        for fault in broken:
            await fault.mend_it()

    return Fault(
        ", and ".join(fault.name for fault in broken),
        break_it,
        mend_it,
        frozenset().union(*(fault.must for fault in broken)),
        frozenset().union(*(fault.may for fault in broken)),
        max(fault.within for fault in broken),
        max(fault.clears for fault in broken),
    )


def _image_host(host: ImageHost) -> Fault:
    async def break_it() -> None:
        host.status = 500

    async def mend_it() -> None:
        host.status = 200

    return Fault("the image host answers 500", break_it, mend_it, ticket("ImageHostsFailing"))


def _mail_server(system: System) -> Fault:
    return Fault(
        "the mail server is stopped",
        lambda: system.stop("mailbox"),
        _starting(system, "mailbox"),
        page("MailServerAway"),
        # A mail in the dialog while the server ends may have been taken.
        may=ticket("MailsMayHaveDoubled"),
    )


def _hanging_classifier(system: System) -> Fault:
    async def break_it() -> None:
        system.halt("classifier")

    async def mend_it() -> None:
        system.resume("classifier")

    return Fault(
        "one of two classifiers hangs",
        break_it,
        mend_it,
        ticket("TargetDown"),
        # Its partitions go to the other one after its session has ended: 10 s, that is 10 minutes at this pace.
        may=page("ConsumerLagGrowing") | ticket("NotReady"),
    )


def _classifiers(system: System) -> Fault:
    return Fault(
        "all classifiers are stopped",
        lambda: system.stop("classifier"),
        _starting(system, "classifier"),
        page("ServiceDown", "GroupWithoutMembers", "ConsumerLagGrowing") | ticket("TargetDown"),
    )


def _kafka(system: System) -> Fault:
    return Fault(
        "Kafka is stopped",
        lambda: system.stop("kafka"),
        _starting(system, "kafka"),
        page("KafkaUnreachable", "SubmissionsErrorBudgetBurn") | ticket("SubmissionsErrorBudgetBurn", "NotReady"),
        # Processes may end themselves and be started again; groups gather anew when it is back; a mail that was in
        # the dialog with the server has no place where its sending could be recorded.
        may=page("ServiceDown", "GroupWithoutMembers", "ConsumerLagGrowing")
        | ticket("TargetDown", "Restarting", "MailsMayHaveDoubled"),
        within=120.0,
        # The ticket looks back over six hours: six minutes at this pace.
        clears=600.0,
    )


def _starting(system: System, part: str) -> Callable[[], Awaitable[None]]:
    async def start() -> None:
        system.start(part)

    return start
