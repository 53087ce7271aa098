"""The HTML, CSS and JavaScript of the components: files beside the Python module that shows them, read once."""

from pathlib import Path


def read_beside(module: str, name: str) -> str:
    """The text of a file in the same folder as a module, which gives its `__file__`."""
    return Path(module).with_name(name).read_text(encoding="utf-8")


def read_style(module: str, name: str) -> str:
    """The same for a style sheet, as an element that may stand before the HTML that it is for."""
    return f"<style>{read_beside(module, name)}</style>"
