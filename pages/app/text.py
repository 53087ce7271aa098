"""Text from outside, shown as text: what Streamlit writes is Markdown, in which a link's text could fetch a picture."""

import re

JOINER = "\N{WORD JOINER}"  # nothing to see, and no line breaks there
_SIGNS = re.compile(r"[\\`*\[$~]|(?<!\w)_|_(?!\w)|[<&](?=[^\s=])")  # these a backslash makes plain
# Between these two, Streamlit replaces text after the backslashes are gone: addresses, icons, arrows, dashes.
_JOINTS = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)|(?<=-)(?=[->])|(?<=<)(?=-)|(?<=[<>~])(?==)", re.IGNORECASE)
_BLOCKS = re.compile(r"[-+>#=:|]|\d+[.)]")  # at a line's start: a list, a heading, a quotation, a table


def as_text(words: object) -> str:
    """Markdown that shows exactly these words, in one line: an error's sentence, a name, a link's parameter."""
    line = " ".join(str(words).encode(errors="replace").decode().split())  # half of a surrogate pair cannot be sent
    start = JOINER if _BLOCKS.match(line) else ""
    return start + _SIGNS.sub(r"\\\g<0>", _JOINTS.sub(JOINER, line))
