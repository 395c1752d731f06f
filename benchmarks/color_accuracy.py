"""How often the colors are right, on photos that people labeled, beside open tools on the same photos.

    python benchmarks/color_accuracy.py --data ../shared/color-dev

A family is *acceptable* if it is one of the families that the labels allow, *strict* if it is the first of them. The
peers' first color is named twice: by the XKCD color survey, and as huestream names a label; "filter" is
what a user would add, the first color with a channel under 235. Their answers are kept, so that a second run is quick.
What a training held out (--answers) counts in place of the shipped model's answers; without it the figures of sets
that are "seen in training" flatter, and so, a little, do confidence, label verdict and multicolor on `mixed`, on which
their few numbers are fitted.
"""

import argparse
import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from color_answers import held_out_answers, without_type
from color_sets import GARMENTS, SETS, Photo, read_set
from color_told import (
    FAMILIES,
    NAMINGS,
    Told,
    acceptable,
    label_scores,
    labels_judged,
    multicolor_area,
    recall_by_family,
    strict,
    told_by_peer,
    told_by_us,
)
from goals import Measure, goals_table, table
from peers import PEERS, answers
from scores import at_coverage, calibration_error, margin, mean

PeersTold = dict[tuple[str, str, bool], dict[str, list[Told]]]
"""By peer, naming and whether the filter was used: what was told of each set."""
COVERAGES = (0.5, 0.8, 0.9)
PEERS_EVERY = 5
ENOUGH = 10
"""Photos of a family or kind below which its share says little."""


def set_rows(told: Mapping[str, Sequence[Told]]) -> Iterable[Sequence[object]]:
    for name, members in told.items():
        right, sure = [each.is_acceptable for each in members], [each.confidence for each in members]
        covered = [at_coverage(right, sure, share) for share in COVERAGES]
        seen = "yes" if any(each.is_seen for each in members) else "no"
        within = f"{mean(right):.3f} ± {margin(right):.3f}"
        yield name, len(members), seen, within, strict(members), *covered, calibration_error(right, sure)


def kind_rows(told: Mapping[str, Sequence[Told]]) -> Iterable[Sequence[object]]:
    for name, members in told.items():
        for kind, count in Counter(each.photo.kind for each in members).most_common():
            of_kind = [each for each in members if each.photo.kind == kind]
            if count >= ENOUGH:
                yield name, kind, count, acceptable(of_kind), strict(of_kind)


def family_rows(told: Mapping[str, Sequence[Told]]) -> Iterable[Sequence[object]]:
    recalls = {name: recall_by_family(members) for name, members in told.items()}
    for family in FAMILIES:
        yield family, *(_recall(recalls[name].get(family)) for name in told)


def _recall(found: tuple[float, int] | None) -> str:
    return f"{found[0]:.2f} ({found[1]})" if found else "-"


def sampled(name: str, members: Sequence[Photo]) -> Sequence[Photo]:
    """The photos of a set that the peers are asked about: some are slow, and the largest set is simple."""
    return members[::PEERS_EVERY] if name == "fashion-small" else members


def peers_told(photos: Mapping[str, Sequence[Photo]], cache: Path) -> PeersTold:
    """What each peer tells of each set, by naming, without and with the filter."""
    found: PeersTold = {}
    for peer in PEERS:
        colors = answers(peer, [photo for members in photos.values() for photo in members], cache)
        for naming in NAMINGS:
            for filtered in (False, True):
                found[peer, naming, filtered] = {
                    name: told_by_peer(members, colors, naming, filtered=filtered) for name, members in photos.items()
                }
    return found


def peer_rows(ours: Mapping[str, Sequence[Told]], told: PeersTold) -> Iterable[Sequence[object]]:
    asked = {name: {each.photo.key for each in members} for name, members in next(iter(told.values())).items()}
    same = {name: [each for each in members if each.photo.key in asked[name]] for name, members in ours.items()}
    yield "**huestream**", "-", "-", *map(_shares, same.values())
    for (peer, naming, filtered), sets in told.items():
        yield peer, naming, "yes" if filtered else "-", *map(_shares, sets.values())


def _shares(told: Sequence[Told]) -> str:
    return f"{acceptable(told):.3f} / {strict(told):.3f}"


def goals(told: Mapping[str, Sequence[Told]], label: tuple[float, float], peers: PeersTold) -> list[Measure]:
    """The goals that are measured here, in the order of the sets that were asked for."""
    found = []
    if mixed := told.get("mixed"):
        found += mixed_goals(mixed, label)
        if peers:
            lead = acceptable(mixed) - best_of_peers(peers)
            found.append(Measure("ahead of the best peer with a filter (XKCD names)", lead, 0.28, 0.34))
    for name, must, aim in (("fashion-large", 0.75, 0.82), ("electronics", 0.69, 0.77), ("fashion-small", 0.75, 0.79)):
        if members := told.get(name):
            seen = " (seen in training)" if any(each.is_seen for each in members) else ""
            found.append(Measure(f"`{name}`, seller labels: strict{seen}", strict(members), must, aim))
    return found


def mixed_goals(mixed: Sequence[Told], label: tuple[float, float]) -> list[Measure]:
    right, sure = [each.is_acceptable for each in mixed], [each.confidence for each in mixed]
    tops = [each for each in mixed if each.photo.kind == "tops"]
    goods = [each for each in mixed if each.photo.kind not in GARMENTS]
    worst = min(share for share, count in recall_by_family(mixed).values() if count >= ENOUGH)
    return [
        Measure("`mixed`: family acceptable", acceptable(mixed), 0.88, 0.94),
        Measure("`mixed`: strict primary", strict(mixed), 0.81, 0.88),
        Measure("its tops", acceptable(tops), 0.86, 0.95),
        Measure("its goods without people", acceptable(goods), 0.86, 0.93),
        Measure(f"worst family with {ENOUGH} or more photos", worst, 0.72, 0.88),
        Measure("accuracy at 80 % coverage", at_coverage(right, sure, 0.8), 0.95, 0.985),
        Measure("ECE", calibration_error(right, sure), 0.08, 0.04, lower_is_better=True),
        Measure("label verdict, AUC", label[0], 0.94, 0.98),
        Measure("label verdict, balanced accuracy", label[1], 0.87, 0.93),
        Measure("multicolor, AUC", multicolor_area(mixed), 0.84, 0.92),
    ]


def best_of_peers(told: PeersTold) -> float:
    """The best share on `mixed` of a tool with the filter, under the names that a user of it has: not ours."""
    shares = [
        acceptable(sets["mixed"]) for (_, naming, filtered), sets in told.items() if filtered and naming == "XKCD"
    ]
    return max(shares)


def write_errors(path: Path, told: Iterable[Told]) -> None:
    wrong = sorted((each for each in told if not each.is_acceptable), key=lambda each: -each.confidence)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", "product_type", "told", "confidence", "acceptable"))
        for each in wrong:
            acceptable_names = " ".join(sorted(each.photo.acceptable))
            writer.writerow((each.photo.key, each.photo.product_type, each.family, each.confidence, acceptable_names))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/color-dev")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--answers", type=Path, help="JSON lines that a training wrote for photos that it held out")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/huestream-benchmarks/peers")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--errors", type=Path, help="write what was told wrong, the surest first, as CSV")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def section(title: str, content: str) -> None:
    print(f"\n## {title}\n\n{content}")


def print_tables(told: Mapping[str, Sequence[Told]], withheld: Mapping[str, Sequence[Told]], peers: PeersTold) -> None:
    covered = [f"at {share:.0%} coverage" for share in COVERAGES]
    header = ("set", "photos", "seen in training", "acceptable", "strict", *covered, "ECE")
    section("Sets", table(header, set_rows({**told, **withheld})))
    section("Kinds of photos", table(("set", "kind", "photos", "acceptable", "strict"), kind_rows(told)))
    recalls = table(("family", *told), family_rows(told))
    section("Recall by family: acceptable answers among photos of the family (photos)", recalls)
    if peers:
        shares = table(("peer", "names", "filter", *told), peer_rows(told, peers))
        section(f"Peers: acceptable / strict, of `fashion-small` on every {PEERS_EVERY}th photo", shares)


def main() -> None:
    arguments = _arguments()
    photos = {name: read_set(arguments.data, name) for name in arguments.sets}
    held_out = held_out_answers(arguments.answers) if arguments.answers else {}
    told = {name: told_by_us(members, held_out, arguments.processes) for name, members in photos.items()}
    if arguments.errors:
        write_errors(arguments.errors, [each for members in told.values() for each in members])
    asked = {name: sampled(name, members) for name, members in photos.items()}
    peers = {} if arguments.no_peers else peers_told(asked, arguments.cache)
    mixed, withheld, label = photos.get("mixed"), {}, (0.0, 0.0)
    if mixed:
        withheld["mixed, type withheld"] = told_by_us(without_type(mixed), {}, arguments.processes)
        label = label_scores(*labels_judged(mixed, arguments.processes))
    section("Goals", goals_table(goals(told, label, peers)))
    print_tables(told, withheld, peers)


if __name__ == "__main__":
    main()
