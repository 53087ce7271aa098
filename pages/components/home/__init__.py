"""What stands on Home below the game: how it looks, and the seven at a glance."""

import base64
from collections.abc import Mapping
from html import escape

import streamlit as st

from core.analysis.numbers import percent
from core.figures.sketch import describe_sketch, sketch_architecture
from core.networks.structure import Architecture, load_architectures
from core.runs.palette import PALETTE
from core.runs.settings import REPORT_MODELS, ModelName
from pages.components.files import read_style

STYLE = read_style(__file__, "home.css")


def show_glance(accuracies: Mapping[ModelName, float]) -> None:
    """A row for each architecture of the report: name, idea, tiny diagram, parameters, and its accuracy if known."""
    architectures = load_architectures()
    rows = [_row(architectures[model], accuracies.get(model)) for model in REPORT_MODELS]
    st.html(
        f'{STYLE}<table class="glance"><thead><tr><th>Architecture</th><th>Idea</th><th>Layers</th><th>Parameters</th>'
        f"<th>Accuracy</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _row(architecture: Architecture, accuracy: float | None) -> str:
    model, look = architecture.model, PALETTE[architecture.model]
    svg = sketch_architecture(architecture, dark=st.context.theme.type == "dark")
    picture = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    share = "–" if accuracy is None else percent(accuracy).replace(" ", "&nbsp;")
    return (
        f'<tr><th scope="row"><i style="background:{look.colour}"></i>'
        f'<a href="architectures?one={model}">{escape(look.label)}</a></th><td>{escape(look.idea)}</td>'
        f'<td><img src="{picture}" alt="{escape(describe_sketch(architecture))}"></td>'
        f"<td>{architecture.distinct_parameters:,}<span> parameters</span></td><td>{share}</td></tr>"
    )
