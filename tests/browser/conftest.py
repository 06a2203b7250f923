"""A Chromium, a house to visit, and a page that must stay quiet: no violation, no error, no request elsewhere."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from integrations.events import TurnEvents
from tests.browser.house import House

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDE, PHONE = (1280, 800), (360, 740)
QUIET = ("Failed to load resource",)  # a persona without a portrait, a server that is gone: the page copes


def chromium_path(playwright: Playwright) -> str:
    """The machine's Chromium, or Playwright's own."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    if not Path(own).exists():
        pytest.skip("no Chromium: install one (apt install chromium) or run `playwright install chromium`")
    return own


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        path = chromium_path(playwright)
        found = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield found
        await found.close()


@pytest_asyncio.fixture
async def house(tmp_path: Path, valkey_url: str) -> AsyncIterator[House]:
    """The lobby over the real event streams."""
    events = TurnEvents(valkey_url)
    found = House(tmp_path, events)
    await found.furnish()
    await found.open()
    yield found
    await found.leave()
    await events.close()


@asynccontextmanager
async def visit(
    browser: Browser, house: House, size: tuple[int, int] = WIDE, *, scheme: str = "light", calm: bool = False
) -> AsyncIterator[Page]:
    """Somebody new opens the page. On leaving, the page must have behaved."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce" if calm else "no-preference",
    )
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(house.url) else None)
    try:
        await page.goto(house.url)
        await page.wait_for_selector("body:not(.booting)")
        yield page
        assert [each for each in wrong if not each.startswith(QUIET)] == []
    finally:
        await context.close()


@pytest_asyncio.fixture
async def page(browser: Browser, house: House) -> AsyncIterator[Page]:
    """The page on a wide screen."""
    async with visit(browser, house) as found:
        yield found


@pytest_asyncio.fixture
async def phone(browser: Browser, house: House) -> AsyncIterator[Page]:
    """The page on a small phone."""
    async with visit(browser, house, PHONE) as found:
        yield found
