"""Test pairs as cards: both digits as the networks see them, what was said, and the ways into other screens."""

from collections.abc import Callable
from html import escape
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.mnist import DataError, average_windows, read_test_images
from core.pictures import picture_digit
from pages.components.link import check_link
from pages.components.text import as_text

SHOWN = 12  # cards a page
GAP = 1  # pixels between the two digits of a picture
STYLE = """
<style>
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(158px, 1fr)); gap: 0.9rem;
  font-variant-numeric: tabular-nums; }
.gallery figure { margin: 0; border: 1px solid color-mix(in srgb, currentColor 14%, transparent); padding: 0.6rem;
  border-radius: 0.5rem; font-size: 0.85rem; line-height: 1.4; display: flex; flex-direction: column; }
.gallery img { width: 100%; image-rendering: pixelated; border-radius: 0.25rem; }
.gallery strong { font-size: 1.05rem; margin: 0.35rem 0 0.1rem; }
.gallery figcaption { display: flex; flex-direction: column; flex: 1; }
.gallery nav { display: flex; gap: 0.9rem; margin-top: auto; padding-top: 0.4rem; }
.gallery a { color: inherit; text-underline-offset: 0.2em; }
</style>
"""


def show_gallery(answers: pd.DataFrame, describe: Callable[[Any], list[str]], key: str) -> None:
    """A page of cards, a row of `answers` (of core.mistakes) each, under the lines that `describe` makes of it."""
    if answers.empty:
        st.caption("There is no such pair.")
        return
    try:
        pictures = read_test_images()
    except DataError as error:
        st.error(as_text(error), icon=":material/error:")
        return
    cards, pages = st.container(), ceil(len(answers) / SHOWN)
    check_link(key, range(1, pages + 1))
    page = st.pagination(pages, key=key, bind="query-params") if pages > 1 else 1
    rows: Any = answers.iloc[(page - 1) * SHOWN : page * SHOWN]
    images = average_windows(pictures[rows[["first_image", "second_image"]].to_numpy().ravel()])
    items = [
        _card(row, pair, describe(row))
        for row, pair in zip(rows.itertuples(), images.reshape(-1, 2, 14, 14), strict=True)
    ]
    cards.html(f'{STYLE}<div class="gallery">{"".join(items)}</div>')


def _card(row: Any, pair: np.ndarray, lines: list[str]) -> str:
    picture = np.concatenate([pair[0], np.full((14, GAP), 128, np.uint8), pair[1]], axis=1)
    order = "≤" if row.first <= row.second else "&gt;"
    link = f"pair={row.first_image}-{row.second_image}"
    words = "".join(f"<span>{escape(line).replace(' %', '&nbsp;%')}</span>" for line in lines)
    return (
        f'<figure><img src="{picture_digit(picture)}" alt="A handwritten {row.first} beside a {row.second}">'
        f"<figcaption><strong>{row.first} {order} {row.second}</strong>{words}<nav>"
        f'<a href="draw?{link}">Draw</a><a href="walk?{link}&amp;run={row.run_id}">Walk</a></nav></figcaption></figure>'
    )
