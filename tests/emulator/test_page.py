"""The page in a real browser: it follows changes, works by keyboard, and in both colour schemes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api
from tests.emulator.browser import browser, fill
from tests.support.machine import program


class Shown:
    """A filled local Azure, and its page in a tab."""

    def __init__(self, azure: LocalAzure, api: Api, page: Page) -> None:
        self.azure, self.api, self.page = azure, api, page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.clock.install()
        page.goto(azure.page)

    @property
    def support(self) -> str:
        return str(self.page.locator("article", has_text="support").first.inner_text())


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    with browser(program("chromium", "chromium")) as context:
        yield context


@pytest.fixture
def shown(chromium: BrowserContext, tmp_path: Path) -> Iterator[Shown]:
    with LocalAzure(tmp_path / "azure") as azure:
        api = fill(azure)
        with contextlib.closing(api.http):
            shown = Shown(azure, api, chromium.new_page())
            yield shown
            shown.page.close()
    assert shown.complaints == []
    elsewhere = [url for url in shown.requests if not url.startswith((azure.page, "data:,"))]
    assert elsewhere == []


def test_it_shows_the_state_and_then_the_changes(shown: Shown) -> None:
    for expected in ("version 1: 75 %", "version 2: 25 %", "ImageError", "Failed to pull container image.", "1 / 2Gi"):
        assert expected in shown.support
    text = shown.page.locator("main").inner_text()
    for expected in ("disabled", "draft", "support-tools", "Foundry Agent Consumer", "fault-1", "project shop", "403"):
        assert expected in text
    bar = shown.page.locator("article svg").first
    assert [rect.get_attribute("width") for rect in bar.locator("rect").all()] == ["75.00", "25.00"]

    shown.page.evaluate("document.body.dataset.same = 'yes'")
    shown.api.route("support", {"2": 100})
    shown.api.create("newcomer")
    expect(shown.page.get_by_role("heading", name="newcomer")).to_be_visible()
    expect(shown.page.get_by_text("version 2: 100 %")).to_be_visible()
    shown.api.http.delete("/agents/newcomer")
    expect(shown.page.get_by_role("heading", name="newcomer")).to_have_count(0)
    assert shown.page.evaluate("document.body.dataset.same") == "yes", "the page was never reloaded"


def test_it_can_be_paused_and_says_when_the_local_azure_is_gone(shown: Shown) -> None:
    page, status = shown.page, shown.page.get_by_role("status")
    expect(status).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    expect(status).to_have_text("Paused")
    requests = len(shown.requests)
    shown.api.create("newcomer")
    page.clock.run_for(10_000)
    assert len(shown.requests) == requests
    expect(page.get_by_role("heading", name="newcomer")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="newcomer")).to_be_visible()
    page.route("**/", lambda route: route.abort())
    expect(status).to_have_text("Not running")
    shown.complaints.clear()  # the browser's own, about the dropped request
    page.unroute("**/")
    expect(status).to_have_text("Live")


def test_it_is_used_by_keyboard_and_nothing_moves_under_the_focus(shown: Shown) -> None:
    page = shown.page
    focused = "document.activeElement.textContent.trim()"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to content"
    walked = []
    for _ in range(7):
        page.keyboard.press("Tab")
        walked.append(page.evaluate(focused))
    assert walked == ["Agents", "Sessions", "Last requests", "Toolboxes", "Roles", "Faults", "Pause"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "support"
    page.evaluate("document.activeElement.dataset.mine = 'yes'")
    shown.api.create("newcomer")
    expect(page.locator(".tiles div", has_text="agents").locator("dd")).to_have_text("3")
    assert page.evaluate("document.activeElement.dataset.mine") == "yes"
    expect(page.get_by_role("heading", name="newcomer")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    expect(page.get_by_role("heading", name="newcomer")).to_be_visible()


def test_it_follows_the_readers_colour_scheme(shown: Shown) -> None:
    def brightness() -> int:
        colours = shown.page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        return int(sum(colours))

    assert brightness() > 600
    shown.page.emulate_media(color_scheme="dark")
    assert brightness() < 150


def test_names_from_callers_are_text_and_run_nothing(shown: Shown) -> None:
    shown.api.http.get("/agents/<script>document.title='broken'<%2Fscript>")
    shown.api.post("prompted", {"kind": "prompt", "model": "m"}, description="<img src=x onerror=alert(1)>")
    expect(shown.page.get_by_role("heading", name="prompted")).to_be_visible()
    assert shown.page.locator("main img, main script").count() == 0
    assert shown.page.title() == "Local Azure"
