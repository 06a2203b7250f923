"""The lobby in a real browser."""

import asyncio
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Browser, Page, expect

from bot.messages import Citation
from tests.browser.conftest import PHONE, visit
from tests.browser.house import PIECES, House, Script

pytestmark = pytest.mark.browser

WHOLE = "".join(PIECES)
NASTY = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>&lt;b&gt; javascript:alert(1)'


async def ask(page: Page, text: str, medium: str = "") -> None:
    if medium:
        await page.locator(".choice", has_text=medium).click()
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


async def until(page: Page, condition: str) -> None:
    """Wait for a condition in the page. (Playwright's own way needs `eval`, which the page's policy forbids.)"""
    async with asyncio.timeout(30):
        while not await page.evaluate(f"Boolean({condition})"):
            await asyncio.sleep(0.05)


def held(*names: str) -> Script:
    return Script(gates={name: asyncio.Event() for name in names})


def answer(page: Page, index: int = -1):  # type: ignore[no-untyped-def]
    return page.locator(".reply").nth(index)


# ---- text


async def test_text_streams_as_it_is_written(page: Page, house: House) -> None:
    house.script = held("3")
    await ask(page, "What was the moth?")
    await expect(page.locator(".words")).to_have_text("".join(PIECES[:3]))
    await expect(page.locator(".status")).to_contain_text("Writing…")
    await expect(page.locator("#announce")).to_be_empty()
    house.script.gates["3"].set()
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await expect(page.locator(".status")).to_be_hidden()
    await expect(page.locator("#announce")).to_have_text(f"Grace Hopper, AI avatar: {WHOLE}")
    await expect(page.get_by_role("textbox")).to_be_focused()


async def test_the_notes_can_be_read(page: Page) -> None:
    await ask(page, "What was the moth?")
    await page.get_by_text("Rests on 2 notes").click()
    note = page.locator(".notes li").first
    await expect(note).to_contain_text("The moth in the Mark II")
    await expect(note).to_contain_text("1947-09-09")
    await expect(note.locator("blockquote")).to_contain_text("relay 70 of panel F")


async def test_the_label_is_always_there(page: Page, phone: Page) -> None:
    for each in (page, phone):
        badge = each.locator(".badge")
        await expect(badge).to_be_in_viewport(ratio=1)
        await ask(each, "What was the moth?")
        await expect(answer(each)).to_contain_text("AI avatar")
        await expect(badge).to_be_in_viewport(ratio=1)
        await expect(badge).to_have_text("AI avatar")
        await expect(each.get_by_text("Grace Hopper died in 1992").locator("visible=true").first).to_be_visible()


async def test_a_suggestion_is_a_question(page: Page, house: House) -> None:
    await page.get_by_role("button", name="What is a nanosecond?").click()
    await expect(page.locator(".bubble")).to_have_text("What is a nanosecond?")
    await expect(answer(page).locator(".words")).to_have_text(WHOLE)
    await expect(page.locator(".welcome")).to_be_hidden()


async def test_a_corrected_answer_replaces_what_was_streamed(page: Page, house: House) -> None:
    house.script = Script(final="My note says: it was a moth.", notice="The language model did not answer.")
    await ask(page, "What was the moth?")
    await expect(page.locator(".words")).to_have_text("My note says: it was a moth.")
    await expect(page.locator(".notice")).to_have_text("The language model did not answer.")


async def test_several_questions_at_once(page: Page, house: House) -> None:
    scripts = [Script(pieces=(f"Answer {number}.",), gates={"first": asyncio.Event()}) for number in range(5)]
    for number, script in enumerate(scripts):
        house.script = script
        await ask(page, f"Question {number}?")
        await expect(page.locator(".bubble")).to_have_count(number + 1)
        while len(house.jobs) <= number:
            await asyncio.sleep(0.01)
    for script in reversed(scripts):
        script.gates["first"].set()
    for number in range(5):
        await expect(page.locator(".words").nth(number)).to_have_text(f"Answer {number}.")


async def test_what_people_write_is_text(page: Page, house: House) -> None:
    note = Citation("n", NASTY, NASTY, NASTY, NASTY)
    house.script = Script(pieces=(NASTY, NASTY), citations=(note,), notice=NASTY)
    await ask(page, NASTY)
    await expect(page.locator(".bubble")).to_have_text(NASTY)
    await expect(page.locator(".words")).to_have_text(NASTY + NASTY)
    await page.get_by_text("Rests on 1 note").click()
    await expect(page.locator("blockquote")).to_have_text(NASTY)
    await page.reload()
    await expect(page.locator(".words")).to_have_text(NASTY + NASTY)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("main img, main script").count() == 0


# ---- voice and video


async def test_the_portrait_speaks_on_a_wide_screen(page: Page, house: House) -> None:
    house.script = held("clip")
    await ask(page, "What was the moth?", "Video")
    await expect(page.locator(".status")).to_contain_text("Filming 42 %")
    await expect(page.get_by_role("progressbar")).to_have_attribute("value", "0.42")
    await expect(page.locator("#doing")).to_have_text("Filming 42 %")
    house.script.gates["clip"].set()
    film = page.locator("#slot video")
    await expect(film).to_be_visible()
    await until(page, "document.querySelector('#slot video')?.currentTime > 0.2")
    assert await film.evaluate("film => [film.videoWidth, film.videoHeight, film.muted]") == [512, 512, False]
    assert await film.evaluate("film => film.textTracks[0].mode") == "showing"
    assert await film.evaluate("film => film.textTracks[0].cues.length") == 2
    assert await film.evaluate("film => film.playsInline && film.poster.endsWith('poster.jpg')")
    await film.hover()
    assert await film.evaluate("film => film.controls")
    again = page.get_by_role("button", name="Watch Grace Hopper say this")
    await expect(again).to_contain_text("Watch again", timeout=15_000)
    await expect(page.locator("#slot video")).to_have_count(0)
    await again.click()
    await until(page, "document.querySelector('#slot video')?.currentTime > 0.1")


async def test_the_film_plays_in_the_thread_on_a_phone(phone: Page) -> None:
    await ask(phone, "What was the moth?", "Video")
    film = phone.locator(".film video")
    await expect(film).to_be_visible()
    await until(phone, "document.querySelector('.film video').currentTime > 0.2")
    await expect(film).to_be_in_viewport(ratio=0.99)
    assert await phone.locator("#slot video").count() == 0


async def test_an_answer_can_be_heard(page: Page) -> None:
    await ask(page, "What was the moth?", "Voice")
    await until(page, "document.querySelector('audio')?.currentTime > 0.2")
    await page.get_by_role("button", name="Pause").click()
    assert await page.locator("audio").evaluate("sound => sound.paused")
    await page.get_by_role("slider").press("ArrowRight")
    await expect(page.get_by_role("button", name="See it")).to_be_visible()
    await expect(page.get_by_role("button", name="Hear it")).to_have_count(0)


async def test_a_written_answer_can_be_seen_later(page: Page, house: House) -> None:
    await ask(page, "What was the moth?")
    await page.get_by_text("Rests on 2 notes").click()
    house.script = held("clip")
    await page.get_by_role("button", name="See it").click()
    await expect(page.locator(".status")).to_contain_text("Filming 42 %")
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await expect(page.get_by_role("button", name="See it")).to_have_count(0)
    house.script.gates["clip"].set()
    await until(page, "document.querySelector('#slot video')?.currentTime > 0.1")
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await expect(page.locator(".status")).to_be_hidden()
    await expect(page.locator("blockquote").first).to_be_visible()


async def test_what_could_not_be_filmed_can_be_tried_again(page: Page, house: House) -> None:
    house.script = Script(clip=False, notice="I could not film this answer just now.")
    await ask(page, "What was the moth?", "Video")
    await expect(page.locator(".notice")).to_have_text("I could not film this answer just now.")
    await expect(page.get_by_role("button", name="See it")).to_be_visible()


async def test_history_comes_back_and_nothing_plays_by_itself(page: Page) -> None:
    await ask(page, "What was the moth?", "Video")
    await page.wait_for_selector("#slot video")
    await page.reload()
    await expect(page.locator(".bubble")).to_have_text("What was the moth?")
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await expect(page.get_by_role("button", name="Watch Grace Hopper say this")).to_be_visible()
    await expect(page.locator(".choice", has_text="Video").locator("input")).to_be_checked()
    assert await page.locator("#slot video").count() == 0


async def test_nobody_else_can_open_a_recording(page: Page, browser: Browser, house: House) -> None:
    await ask(page, "What was the moth?", "Video")
    await page.wait_for_selector("#slot video")
    address = await page.locator("#slot video").get_attribute("src")
    look = "address => fetch(address).then(response => response.status)"
    assert await page.evaluate(look, address) == 200
    async with visit(browser, house) as stranger:
        assert await stranger.evaluate(look, address) == 404
        await expect(stranger.locator(".bubble")).to_have_count(0)


# ---- faults


async def test_the_page_goes_on_after_the_server_was_away(page: Page, house: House) -> None:
    house.script = held("2", "4")
    await ask(page, "What was the moth?")
    await expect(page.locator(".words")).to_have_text("".join(PIECES[:2]))
    await house.shut()
    house.script.gates["2"].set()
    await expect(page.locator("#connection")).to_contain_text("The connection is gone", timeout=15_000)
    await house.open(house.port)
    await expect(page.locator(".words")).to_have_text("".join(PIECES[:4]), timeout=30_000)
    await expect(page.locator("#connection")).to_be_hidden()
    house.script.gates["4"].set()
    await expect(page.locator(".words")).to_have_text(WHOLE)


async def test_a_reload_in_the_middle_loses_nothing(page: Page, house: House) -> None:
    house.script = held("3", "clip")
    await ask(page, "What was the moth?", "Video")
    await expect(page.locator(".words")).to_have_text("".join(PIECES[:3]))
    await page.reload()
    await expect(page.locator(".words")).to_have_text("".join(PIECES[:3]))
    house.script.gates["3"].set()
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await page.reload()
    await expect(page.locator(".status")).to_contain_text("Filming 42 %")
    house.script.gates["clip"].set()
    await expect(page.get_by_role("button", name="Watch Grace Hopper say this")).to_be_visible()
    await expect(page.locator(".status")).to_be_hidden()


async def test_a_question_that_did_not_go_out_can_be_sent_again(page: Page, house: House) -> None:
    await page.context.set_offline(True)
    await expect(page.locator("#connection")).to_contain_text("You are offline")
    await ask(page, "What was the moth?")
    await expect(answer(page)).to_contain_text("I cannot reach Understudy just now.")
    await expect(page.get_by_role("button", name="Send again")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await expect(page.locator("#connection")).to_be_hidden()
    assert len(house.jobs) == 1


async def test_an_apology_offers_a_way_out(page: Page, house: House) -> None:
    house.script = Script(pieces=("I am sorry.",), failed=True)
    await ask(page, "What was the moth?")
    await expect(page.locator(".apology")).to_have_text("I am sorry.")
    house.script = Script()
    await page.get_by_role("button", name="Ask again").click()
    await expect(page.locator(".words").nth(1)).to_have_text(WHOLE)


async def test_too_long_and_empty_are_told_before_they_are_sent(page: Page, house: House) -> None:
    await ask(page, "  ")
    await expect(page.get_by_role("alert")).to_have_text("Write a question first.")
    await ask(page, "x" * 4_001)
    await expect(page.get_by_role("alert")).to_contain_text("4,001 characters")
    await expect(page.locator("#room")).to_have_text("4,001 of 4,000")
    await expect(page.get_by_role("textbox")).to_have_value("x" * 4_001)
    assert house.jobs == []


# ---- whom, how, what one thinks of it


async def test_whom_one_talks_to(page: Page) -> None:
    await ask(page, "What was the moth?")
    await expect(page.locator(".words")).to_have_text(WHOLE)
    await page.get_by_role("button", name="Ada Example").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ada Example")
    await expect(page.locator(".bubble")).to_be_hidden()
    await expect(page.get_by_role("radio", name="Video")).to_be_disabled()
    await expect(page.locator("#hint")).to_contain_text("Ada Example has not agreed to be given a voice")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ada Example")
    await page.get_by_role("button", name="Grace Hopper").click()
    await expect(page.locator(".words")).to_have_text(WHOLE)


async def test_thumbs(page: Page, house: House) -> None:
    await ask(page, "What was the moth?")
    good, bad = page.get_by_role("button", name="Good answer"), page.get_by_role("button", name="Bad answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await bad.click()
    await expect(good).to_have_attribute("aria-pressed", "false")
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await until(page, "localStorage.getItem('understudy.ratings')?.includes('-1')")
    assert list(house.conversations.ratings.values()) == [-1]
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "false")


async def test_copy(page: Page) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await ask(page, "What was the moth?")
    await page.get_by_role("button", name="Copy the answer").click()
    await expect(page.locator("#announce")).to_have_text("Copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == WHOLE


async def test_an_order_in_words(page: Page) -> None:
    await ask(page, "/reply voice")
    await expect(page.locator(".told")).to_have_text("From now on I answer you by voice.")
    await expect(page.get_by_role("radio", name="Voice")).to_be_checked()


# ---- everybody


async def test_everything_works_by_keyboard(page: Page, house: House) -> None:
    await page.evaluate(
        "(body => { body.tabIndex = -1; body.focus(); body.removeAttribute('tabindex'); })(document.body)"
    )
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the question box")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("One")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="Text")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Voice")).to_be_checked()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".bubble")).to_have_text("One\ntwo", use_inner_text=True)
    await expect(page.get_by_role("textbox")).to_have_value("")
    see = page.get_by_role("button", name="See it")
    await expect(see).to_be_visible()
    for _ in range(12):
        if await see.evaluate("each => each === document.activeElement"):
            break
        await page.keyboard.press("Shift+Tab")
    await expect(see).to_be_focused()
    await page.keyboard.press("Enter")
    await until(page, "document.querySelector('#slot video')?.currentTime > 0.1")


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
async def test_everything_has_a_name_and_a_size(
    browser: Browser, house: House, size: tuple[int, int], tmp_path: Path
) -> None:
    async with visit(browser, house, size) as page:
        await ask(page, "What was the moth?", "Voice")
        await page.wait_for_selector(".sound")
        unnamed = await page.evaluate(
            """() => [...document.querySelectorAll('button, input, textarea, video, a, nav, summary')]
                .filter(each => each.checkVisibility())
                .filter(each => !(each.getAttribute('aria-label') || each.labels?.[0]?.textContent.trim()
                                  || each.textContent.trim()))
                .map(each => each.outerHTML)"""
        )
        assert unnamed == []
        small = await page.evaluate(
            """() => [...document.querySelectorAll('button, label.choice, summary')]
                .filter(each => each.checkVisibility())
                .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
                .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"""
        )
        assert small == []
        assert await page.locator("h1").count() == 1
        assert await page.evaluate("document.documentElement.lang") == "en"
        roles = await page.locator("body").aria_snapshot()
        for role in ("banner", "main", "radio", "textbox", "heading", "article", 'region "Conversation"'):
            assert role in roles


AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']}"


async def violations(page: Page) -> list[str]:
    """What axe finds, contrast and all."""
    await page.evaluate(AXE + "; 0")
    found = await page.evaluate(f"axe.run(document, {RULES})")
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), PHONE])
async def test_axe_finds_nothing(browser: Browser, house: House, size: tuple[int, int], scheme: str) -> None:
    async with visit(browser, house, size, scheme=scheme, calm=True) as page:
        assert await violations(page) == []
        await ask(page, "What was the moth?", "Voice")
        await page.wait_for_selector(".sound")
        await page.get_by_text("Rests on 2 notes").click()
        house.script = held("clip")
        await ask(page, "And when was that?", "Video")
        await page.get_by_role("progressbar").wait_for()
        assert await violations(page) == []
        house.script.gates["clip"].set()
        await page.wait_for_selector(".film")
        house.script = Script(pieces=("I am sorry.",), failed=True)
        await ask(page, "And why?", "Text")
        await page.wait_for_selector(".apology")
        await ask(page, " ")
        assert await violations(page) == []


async def test_a_phone_never_scrolls_sideways(phone: Page, house: House) -> None:
    sideways = "document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth"
    assert not await phone.evaluate(sideways)
    house.script = Script(pieces=("x" * 300,), citations=(Citation("n", "y" * 90, "z" * 90, "", "w" * 200),))
    await ask(phone, "q" * 300, "Video")
    await phone.wait_for_selector(".film")
    await phone.get_by_text("Rests on 1 note").click()
    assert not await phone.evaluate(sideways)
    assert not await phone.evaluate("document.querySelector('#scroll').scrollWidth > innerWidth")
    await expect(phone.get_by_role("textbox")).to_be_in_viewport(ratio=1)


async def test_the_question_box_stays_above_the_keyboard(phone: Page) -> None:
    for words in ("", "What was the moth?"):
        if words:
            await ask(phone, words)
            await expect(phone.locator(".words")).to_have_text(WHOLE)
        await phone.set_viewport_size({"width": 360, "height": 380})
        await expect(phone.get_by_role("textbox")).to_be_in_viewport(ratio=1)
        await expect(phone.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
        await expect(phone.locator(".badge")).to_be_in_viewport(ratio=1)
        await phone.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})


async def test_a_browser_that_is_no_longer_known_is_told_what_to_do(page: Page) -> None:
    await page.context.clear_cookies()
    await ask(page, "What was the moth?")
    await page.get_by_role("button", name="Load the page again").click()
    await expect(page.locator(".welcome")).to_be_visible()


async def test_dark_and_calm(browser: Browser, house: House) -> None:
    async with visit(browser, house, scheme="dark", calm=True) as page:
        await ask(page, "What was the moth?")
        await expect(page.locator(".words")).to_have_text(WHOLE)
        paper, ink = await page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
        assert sum(rgb(paper)) < 150 < 450 < sum(rgb(ink))
        assert await page.evaluate("document.getAnimations().length") == 0


def rgb(colour: str) -> list[int]:
    return [int(part) for part in colour[4:-1].split(",")]
