"""Thirty people in a room of the lesson: how soon a chapter is with everybody, and a vote on the projector.

    python -m benchmarks.room [--people 30] [--train]

Starts the dashboard on a copy of the shipped runs. A teacher and thirty students, each over Streamlit's own websocket
with the events that its page listens to, go through the chapters with options: the teacher moves on, all guess at once.
With --train, the server's workers train meanwhile. Sessions, server and workers share a machine.

Prints each figure with its bound; exit status 1 if one is missed.
"""

import argparse
import asyncio
import json
import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.classroom import fill_queue
from benchmarks.screens import start_server
from benchmarks.visitors import Log, Session, choose_runs, open_session, quantile
from core.analysis.lesson import CHAPTERS
from core.runs.store import STORE

BOUND = 1.0  # seconds, for 95 of 100
ROUNDS = 3  # that the class goes through the chapters
ASKED = [chapter for chapter in CHAPTERS if chapter.options and chapter.name != "game"]


class Member(Session):
    """One person's page. `chapter`: the one it shows; `answered`: how many have, on the teacher's."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.chapter, self.answered, self.code = -1, -1, ""
        self.turn = asyncio.Lock()

    def _read_delta(self, kind: str, message: ForwardMsg) -> None:
        super()._read_delta(kind, message)
        element = message.delta.new_element
        if (
            element.WhichOneof("type") == "bidi_component"
            and element.bidi_component.component_name == "lesson_progress"
        ):
            self.chapter = json.loads(element.bidi_component.json)["here"]
        if found := re.search(r'class="code">(\w+)<.*?<b>(\d+)</b>', element.html.body):
            self.code, self.answered = found[1], int(found[2])

    async def rerun(self, kind: str, fragment: str = "", press: str = "") -> None:
        """One after another, as a browser's."""
        async with self.turn:
            await super().rerun(kind, fragment, press)

    async def attend(self) -> None:
        """Be woken until cancelled."""
        while True:
            await self.dwell(3_600)

    async def press_here(self, label: str) -> None:
        """Press a button of the lesson."""
        await self.rerun("press", self.fragments[label], press=label)

    async def go(self, place: int) -> None:
        """Follow the progress line to a chapter, as the teacher does."""
        key = "lesson_progress"
        state = WidgetState(id=self.ids[key], json_value=json.dumps({"chapter": place}))
        self.widgets[key] = state
        await self.rerun("steer", self.fragments[key])
        del self.widgets[key]

    async def guess(self, place: int, code: str, option: str) -> None:
        """Choose one of a chapter's options."""
        key = f"lesson_guess_{code}_{place}"
        state = WidgetState(id=self.ids[key])
        state.string_array_value.data.append(option)
        self.widgets = {key: state}
        await self.rerun("guess", self.fragments[key])


async def enter(address: str, log: Log, query: str = "") -> Member:
    """Somebody's browser, on the lesson."""
    session = await open_session(address, log)
    member = Member(session.socket, address, log)
    member.pages = session.pages
    await member.visit("lesson", query)
    return member


async def wait(condition: Any) -> float:
    """Seconds until it holds; at most half a minute."""
    started = time.perf_counter()
    while not condition() and time.perf_counter() - started < 30:
        await asyncio.sleep(0.005)
    return time.perf_counter() - started


async def teach(address: str, people: int, log: Log) -> tuple[list[float], list[float]]:
    """Seconds until each student had the next chapter, and until each round of guesses was on the projector."""
    teacher = await enter(address, log)
    await teacher.press_here("Open a room")
    students = [await enter(address, log, f"room={teacher.code}") for _ in range(people)]
    attending = [asyncio.create_task(member.attend()) for member in (teacher, *students)]
    await asyncio.sleep(2)
    moved, counted = [], []
    for lesson in range(ROUNDS):
        for chapter in ASKED:
            moving = [asyncio.create_task(wait(lambda s=s, c=chapter: s.chapter == c.place)) for s in students]
            await teacher.go(chapter.place)
            moved += await asyncio.gather(*moving)
            if lesson == 0:
                for student in students:
                    await asyncio.sleep(random.uniform(0, 0.2))
                    before = teacher.answered
                    counting = asyncio.create_task(wait(lambda before=before: teacher.answered > before))
                    await student.guess(chapter.place, teacher.code, random.choice(chapter.options))
                    counted.append(await counting)
            await asyncio.sleep(0.5)
    for task in attending:
        task.cancel()
    return moved, counted


async def measure(
    address: str, server: psutil.Process, arguments: argparse.Namespace
) -> list[tuple[str, float, float]]:
    """What was measured, the value, and the highest allowed."""
    log = Log()
    if arguments.train:
        await fill_queue(address, choose_runs(10))
        await asyncio.sleep(20)
    await teach(address, 2, log)  # evidence is found, figures are made
    before = server.memory_info().rss
    moved, counted = await teach(address, arguments.people, log)
    print(
        f"Memory of the server: {(server.memory_info().rss - before) / 2**20:+.0f} MB with {arguments.people} people."
    )
    print(f"Medians: chapter {quantile(moved, 50):.2f} s, vote {quantile(counted, 50):.2f} s.")
    return [
        ("a chapter is with everybody, p95", quantile(moved, 95), BOUND),
        ("a vote is on the projector, p95", quantile(counted, 95), BOUND),
        ("errors", len(log.errors), 0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--train", action="store_true", help="train meanwhile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "runs"
        shutil.copytree(STORE, store)
        process, address, _ = start_server(store)
        try:
            figures = asyncio.run(measure(address, psutil.Process(process.pid), arguments))
        finally:
            process.terminate()
            process.wait()
    for name, value, bound in figures:
        print(f"{name}: {value:.2f} (at most {bound:g})")
    sys.exit(any(value > bound for _, value, bound in figures))


if __name__ == "__main__":
    main()
