"""What a network makes of one pair of digits, step by step."""

import streamlit as st

from pages.components.router import enter_by_router

enter_by_router()
st.title("What does a network make of two digits?")
