"""report.html in Chromium, at two widths, with and without scripts, and on paper."""

import base64
import io
import shutil

import pytest

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")


def started(width, script=True):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not script:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2}
        )
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    return browser


@pytest.fixture(scope="module")
def browser():
    browser = started(1280)
    yield browser
    browser.quit()


@pytest.fixture
def page(browser, report):
    browser.get(report.as_uri())
    return browser


def all_of(browser, selector):
    return browser.find_elements("css selector", selector)


def one(browser, selector):
    return browser.find_element("css selector", selector)


def visible(browser, selector):
    return [element for element in all_of(browser, selector) if element.is_displayed()]


def test_no_errors_in_the_console(page):
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_as_wide_as_the_screen(report, width):
    browser = started(width)
    try:
        browser.get(report.as_uri())
        script = "return document.documentElement.scrollWidth"
        assert browser.execute_script(script) <= width
        assert one(browser, "h2").is_displayed()
    finally:
        browser.quit()


def test_a_click_on_a_heading_sorts(page):
    table = one(page, "#table6 table")
    column = [h.text for h in all_of(table, "th")].index("accuracy")
    button = all_of(table, "th button")[column]

    def accuracies():
        cells = [all_of(row, "td")[column].text for row in all_of(table, "tbody tr")]
        return [float(cell.split()[0]) for cell in cells]

    before = accuracies()
    button.click()
    assert accuracies() == sorted(before)
    button.send_keys("\n")  # as on a keyboard
    assert accuracies() == sorted(before, reverse=True)


def test_rows_are_filtered(page):
    card = one(page, "#table6")
    one(card, "input[type=search]").send_keys("plain3net")
    shown = visible(card, "tbody tr")
    assert shown
    assert all("Plain3Net" in row.text for row in shown)


def test_claims_are_filtered_by_verdict_and_section(page):
    rows = "#claims .glance tbody tr"
    everything = len(visible(page, rows))
    one(page, "select[name=verdict] option:nth-child(3)").click()
    chosen = visible(page, rows)
    assert 0 < len(chosen) < everything
    assert all(row.get_attribute("data-verdict") == "contradicted" for row in chosen)
    assert len(visible(page, "article[data-verdict]")) == len(chosen)
    one(page, "select[name=sections] option:nth-child(2)").click()
    assert len(visible(page, rows)) <= len(chosen)


def test_a_figure_is_enlarged_and_made_small(page):
    picture = one(page, "#figure2 img")
    small = picture.size["height"]
    picture.click()
    assert picture.size["height"] > small
    one(page, "body").send_keys("\ue00c")  # Escape
    assert picture.size["height"] == small


def test_a_cell_leads_to_its_run(page):
    cell = one(page, "#table6-row-1 td a")
    target = cell.get_attribute("href").partition("#")[2]
    cell.click()
    run = one(page, f"#{target}")
    place = "return arguments[0].getBoundingClientRect().top"
    assert 0 <= page.execute_script(place, run) < 900
    one(run, "summary").click()
    assert "autogrow run" in one(run, "code").text


def test_without_scripts_nothing_is_missing(report):
    browser = started(1280, script=False)
    try:
        browser.get(report.as_uri())
        assert not visible(browser, ".controls")
        assert len(visible(browser, "#claims .glance tbody tr")) > 60
        assert not all_of(browser, "th button")
        picture = one(browser, "#figure2 img")
        small = picture.size["height"]
        picture.click()
        assert picture.size["height"] > small
    finally:
        browser.quit()


def test_markup_in_records_does_nothing(browser, hostile):
    browser.get(hostile.as_uri())
    from selenium.webdriver.support.expected_conditions import alert_is_present

    assert not alert_is_present()(browser)
    assert browser.get_log("browser") == []
    assert "</script><script>alert(1)</script>" in one(browser, ".facts").text


def test_it_prints_on_whole_pages(page):
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    content = base64.b64decode(printed["data"])
    assert content.startswith(b"%PDF")
    assert io.BytesIO(content).read().count(b"/MediaBox") > 5
