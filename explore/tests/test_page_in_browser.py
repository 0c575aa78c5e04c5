"""The page of a sweep in a browser: a question, a click, a link, the keyboard, files, no network.

Where Debian's Chromium and its driver are installed; else skipped with the reason.
"""

import csv
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.explore.condition import read_condition
from cimforge.explore.sweep_page import page_data, sweep_page
from cimforge.explore.tests.made_report import SWEEP, made_report

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None,
    reason="no chromium and chromedriver on PATH; install Debian's chromium and chromium-driver",
)

PLACE = """
const plot = document.getElementById('plot');
const traces = [...plot.querySelectorAll('.scatterlayer .trace')];
for (const [number, trace] of plot.data.entries()) {
  const place = (trace.customdata || []).indexOf(arguments[0]);
  if (place < 0) continue;
  const box = traces[number].querySelectorAll('.points path')[place].getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}
"""

FOLLOW = """
addEventListener('hashchange', () => arguments[1](), { once: true });
location.hash = `${arguments[0]}&now=${performance.now()}`;
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What the page shows."""
    return made_report(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator:
    """Chromium without a window, 1200 pixels wide; downloads go to its folder ``downloads``."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    folder = tmp_path_factory.mktemp("downloads")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    for option in ("headless", "no-sandbox", "disable-gpu", "window-size=1200,1400"):
        options.add_argument(f"--{option}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.downloads = folder
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def opened(browser, report, tmp_path_factory) -> "Page":
    """The page, loaded once."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(sweep_page(report))
    page = Page(browser, path)
    page.load()
    return page


@pytest.fixture
def page(opened) -> Iterator["Page"]:
    """The page as it is at first; it must have logged no fault and fetched nothing by the end."""
    opened.follow()
    yield opened
    assert opened.browser.get_log("browser") == []
    fetched = "return performance.getEntriesByType('resource').map((each) => each.name)"
    assert opened.browser.execute_script(fetched) == []


class Page:
    """The page as a reader has it."""

    def __init__(self, browser, path: Path):
        self.browser, self._url = browser, path.as_uri()

    def load(self, fragment: str = "") -> None:
        """Open it anew."""
        self.browser.get("about:blank")
        self.browser.get(f"{self._url}#{fragment}")

    def follow(self, fragment: str = "") -> None:
        """A link to it within it; one to what is shown already would change nothing."""
        self.browser.execute_async_script(FOLLOW, fragment)

    def find(self, what: str):
        """The first node that a CSS selector finds."""
        return self.browser.find_element("css selector", what)

    def text(self, what: str) -> str:
        """What stands in a node."""
        return self.find(what).text

    def choose(self, what: str, value: str) -> None:
        """Choose an option of a select."""
        self.find(f'{what} option[value="{value}"]').click()

    def keys(self) -> list[str]:
        """Keys of the table's points, from above."""
        rows = self.browser.find_elements("css selector", "#rows tr")
        return [row.get_attribute("data-key") for row in rows]

    def click_point(self, key: str) -> None:
        """A click with the mouse where the plot has a point."""
        from selenium.webdriver import ActionChains

        x, y = self.browser.execute_script(PLACE, key)
        mouse = ActionChains(self.browser)
        mouse.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        mouse.pause(0.1).click().perform()

    @property
    def address(self) -> str:
        """The fragment of the page's address."""
        return self.browser.current_url.partition("#")[2]


def points(report, target: int = 0) -> list[dict]:
    return page_data(report)["targets"][target]["points"]


def wait(met: Callable[[], object]) -> None:
    """Until something is so, a minute at most."""
    end = time.monotonic() + 60
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_the_first_view_answers_with_the_least_area(page, report):
    assert "11 macros measured on generic, ice40" in page.text("#about")
    least = points(report)[0]
    assert page.text("#answer").startswith("2 cells: rows = 2, bits_per_cycle = 1. 6 of 6")
    assert page.text("#command") == least["command"]
    assert page.text("#measure") == least["measure"]
    assert "area 2 cells" in page.text("#figures").replace("\n", " ")
    assert "all cells: um2 on a library" in page.text("#metrics")
    assert "rows\n" in page.text("#axes")
    for told in ("2 of them were left out", "rows != 8", "rows must be", "Yosys failed: a reason"):
        assert told in page.text("#notes")


def test_a_click_on_a_point_gives_its_command_and_its_config(page, report):
    for told in (points(report)[3], points(report)[5]):
        page.click_point(told["key"])
        wait(lambda told=told: page.text("#command") == told["command"])
        assert page.text("#config") == told["config"].strip()
        assert f"point={told['key']}" in page.address
        chosen = page.find("#rows tr.chosen")
        assert chosen.get_attribute("data-key") == told["key"]
    assert "Breaks a constraint" in page.text("#chosen")


def test_the_smallest_macro_for_a_rate_is_read_off(page):
    value = page.find("#rules input")
    value.send_keys("2")  # cycles at most
    assert page.text("#answer").startswith("4 cells: rows = 2, bits_per_cycle = 2; 2 cycles.")
    assert "3 of 6 macros fulfil this" in page.text("#answer")
    value.clear()
    value.send_keys("1")
    none = "No macro of this sweep fulfils that: the least cycles that any has is 2."
    assert page.text("#answer") == none
    page.find("#reset").click()
    wait(lambda: "6 of 6 macros" in page.text("#answer"))
    page.find("#rules input").send_keys("9")
    assert "6 of 6 macros fulfil this; the most cycles that any has is 4." in page.text("#answer")
    assert "cycles 4\n" in page.text("#figures")


def test_two_conditions_and_a_value_of_an_axis_hide_points(page):
    page.find("#add").click()
    page.choose("#rules li:nth-child(2) select", "capacity")
    page.find("#rules li:nth-child(2) input").send_keys("60")
    kept = page.keys()
    assert 0 < len(kept) < 6
    page.find("#filters fieldset:nth-child(2) label:nth-of-type(1) input").click()
    assert len(page.keys()) == len(kept) // 2
    assert "hide=bits_per_cycle%3A1" in page.address


def test_a_link_shows_what_its_sender_saw(page, report):
    page.choose("#target", "ice40")
    page.choose("#colour", "rows")
    page.find("#ylog").click()
    page.choose("#y", "capacity")
    page.find("[data-field=rows]").click()
    page.find("[data-field=rows]").click()
    told = points(report, 1)[2]
    page.find(f"#rows tr[data-key={told['key']}]").click()
    seen, fragment = (page.keys(), page.text("#chosen"), page.text("#answer")), page.address
    page.load(fragment)
    assert (page.keys(), page.text("#chosen"), page.text("#answer")) == seen
    assert page.find("#y").get_attribute("value") == "capacity"
    assert page.find("#colour").get_attribute("value") == "rows"
    assert page.find("#ylog").is_selected()
    assert page.find("[aria-sort=descending]").text.startswith("rows")
    assert page.text("#command") == told["command"]


def test_a_faulty_link_is_as_none(page):
    page.follow("target=none&x=none&point=none&where=area>=x&where=none>=1&sort=none&hide=rows:77")
    assert page.text("#answer").startswith("2 cells")
    assert len(page.keys()) == 6


def test_the_line_is_the_front_of_what_is_shown_in_any_two_metrics(page):
    line = (
        "const { x, y, line } = document.getElementById('plot').data[0]; return [x, y, line.shape]"
    )
    assert page.browser.execute_script(line) == [[2, 4], [4, 2], "hv"]
    page.choose("#x", "capacity")
    page.choose("#y", "area")
    capacities, areas, shape = page.browser.execute_script(line)
    assert (areas, shape) == ([2, 4], "vh")
    assert capacities == sorted(capacities)
    page.find("#alone").click()
    assert len(page.keys()) == 2
    assert "6 of 6 macros fulfil this" in page.text("#answer")


def test_the_keyboard_walks_the_rows(page, report):
    from selenium.webdriver import Keys

    row = page.find("#rows tr[tabindex='0']")
    row.send_keys(Keys.ARROW_DOWN)
    assert page.text("#command") == points(report)[1]["command"]
    page.browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert page.text("#command") == points(report)[0]["command"]


def test_files_of_what_is_shown(page, report):
    page.find("#rules input").send_keys("2")
    for kind in ("csv", "json"):
        page.find(f"#{kind}").click()
    table, told = (page.browser.downloads / f"a&b-generic-shown.{kind}" for kind in ("csv", "json"))
    wait(lambda: table.exists() and told.exists())
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["key"] for row in rows] == [p["key"] for p in points(report)[1::2]]
    assert [int(row["area"]) for row in rows] == [4, 8, 12]
    assert json.loads(told.read_text())["points"] == points(report)[1::2]


def test_an_axis_of_lists_colours_and_hides_too(browser, tmp_path):
    text = SWEEP.replace("bits_per_cycle = [1, 2]", 'features = [[], ["zero_skip"]]')
    path = tmp_path / "page.html"
    path.write_text(sweep_page(made_report(tmp_path, text)))
    page = Page(browser, path)
    page.load("colour=features")
    names = "return document.getElementById('plot').data.map((each) => each.name)"
    told = page.browser.execute_script(names)
    assert {"features = none", "features = zero_skip"} <= set(told)
    assert "features = none" in page.text("#answer")
    page.find("#filters fieldset:nth-child(2) label:nth-of-type(1) input").click()
    assert len(page.keys()) == 3
    assert "features = zero_skip" in page.text("#answer")


def test_a_target_that_refuses_all_says_the_rule(browser, tmp_path):
    text = SWEEP.replace('["generic", "ice40"]', '["ecp5", "generic"]')
    text = text.replace("[axes]", '[fixed]\nstorage = "latch"\n[axes]')
    path = tmp_path / "page.html"
    path.write_text(sweep_page(made_report(tmp_path, text)))
    page = Page(browser, path)
    page.load()
    assert page.find("#target").get_attribute("value") == "generic"  # which has points
    assert "measured on generic; none on ecp5" in page.text("#about")
    page.choose("#target", "ecp5")
    assert page.text("#answer").startswith("No macro of this sweep was measured on ecp5. 6 refused")
    assert "storage latch has no cell on ecp5" in page.text("#answer")
    assert page.text("#legend") == ""
    shown = "return document.getElementById('plot').layout.xaxis.visible"
    assert page.browser.execute_script(shown) is False


def test_a_target_without_an_objective_says_so(browser, report, tmp_path):
    slow = read_condition("period <= 12", "s", ["period"])
    ways = {"area": "minimise", "tops": "maximise"}
    sweep = replace(report.sweep, objectives=ways, constraints=(slow,))
    path = tmp_path / "page.html"
    path.write_text(sweep_page(replace(report, sweep=sweep)))
    page = Page(browser, path)
    page.load()
    none = "Not judged on generic, for it is not measured there: objective tops, constraint period"
    assert page.text("#unjudged").startswith(none)
    assert page.text("#objectives") == "minimise area"
    assert "(minimise area): 1 point." in page.text("#legend")
    page.choose("#x", "cycles")
    assert "The column front of the table" in page.text("#legend")


def test_conditions_stay_where_a_target_has_none_of_their_metric(
    browser, report, tmp_path, monkeypatch
):
    """Nor has it a macro of each value of an axis."""
    data = page_data(report)
    other = data["targets"][1]
    del other["units"]["capacity"]
    other["points"] = [each for each in other["points"] if each["choice"]["rows"] != 2]
    monkeypatch.setattr("cimforge.explore.sweep_page.page_data", lambda _: data)
    path = tmp_path / "page.html"
    path.write_text(sweep_page(report))
    page = Page(browser, path)
    page.load("where=capacity%3E%3D60&hide=rows:4")
    kept, hidden = page.keys(), page.find("#filters label:nth-of-type(1) input")
    assert hidden.is_enabled()
    assert hidden.is_selected()
    page.choose("#target", "ice40")
    assert "ice40 has no capacity: no condition there." in page.text("#rules")
    assert "where=capacity%3E%3D60" in page.address
    assert len(page.keys()) == sum(each["choice"]["rows"] != 4 for each in other["points"])
    absent = page.find("#filters label:nth-of-type(1) input")
    assert not absent.is_enabled()
    assert not absent.is_selected()
    seen = page.address
    page.load(seen)
    assert page.address == seen
    page.choose("#target", "generic")
    assert "no condition there" not in page.text("#rules")
    assert page.keys() == kept


def test_no_ring_where_no_point_is_drawn(page):
    page.find("#rows tr").click()
    ring = "return document.getElementById('plot').data.at(-1).x.length"
    assert page.browser.execute_script(ring) == 1
    page.find("#rules input").send_keys("1")
    assert page.browser.execute_script(ring) == 0
    assert "It is hidden by the conditions" in page.text("#chosen")


def test_a_phone_shows_it_without_scrolling_sideways(page):
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.load()
        plot = "document.querySelector('#plot .main-svg').getBoundingClientRect().width"
        wide = f"return [document.documentElement.scrollWidth, {plot}]"
        assert max(page.browser.execute_script(wide)) <= 390
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
