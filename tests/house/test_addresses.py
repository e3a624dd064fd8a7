"""What must be true of every page before anyone opens it: its words, its colours, and that tests reach it."""

import ast
import colorsys
import re
from pathlib import Path

from serving.doors import PAGES
from tests.doors_reached import SHOWS_NOTHING, STANDS_FOR, account_of, parameters

SERVING = Path(__file__).resolve().parents[2] / "serving"
TEMPLATES = sorted((SERVING / "templates").glob("*.html"))
# Addresses and titles stay in histories, logs and tabs that others see.
OUTCOMES = re.compile("risk|exclu|suspen|sanction|offen|punish|score|flag", re.IGNORECASE)
# The ring around what the keyboard is on, which accessibility asks for and govuk-frontend uses everywhere.
FOCUS = "#ffdd00"
GREY_BELOW, BLUE = 0.2, (170, 260)


def titles() -> dict[str, str]:
    """Return every title that a page's code gives, as written: the constants under `title`."""
    found = {}
    for path in [*sorted((SERVING / "pages").glob("*.py")), SERVING / "routing.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords] if isinstance(node, ast.Call) else []
            if isinstance(node, ast.Dict):
                pairs = [
                    (key.value, value)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                ]
            for name, value in pairs:
                if name == "title":
                    found[f"{path.name}:{value.lineno}"] = ast.unparse(value)
    return found


def test_no_address_or_title_has_a_word_about_an_outcome():
    addresses = {page.name: page.path for page in PAGES}
    linked = {
        f"{path.name}: {address}": re.sub("{.*?}}?", "", address)
        for path in TEMPLATES
        for address in re.findall(r'(?:href|action)="(/[^"]*)"', path.read_text(encoding="utf-8"))
    }
    assert len(titles()) > 10
    assert [where for where, words in (addresses | linked | titles()).items() if OUTCOMES.search(words)] == []


def test_no_colour_says_good_or_bad():
    text = (SERVING / "static" / "belong.scss").read_text(encoding="utf-8")
    colours = set(re.findall("#[0-9a-f]{6}|#[0-9a-f]{3}(?![0-9a-f])", text.lower())) - {FOCUS}
    assert len(colours) > 5
    assert [colour for colour in colours if not neutral(colour)] == []
    named = re.compile(r"\b(red|green|orange|amber|yellow|lime|crimson|gold)\b|rgb|hsl")
    rules = re.sub("//.*", "", text)
    assert named.findall(rules) == []


def neutral(colour: str) -> bool:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    hue, _, saturation = colorsys.rgb_to_hls(*(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)))
    return saturation < GREY_BELOW or BLUE[0] <= 360 * hue <= BLUE[1]


def test_a_colour_of_a_traffic_light_is_found():
    assert not any(neutral(colour) for colour in ("#d4351c", "#00703c", "#f47738", "#fa0"))


def test_no_template_asks_for_a_tag_in_a_colour_that_judges():
    judged = re.compile("govuk-tag--(red|green|orange|yellow)|govuk-panel--confirmation|notification-banner--success")
    assert [path.name for path in TEMPLATES if judged.search(path.read_text(encoding="utf-8"))] == []


def test_every_page_says_in_one_place_how_tests_reach_it():
    unsaid = {f"{{{name}}} of {page.name!r}" for page in PAGES if page.show for name in parameters(page)}
    unsaid -= {f"{{{name}}} of {page.name!r}" for page in PAGES for name in STANDS_FOR}
    assert not unsaid, f"add to STANDS_FOR in tests/doors_reached.py what stands for {', '.join(sorted(unsaid))}"
    assert set(SHOWS_NOTHING) <= {page.name for page in PAGES}
    assert all(account_of(page) or page.public_because for page in PAGES)
