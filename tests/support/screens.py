"""A screen through the entry file, without a browser."""

from streamlit.testing.v1 import AppTest

from support.servers import ROOT
from support.words import without_meanings


def show(page: str = "pages/train.py", **link) -> AppTest:
    """The screen after a visit of its address with these choices."""
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60)
    app.run()
    app.switch_page(page)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    """All that the screen says in words."""
    parts = [*app.title, *app.header, *app.caption, *app.markdown, *app.error, *app.warning]
    return without_meanings("\n".join(part.value for part in parts))


def press(app: AppTest, label: str) -> None:
    """Click the button that is called so."""
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def send_drawings(
    app: AppTest,
    first: object,
    second: object,
    truths: tuple = (None, None),
    sequence: int = 1,
    key: str = "pads",
    pen_down: bool = False,
) -> AppTest:
    """What the pads called so send: the strokes of both, and which digits they are."""
    revision = app.session_state[f"{key}_kept"].revision
    app.session_state[key] = {
        "pads": {
            "sequence": sequence, "revision": revision, "pen_down": pen_down, "pads": [first, second], "truths": truths,
        }
    }  # fmt: skip
    app.run()
    assert not app.exception
    return app
