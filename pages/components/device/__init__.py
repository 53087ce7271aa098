"""What the visitor looks through: a phone is a narrow screen that is touched."""

import streamlit as st

from pages.app.shared import DEVICE, is_phone
from pages.components.files import read_beside

_DEVICE = st.components.v2.component("device", html="<i hidden></i>", js=read_beside(__file__, "device.js"))


def watch_device() -> None:
    """Have `is_phone` follow the visitor's screen; nothing is shown. A page is drawn anew when it changes."""
    _DEVICE(key=DEVICE, data=is_phone(), height=1, on_phone_change=lambda: None)
