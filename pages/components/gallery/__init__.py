"""Test pairs as cards: both digits as the networks see them, what was said, and the ways into other screens."""

from collections.abc import Callable
from html import escape
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.thumbnails import picture_digit
from core.mnist.files import DataError, average_windows, read_test_images
from pages.app.text import as_text
from pages.components.files import read_style
from pages.components.link import check_link

SHOWN = 12  # cards a page
GAP = 1  # pixels between the two digits of a picture
STYLE = read_style(__file__, "gallery.css")


def show_gallery(answers: pd.DataFrame, describe: Callable[[Any], list[str]], key: str) -> None:
    """A page of cards, one per row of `answers` (of core.analysis.mistakes), under the lines that `describe` makes."""
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
    name = f"the {row.first} beside the {row.second}, pair {row.first_image}-{row.second_image}"
    words = "".join(f"<span>{escape(line).replace(' %', '&nbsp;%')}</span>" for line in lines)
    return (
        f'<figure><img src="{picture_digit(picture)}" alt="A handwritten {row.first} beside a {row.second}">'
        f"<figcaption><strong>{row.first} {order} {row.second}</strong>{words}<span class=ways>"
        f'<a href="draw?{link}" aria-label="Draw: {name}">Draw</a>'
        f'<a href="walk?{link}&amp;run={row.run_id}" aria-label="Walk: {name}">Walk</a></span></figcaption></figure>'
    )
