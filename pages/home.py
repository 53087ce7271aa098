"""The first screen: what the task is, the seven ideas, and what each screen is for."""

import streamlit as st

from core.runs.palette import PALETTE
from pages.app.router import enter_by_router
from pages.app.screens import GROUPS

enter_by_router()
st.title("Is the first digit less than or equal to the second?")
st.markdown("Seven small networks learn to answer this from pairs of handwritten digits, each with an idea of its own.")
for look in PALETTE.values():
    st.markdown(f"**{look.label}** {look.idea}")
st.subheader("What each screen is for", anchor=False)
for screen in [screen for group in GROUPS for screen in group if screen.name != "home"]:
    st.page_link(f"pages/{screen.name}.py", icon=f":material/{screen.icon}:")
    st.caption(screen.purpose)
