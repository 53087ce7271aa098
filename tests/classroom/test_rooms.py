"""Rooms without a screen: who comes in, what counts, what is refused, and what holds after any sequence of these."""

import random

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from core.classroom.attempts import MOST, REMEMBERED
from core.classroom.limits import RoomLimits
from core.classroom.room import Ballot, RoomError, Vote
from core.classroom.rooms import LETTERS, Rooms
from core.runs.settings import SettingsError

BALLOTS = (Ballot(range(3), 2), Ballot(range(-5, 16)), Ballot(range(2), 1, "[01]{3}"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def changed():
    return []


@pytest.fixture
def rooms(clock, changed):
    return Rooms(BALLOTS, RoomLimits(), clock, random.Random(0), lambda *change: changed.append(change))


def small(**limits: int) -> RoomLimits:
    names = {"rooms": "PAIR_MAX_ROOMS", "students": "PAIR_MAX_STUDENTS", "minutes": "PAIR_ROOM_MINUTES"}
    return RoomLimits.from_environment({names[name]: str(value) for name, value in limits.items()})


def refusal(act, *arguments) -> str:
    with pytest.raises(RoomError) as error:
        act(*arguments)
    return str(error.value)


def test_a_class_guesses_changes_its_mind_and_sees_the_counts_only_when_they_are_revealed(rooms):
    code = rooms.open("teacher")
    assert len(code) == 4
    assert set(code) <= set(LETTERS)
    for student in ("ann", "ben", "eve"):
        assert rooms.join(f" {code.lower()} ", student) == code
    rooms.vote("ann", 0, 0)
    rooms.vote("ann", 0, 2)
    rooms.vote("ben", 0, 1)
    asked = rooms.look("teacher")
    assert (asked.people, asked.answered, asked.counts, asked.steers) == (3, 2, (), True)
    rooms.reveal("teacher", 0, 1)
    seen = rooms.look("ann")
    assert (seen.stage, seen.counts, seen.own, seen.steers) == (1, (0, 1, 1), Vote(0, 2), False)
    rooms.go("teacher", 1)
    assert rooms.look("eve")[2:4] == (1, 0)
    rooms.go("teacher", 0)
    assert rooms.look("eve").stage == 1  # what is revealed stays so
    assert [sorted(votes) for votes in rooms.tally("teacher")] == [[Vote(0, 2), Vote(1, 1)], [], []]


def test_every_change_is_told_and_whether_the_lesson_has_moved(rooms, changed):
    code = rooms.open("teacher")
    rooms.join(code, "ann")
    rooms.vote("ann", 0, 1)
    rooms.go("teacher", 2)
    rooms.reveal("teacher", 2, 1)
    rooms.leave("ann")
    rooms.end("teacher")
    assert changed == [(code, moved) for moved in (False, False, True, True, False, True)]


def test_a_second_press_of_reveal_does_not_skip_a_step_and_a_late_one_does_not_hit_the_next_chapter(rooms):
    rooms.open("teacher")
    rooms.reveal("teacher", 0, 1)
    rooms.reveal("teacher", 0, 1)
    assert rooms.look("teacher").stage == 1
    rooms.go("teacher", 1)
    rooms.reveal("teacher", 0, 2)
    assert rooms.look("teacher").stage == 0


def test_what_is_wrong_is_refused_in_one_sentence_and_nothing_is_lost(rooms):
    code = rooms.open("teacher")
    rooms.join(code, "ann")
    rooms.vote("ann", 0, 1)
    assert refusal(rooms.vote, "ann", 0, 3) == "A guess here is a whole number from 0 to 2."
    assert refusal(rooms.vote, "ann", 0, True) == "A guess here is a whole number from 0 to 2."
    assert refusal(rooms.vote, "ann", 1, 1) == "The class is at chapter 1 now: your guess was for another."
    assert refusal(rooms.vote, "ann", 0, 1, "x") == "What came with this guess is none of this chapter's."
    assert refusal(rooms.vote, "teacher", 0, 1) == f"Join room {code} before you guess."
    for steer in (rooms.go, lambda who, to: rooms.reveal(who, 0, to)):
        assert refusal(steer, "ann", 1) == f"Only the browser that opened room {code} steers it."
    assert refusal(rooms.end, "ann") == f"Only the browser that opened room {code} steers it."
    assert refusal(rooms.tally, "ann") == f"Only the browser that opened room {code} steers it."
    assert refusal(rooms.open, "teacher") == f"You steer room {code}: end it before you open another."
    assert refusal(rooms.leave, "teacher") == f"You steer room {code}: end it before you leave it."
    assert refusal(rooms.go, "teacher", 3) == "A chapter is a whole number from 1 to 3."
    assert refusal(rooms.reveal, "teacher", 0, 3) == "Chapter 1 is revealed in steps from 1 to 2."
    rooms.reveal("teacher", 0, 2)
    assert refusal(rooms.vote, "ann", 0, 2) == "Chapter 1 is revealed already: guesses count until then."
    rooms.go("teacher", 1)
    assert refusal(rooms.vote, "ann", 1, 16) == "A guess here is a whole number from −5 to 15."
    assert rooms.tally("teacher")[0] == [Vote(1, 1)]
    assert refusal(rooms.look, "eve") == "You are in no room, or yours has ended: join one with its code."


def test_a_note_must_fit_its_chapter(rooms):
    rooms.join(rooms.open("teacher"), "ann")
    rooms.go("teacher", 2)
    rooms.vote("ann", 2, 1, "010")
    for note in ("0101", 5, None, "01x"):
        refusal(rooms.vote, "ann", 2, 1, note)
    rooms.reveal("teacher", 2, 1)
    assert rooms.look("teacher").votes == (Vote(1, 1, "010"),)


def test_a_games_answers_count_before_anything_is_guessed_and_stay_when_it_is(rooms):
    code = rooms.open("teacher")
    rooms.join(code, "ann")
    rooms.join(code, "ben")
    rooms.go("teacher", 2)
    rooms.vote("ann", 2, None, "010")
    assert rooms.look("teacher").answered == 0  # nobody has guessed
    assert refusal(rooms.vote, "ann", 2, None) == "A guess here is a whole number from 0 to 1."
    rooms.vote("ben", 2, None, "111")
    rooms.vote("ben", 2, 1, "111")
    rooms.reveal("teacher", 2, 1)
    seen = rooms.look("teacher")
    assert (seen.answered, seen.counts) == (1, (0, 1))
    assert seen.votes == (Vote(None, None, "010"), Vote(1, 1, "111"))


def test_a_room_takes_so_many_people_and_the_server_so_many_rooms(clock):
    rooms = Rooms(BALLOTS, RoomLimits(), clock)
    codes = [rooms.open(f"teacher {place}") for place in range(20)]
    assert refusal(rooms.open, "one more") == "This server holds 20 rooms at once, and all are taken: try later."
    for place in range(200):
        rooms.join(codes[0], f"student {place}")
    assert refusal(rooms.join, codes[0], "one more") == f"Room {codes[0]} is full: it takes 200 students."
    assert rooms.join(codes[0], "student 7") == codes[0]  # who is in comes back
    rooms.leave("student 7")
    rooms.join(codes[0], "one more")


def test_who_joins_another_room_leaves_the_first(rooms):
    first, second = rooms.open("one"), rooms.open("other")
    rooms.join(first, "ann")
    rooms.vote("ann", 0, 1)
    rooms.join(second, "ann")
    assert (rooms.look("one").people, rooms.look("one").answered, rooms.look("other").people) == (0, 0, 1)
    assert refusal(rooms.join, second, "one") == f"You steer room {first}: end it before you join another."
    assert rooms.find("ann") == second


def test_what_is_revealed_stays_when_people_leave(rooms):
    rooms.join(rooms.open("teacher"), "ann")
    rooms.vote("ann", 0, 1)
    rooms.reveal("teacher", 0, 1)
    rooms.leave("ann")
    view = rooms.look("teacher")
    assert (view.counts, view.people, view.answered) == ((0, 1, 0), 1, 1)


def test_a_room_ends_after_two_hours_without_a_sign_and_says_so(rooms, clock):
    code = rooms.open("teacher")
    rooms.join(code, "ann")
    clock.now = 7_000
    rooms.look("ann")  # a sign
    clock.now = 14_000
    assert rooms.find("teacher") == code
    clock.now = 14_201
    assert (rooms.find("teacher"), rooms.find("ann")) == ("", "")
    assert refusal(rooms.join, code, "eve") == f"Room {code} has ended."
    assert refusal(rooms.vote, "ann", 0, 1) == "You are in no room, or yours has ended: join one with its code."


def test_a_code_cannot_be_found_by_trying(rooms, clock):
    code = rooms.open("teacher")
    assert refusal(rooms.join, "zz", "eve") == "There is no room 'ZZ': a code has four letters, such as KRPT."
    assert refusal(rooms.join, "z" * 99, "eve").startswith("There is no room 'ZZZZZZZZZZZZ':")
    for place in range(MOST - 2):
        refusal(rooms.join, f"no {place}", "eve")
    assert refusal(rooms.join, code, "eve").startswith("That were 10 wrong codes: wait ten minutes")
    rooms.join(code, "ann")  # nobody else notices
    clock.now = 600
    rooms.join(code, "eve")


def test_what_is_remembered_of_wrong_codes_is_bounded(rooms):
    for place in range(REMEMBERED + 50):
        refusal(rooms.join, "none", f"browser {place}")
    assert len(rooms.attempts) == REMEMBERED


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PAIR_MAX_ROOMS", "0", "PAIR_MAX_ROOMS is '0', but must be a whole number from 1 to 1,000."),
        ("PAIR_ROOM_MINUTES", "x", "PAIR_ROOM_MINUTES is 'x', but must be a whole number from 1 to 1,440."),
        (
            "PAIR_ADDRESS", "school",
            "PAIR_ADDRESS is 'school', but must be an address such as http://192.168.0.10:8501.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence(name, value, sentence):
    with pytest.raises(SettingsError) as error:
        RoomLimits.from_environment({name: value})
    assert str(error.value) == sentence


def test_the_settings_are_read():
    named = {"PAIR_MAX_ROOMS": "3", "PAIR_MAX_STUDENTS": "40", "PAIR_ADDRESS": "http://10.0.0.2:8501/pairs"}
    limits = RoomLimits.from_environment(named)
    assert limits.model_dump() == {
        "rooms": 3, "students": 40, "minutes": 120, "address": "http://10.0.0.2:8501/pairs"
    }  # fmt: skip


VISITORS = st.sampled_from([f"visitor {place}" for place in range(8)])
NUMBERS = st.integers(-6, 17)


class AnySequence(RuleBasedStateMachine):
    """Whatever people do, in whatever order: refused or not, the rooms stay whole."""

    codes = Bundle("codes")

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.rooms = Rooms(BALLOTS, small(rooms=2, students=3, minutes=10), self.clock, random.Random(1))
        self.revealed = {}  # (code, chapter) -> the counts as they were revealed

    def attempt(self, act, *arguments):
        try:
            return act(*arguments)
        except RoomError as error:
            sentence = str(error)
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @rule(target=codes, who=VISITORS)
    def open(self, who):
        return self.attempt(self.rooms.open, who) or "none"

    @rule(code=codes, who=VISITORS)
    def join(self, code, who):
        self.attempt(self.rooms.join, code, who)

    @rule(who=VISITORS)
    def leave(self, who):
        self.attempt(self.rooms.leave, who)

    @rule(who=VISITORS, chapter=st.integers(0, 2), value=NUMBERS, note=st.sampled_from(["", "101", "?"]))
    def vote(self, who, chapter, value, note):
        self.attempt(self.rooms.vote, who, chapter, value, note)

    @rule(who=VISITORS, chapter=st.integers(-1, 3))
    def go(self, who, chapter):
        self.attempt(self.rooms.go, who, chapter)

    @rule(who=VISITORS, chapter=st.integers(0, 2), stage=st.integers(0, 3))
    def reveal(self, who, chapter, stage):
        self.attempt(self.rooms.reveal, who, chapter, stage)

    @rule(code=consumes(codes), who=VISITORS)
    def end(self, code, who):
        self.attempt(self.rooms.end, who)

    @rule(seconds=st.integers(0, 400))
    def wait(self, seconds):
        self.clock.now += seconds

    @invariant()
    def rooms_are_whole(self):
        rooms, held = self.rooms._rooms, self.rooms._whereabouts
        assert len(rooms) <= 2
        assert rooms.keys() == self.rooms._signs.keys()
        inside = [(visitor, room.code) for room in rooms.values() for visitor in (room.teacher, *room.people)]
        assert sorted(inside) == sorted(held.items())  # everybody is in one room, and in no two
        for room in rooms.values():
            assert len(room.people) <= 3
            assert room.teacher not in room.people
            for chapter, (votes, stage, ballot) in enumerate(zip(room.votes, room.stages, room.ballots, strict=True)):
                assert 0 <= stage <= ballot.steps
                assert all(vote.first in ballot.values and vote.last in ballot.values for vote in votes.values())
                assert len(votes) <= 3
                if stage:
                    kept = self.revealed.setdefault((id(room), chapter), (room, dict(votes)))
                    assert kept[1] == votes  # nothing counts after the reveal, and nothing is lost
                else:
                    assert votes.keys() <= room.people

    @invariant()
    def nobody_sees_a_guess_before_the_reveal(self):
        for visitor, code in self.rooms._whereabouts.items():
            view = self.rooms._rooms[code].look(visitor)
            assert (sum(view.counts) == view.answered) if view.stage else view.counts == view.votes == ()
            assert view.answered <= view.people


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = profile(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
