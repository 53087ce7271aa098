"""The evidence of the chapters, found once for all visitors."""

import streamlit as st

from core.analysis.evidence import EVIDENCE
from core.analysis.exhibit import Evidence
from pages.app.shared import STORE, read_runs


@st.cache_resource(max_entries=2 * len(EVIDENCE), show_spinner=False)
def find_evidence(name: str, signature: int) -> Evidence:
    """What a chapter shows, which nobody changes; `signature` is planned_signature's."""
    return EVIDENCE[name](STORE, read_runs())
