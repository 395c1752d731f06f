"""What is to fire when something breaks is an alert that there is, and what a run saw is judged rightly."""

from deploy.observing.faults import Fault, faults, page, ticket, together
from deploy.observing.load import ImageHost
from deploy.observing.running import Plan, chosen
from deploy.observing.system import System
from deploy.observing.trying import Seen
from deploy.watching.alerts import alerts
from deploy.watching.pace import PRODUCTION
from services.local.stack import Layout


async def nothing() -> None:
    pass


def all_faults(tmp_path: object) -> list[Fault]:
    layout = Layout(tmp_path, 1, 2, 3, ((4, 5),), {})  # type: ignore[arg-type]
    return faults(System(layout, {}), ImageHost({}))


def test_the_four_that_were_promised_are_tried(tmp_path: object) -> None:
    names = " ".join(fault.name for fault in all_faults(tmp_path))
    for word in ("mail server", "classifiers are stopped", "answers 500", "Kafka is stopped"):
        assert word in names


def test_what_must_or_may_fire_exists(tmp_path: object) -> None:
    known = {(alert.name, alert.severity) for alert in alerts(PRODUCTION)}
    for fault in all_faults(tmp_path):
        assert fault.must
        assert fault.must | fault.may <= known
        assert not fault.must & fault.may


def test_a_short_run_breaks_two_things_at_once(tmp_path: object) -> None:
    [broken] = chosen(all_faults(tmp_path), Plan(short=True))
    assert broken.must == ticket("ImageHostsFailing") | page("MailServerAway")


def seen(**found: object) -> Seen:
    fault = Fault("it", nothing, nothing, page("ServiceDown"), ticket("TargetDown"), clears=60)
    right = {"fired": {("ServiceDown", "page"): 3.0}, "cleared": {("ServiceDown", "page"): 4.0}}
    told = {"notified": {("ServiceDown", "page")}, "resolved": {("ServiceDown", "page")}}
    return Seen(fault, **(right | told | found))  # type: ignore[arg-type]


def test_a_run_is_right_when_what_must_fire_does_and_clears() -> None:
    assert seen().wrong() == []
    assert seen(fired={("ServiceDown", "page"): 3.0, ("TargetDown", "ticket"): 9.0}).wrong() == []


def test_a_run_is_wrong_when_an_alert_is_missing_too_many_too_late_or_told_to_nobody() -> None:
    assert seen(fired={}).wrong() == ["it: ServiceDown (page) did not fire"]
    others = {("ServiceDown", "page"): 3.0, ("DeadLetters", "ticket"): 5.0}
    assert seen(fired=others).wrong() == ["it: DeadLetters (ticket) fired, and should not"]
    late = {("ServiceDown", "page"): 61.0}
    assert seen(cleared=late).wrong() == ["it: ServiceDown (page) did not clear within 60 s"]
    assert seen(notified=set(), resolved=set()).wrong() == ["it: nobody was told of ServiceDown"]
    assert seen(resolved=set()).wrong() == ["it: nobody was told that ServiceDown is over"]


async def test_breaking_together_breaks_and_mends_all() -> None:
    done: list[str] = []

    def fault(name: str) -> Fault:
        async def break_it() -> None:
            done.append(f"break {name}")

        async def mend_it() -> None:
            done.append(f"mend {name}")

        return Fault(name, break_it, mend_it, ticket(name), within=len(name))

    both = together(fault("a"), fault("bb"))
    await both.break_it()
    await both.mend_it()
    assert done == ["break a", "break bb", "mend a", "mend bb"]
    assert both.must == ticket("a", "bb")
    assert both.within == 2
