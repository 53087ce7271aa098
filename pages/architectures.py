"""Two architectures side by side: what is in them, what they share, and where they differ."""

import streamlit as st

from core.figures.diagram import describe_architecture, draw_architecture
from core.networks import structure
from core.runs.palette import PALETTE
from core.runs.settings import MODEL_NAMES, ModelName
from pages.app.router import enter_by_router
from pages.app.shared import is_phone
from pages.components.architectures import choose_architecture

BINARY = r"&\mathcal{L} = \operatorname{BCE}(z,\, y)"
LOSSES: dict[ModelName, str] = {
    "TwoChannelsModel": rf"&z = f(x_1, x_2) \\ {BINARY}",
    "TwoBranchesModel": rf"&z = f_2(x_2) - f_1(x_1) \\ {BINARY}",
    "WeightSharingBranchesModel": rf"&z = f(x_2) - f(x_1) \\ {BINARY}",
    "BranchesToVecModel": rf"&z = g(f_1(x_1), f_2(x_2)) \\ {BINARY}",
    "WeightSharingBranchesToVecModel": rf"&z = g(f(x_1), f(x_2)) \\ {BINARY}",
    "WeightSharingAuxiliaryModel": (
        r"&z, d_1, d_2 = g(f(x_1), f(x_2)) \\ "
        rf"{BINARY} + \operatorname{{CE}}(d_1, c_1) + \operatorname{{CE}}(d_2, c_2)"
    ),
    "DirectClassificationModel": (
        r"&d_1 = f(x_1), \quad d_2 = f(x_2) \\ "
        r"&\mathcal{L} = \tfrac{1}{2} \operatorname{CE}(d_1, c_1) + \tfrac{1}{2} \operatorname{CE}(d_2, c_2)"
    ),
}
HEADS = {
    "layer": "Layer", "shape": "Output", "parameters": "Parameters", "multiply_adds": "Multiply-adds", "used": "Used",
}  # fmt: skip
NO_BREAK = "\N{NO-BREAK SPACE}"
SYMBOLS = "$x$: a digit's image; $y$: first ≤ second; $c$: a digit's class; $f$, $g$: what is learnt."

enter_by_router("architectures")
st.title("Where do two architectures differ?")
architectures = structure.load_architectures()
columns = st.columns(2, gap="large")
chosen = {}
for column, key, label, index in zip(columns, ("one", "other"), ("One architecture", "Another"), (1, 2), strict=True):
    model = chosen[key] = choose_architecture(column, label, key, MODEL_NAMES, index)
    architecture = architectures[model]
    numbers = column.container(horizontal=True)
    numbers.metric("Parameters to train", f"{architecture.distinct_parameters:,}", width="content")
    numbers.metric(
        "At work", f"{architecture.parameters:,}", width="content", help="Shared parameters count at each use."
    )
    numbers.metric("Multiply-adds per pair", f"{architecture.multiply_adds:,}", width="content")
    if model in LOSSES:
        column.latex(rf"\begin{{aligned}}{LOSSES[model]}\end{{aligned}}", width="content")
marked = {
    key: structure.find_differences(architectures[chosen[key]], architectures[chosen[other]])
    for key, other in (("one", "other"), ("other", "one"))
}
if any(marked.values()):
    lacking = "What the other architecture lacks has a broken outline and the sign ≠."
else:
    lacking = "Layer by layer the two are alike."
st.caption(f"{SYMBOLS} Boxes of one colour, joined by a double line, are one set of weights used twice. {lacking}")
for column, (key, model) in zip(st.columns(2, gap="large"), chosen.items(), strict=True):
    architecture = architectures[model]
    with column:
        st.header(f"{PALETTE[model].label} :small[`{model}`]", anchor=False)
        with st.container(width=400):
            st.image(
                draw_architecture(architecture, marked[key], dark=st.context.theme.type == "dark"),
                width="stretch",
                alt=describe_architecture(architecture),
            )
        st.download_button(
            "Diagram as SVG", draw_architecture(architecture, marked[key]), f"{model}.svg",
            "image/svg+xml", key=f"export_{key}", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        table = structure.layer_table(architecture, marked[key])
        if is_phone():  # how often a layer is used is in the diagram
            table = table.drop(columns="used")
        else:
            table = table.assign(**{name: table[name].str.replace(" ", NO_BREAK) for name in ("shape", "used")})
        st.table(
            table.rename(columns=HEADS).style.format("{:,}", subset=[HEADS["parameters"], HEADS["multiply_adds"]]),
            border="horizontal",
            hide_index=True,
            alt=f"The layers of {PALETTE[model].label} with shapes, parameters and multiply-adds",
        )
        source = st.expander("Source", icon=":material/code:", key=f"source_{key}", on_change="rerun")
        if source.open:
            source.code(structure.read_source(architecture), language="python")
