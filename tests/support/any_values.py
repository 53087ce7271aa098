"""Any values, drawn at random, and what must come of them: a right answer or one clear sentence."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some

BOUND = 20_000  # ms an example; the first one also imports, and the machine may be busy
NUMBERS = some.one_of(some.integers(), some.floats(), some.sampled_from([0, 1, -1, 2**31, 10**400, 1e308, 0.5, 100]))
LEAVES = some.one_of(some.none(), some.booleans(), NUMBERS, some.text(max_size=20))
JSON = some.recursive(
    LEAVES, lambda inner: inner | some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=8
)
few = settings(max_examples=25, deadline=BOUND, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and "Traceback" not in text


def attempt(function, *arguments):
    """What the function gives, or None where it refuses in a sentence."""
    try:
        return function(*arguments)
    except ValueError as error:
        sentence = str(error)
    assert is_sentence(sentence)
    return None
