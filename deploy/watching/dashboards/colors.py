"""What is answered: drift of catalogs, hosts or the model becomes visible here."""

from typing import Final

from deploy.watching.panels import BAD, GOOD, WARN, Dashboard, Panel, Query, Row, Step, quantile, rate

_FAMILIES: Final = (
    ("black", "#3a3d42"),
    ("white", "#f3f2ee"),
    ("gray", "#9aa0a6"),
    ("red", "#d5323f"),
    ("orange", "#ef8a2b"),
    ("yellow", "#f2cf3b"),
    ("green", "#3f9d57"),
    ("blue", "#3d74d6"),
    ("purple", "#8553c2"),
    ("pink", "#ec8fb4"),
    ("brown", "#7c5234"),
    ("beige", "#d9c5a0"),
)
_CLASSIFIED: Final = 'sum(rate(huestream_classifier_images_total{outcome="succeeded"}[$__rate_interval]))'
_LABELED: Final = rate("huestream_classifier_labels_total", where='verdict!="none"')
_DISAGREEING: Final = rate("huestream_classifier_labels_total", where='verdict="disagree"')


def _share(metric: str, by: str = "", where: str = "") -> str:
    return f"{rate(metric, by, where)} / {'on () group_left () ' if by else ''}{_CLASSIFIED}"


COLORS: Final = Dashboard(
    uid="huestream-colors",
    title="huestream / Colors",
    description="What is answered, as shares of the images classified: drift of catalogs, hosts or the model "
    "shows here.",
    rows=(
        Row(
            "Answers",
            (
                Panel(
                    title="To be looked at",
                    description="Share of the images that a person should look at.",
                    unit="percentunit",
                    queries=(Query(_share("huestream_classifier_reviews_total"), "to review"),),
                    kind="stat",
                    width=6,
                    height=5,
                    decimals=1,
                    most=1,
                    steps=(Step(None, GOOD), Step(0.3, WARN), Step(0.6, BAD)),
                ),
                Panel(
                    title="Labels that disagree",
                    description="Share of the labels sent that are another color than the product.",
                    unit="percentunit",
                    queries=(Query(f"{_DISAGREEING} / {_LABELED}", "disagree"),),
                    kind="stat",
                    width=6,
                    height=5,
                    decimals=1,
                    most=1,
                    steps=(Step(None, GOOD), Step(0.3, WARN), Step(0.6, BAD)),
                ),
                Panel(
                    title="Median confidence",
                    description="Half of the answers are at least so likely to be acceptable.",
                    unit="percentunit",
                    queries=(Query(quantile(0.5, "huestream_classifier_confidence_ratio"), "median"),),
                    kind="stat",
                    width=6,
                    height=5,
                    decimals=0,
                    most=1,
                    steps=(Step(None, BAD), Step(0.4, WARN), Step(0.6, GOOD)),
                ),
                Panel(
                    title="Images classified",
                    description="Images a second that these shares are of.",
                    unit="ops",
                    queries=(Query(_CLASSIFIED, "classified"),),
                    kind="stat",
                    width=6,
                    height=5,
                    decimals=1,
                ),
            ),
        ),
        Row(
            "Families and labels",
            (
                Panel(
                    title="Families, over time",
                    description="Images a second by the family of their color.",
                    unit="ops",
                    queries=(Query(rate("huestream_classifier_families_total", "family"), "{{family}}"),),
                    kind="stacked",
                    width=12,
                    height=9,
                    colors=_FAMILIES,
                ),
                Panel(
                    title="Families, shares",
                    description="Share of each family in the time shown.",
                    unit="percentunit",
                    queries=(
                        Query(
                            "sort_desc(sum by (family) (increase(huestream_classifier_families_total[$__range])) "
                            "/ on () group_left () sum(increase(huestream_classifier_families_total[$__range])))",
                            "{{family}}",
                        ),
                    ),
                    kind="bars",
                    width=12,
                    height=9,
                    decimals=1,
                    colors=_FAMILIES,
                ),
                Panel(
                    title="Labels, by verdict",
                    description="agree, near, disagree: how the customer's label compares with the product. "
                    "none: no label sent.",
                    unit="percentunit",
                    queries=(Query(_share("huestream_classifier_labels_total", "verdict"), "{{verdict}}"),),
                    kind="stacked",
                    most=1,
                    colors=(("agree", GOOD), ("near", WARN), ("disagree", BAD), ("none", "#8a93a3")),
                ),
                Panel(
                    title="Reasons to look",
                    description="Share of the images with each reason for a person to look; an image may have several.",
                    unit="percentunit",
                    queries=(Query(_share("huestream_classifier_review_reasons_total", "reason"), "{{reason}}"),),
                ),
                Panel(
                    title="Confidence",
                    description="Tenth, half and nine tenths of the answers are below these probabilities of "
                    "being acceptable.",
                    unit="percentunit",
                    queries=tuple(
                        Query(quantile(q, "huestream_classifier_confidence_ratio"), f"p{q * 100:g}")
                        for q in (0.1, 0.5, 0.9)
                    ),
                    most=1,
                ),
            ),
        ),
    ),
)
