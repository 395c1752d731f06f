"""Previews show what Prometheus answered, on the dashboard's grid, and say what they are."""

import pytest

from deploy.observing.charts import Frame, Series, chart, color_of, stacked
from deploy.observing.numbers_shown import shown, ticks
from deploy.observing.preview import _points, name_of
from deploy.observing.preview_html import key, page
from deploy.watching.dashboards import DASHBOARDS
from deploy.watching.panels import BAD, GOOD, WARN, Panel, Query, rising
from tests.browser.chromium import chromium

TIMES = (1_000.0, 1_100.0)
WAVE = [(1_000.0 + 2 * step, float(step % 7)) for step in range(51)]


def data_of(dashboard: object, points: list[tuple[float, float]]) -> dict[str, list[Series]]:
    return {
        key(number, place): [Series("one", "#abcdef", points)]
        for number, row in enumerate(dashboard.rows)  # type: ignore[attr-defined]
        for place, _ in enumerate(row.panels)
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_a_page_has_every_panel_and_says_that_it_is_a_preview(dashboard: object) -> None:
    html = page(dashboard, data_of(dashboard, WAVE), TIMES, "A preview.")  # type: ignore[arg-type]
    assert html.count('class="panel"') == len(dashboard.panels)  # type: ignore[attr-defined]
    assert "A preview." in html
    assert "no data" not in html


def test_a_panel_without_data_says_so() -> None:
    dashboard = DASHBOARDS[0]
    html = page(dashboard, data_of(dashboard, []), TIMES, "")
    assert html.count("no data") + html.count("nothing fires") + html.count("nobody sent") == len(dashboard.panels)


def test_names_that_came_from_outside_are_text() -> None:
    dashboard = DASHBOARDS[1]
    data = {name: [Series("<script>", "#abcdef", WAVE)] for name in data_of(dashboard, WAVE)}
    assert "<script>" not in page(dashboard, data, TIMES, "")


async def test_a_page_fits_into_its_width_in_a_browser() -> None:
    dashboard = DASHBOARDS[0]
    async with chromium(width=1600) as context:
        drawn = await context.new_page()
        await drawn.set_content(page(dashboard, data_of(dashboard, WAVE), TIMES, "A preview."))
        assert await drawn.evaluate("document.documentElement.scrollWidth") <= 1600
        assert await drawn.locator(".panel").count() == len(dashboard.panels)


def test_values_lie_between_the_ends_of_the_frame() -> None:
    frame = Frame(400, 200, *TIMES, 0, 10)
    assert frame.x(1_000) < frame.x(1_050) < frame.x(1_100) < 400
    assert 0 < frame.y(10) < frame.y(5) < frame.y(0) < 200


def test_areas_stand_on_each_other() -> None:
    top, bottom = stacked([Series("a", "", [(1.0, 2.0)]), Series("b", "", [(1.0, 3.0)])])
    assert (top[0].name, top[0].points, top[1]) == ("b", [(1.0, 5.0)], [(1.0, 2.0)])
    assert (bottom[0].name, bottom[0].points, bottom[1]) == ("a", [(1.0, 2.0)], [(1.0, 0.0)])


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [5.0], [1e-9], [3e9, 1.0], [-1.0, 1.0]])
def test_any_series_can_be_drawn(values: list[float]) -> None:
    panel = Panel("t", "d", "s", (Query("x"),))
    points = [(1_000.0 + 10 * number, value) for number, value in enumerate(values)]
    assert "nan" not in chart(panel, [Series("s", "#abcdef", points)], TIMES, (300, 150))


def test_what_is_no_number_is_no_point() -> None:
    assert _points({"values": [[1, "NaN"], [2, "+Inf"], [3, "4.5"]]}) == [(3.0, 4.5)]


def test_colors_follow_the_steps() -> None:
    assert [color_of(value, rising(1, 10)) for value in (0, 1, 99)] == [GOOD, WARN, BAD]


def test_series_are_named_as_their_legend_says() -> None:
    labels = {"job": "huestream-ingest", "instance": "127.0.0.1:9464"}
    assert name_of(Query("x", "{{job}} {{instance}} {{nothing}}"), labels) == "ingest :9464 "


@pytest.mark.parametrize("unit", ["s", "bytes", "short", "percentunit"])
@pytest.mark.parametrize("most", [1e-6, 0.3, 7, 90, 5_000, 3e9])
def test_ticks_are_few_and_inside(unit: str, most: float) -> None:
    found = ticks(0, most, unit)
    assert 2 <= len(found) <= 6
    assert found[0] == 0
    assert found[-1] <= most * 1.000001
    assert len({shown(value, unit) for value in found}) == len(found)
