"""How numbers are written for people: one way to round, for every share and difference.

Shares and their differences are fractions of 1 everywhere in the program; people read percent and points.
"""

from decimal import ROUND_HALF_EVEN, Decimal

import pandas as pd

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def round_exactly(value: float, digits: int, factor: int = 1) -> Decimal:
    """`value` × `factor` with `digits` decimals, half to even: 0.8175 -> 0.818, and × 100 with one digit 81.8.

    The mean of ten accuracies, such as 8,175 of 10,000, is a hair off in binary; rounding to 1e-9 first removes the
    hair. So a share, its percentage and a difference from it are always rounded from the same number.
    """
    exact = Decimal(repr(round(float(value), 9))) * factor
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def in_words(count: int) -> str:
    """A number as prose has it: 3 -> 'three', 12 -> '12'."""
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"


def signed(value: float, digits: int = 1, factor: int = 1) -> str:
    """A number for a sentence, with a real minus sign and no negative zero: −0.41 -> '−0.4'."""
    rounded = round_exactly(value, digits, factor)
    return f"{rounded:f}".replace("-", "−") if rounded else f"{abs(rounded):f}"


def fraction(share: float) -> str:
    """An accuracy as Table 1 prints it: 0.8182 -> '0.818'; a dash if there is none."""
    return "–" if pd.isna(share) else signed(share, 3)


def mean_and_deviation(mean: float, deviation: float) -> str:
    """'0.818 ± 0.009'; without a deviation (one round) the mean alone, without rounds a dash."""
    return fraction(mean) if pd.isna(deviation) else f"{fraction(mean)} ± {fraction(deviation)}"


def percent(share: float) -> str:
    """An accuracy for a sentence: 0.8182 -> '81.8 %'."""
    return f"{signed(share, 1, 100)} %"


def points(share: float) -> str:
    """A difference of accuracies in percentage points: −0.0041 -> '−0.4'."""
    return signed(share, 1, 100)


def with_sign(share: float) -> str:
    """As points, with a plus if it is positive: 0.0195 -> '+2.0'."""
    text = points(share)
    return text if text.startswith("−") or not float(text) else f"+{text}"


def in_percent(shares: pd.Series) -> pd.Series:
    """Shares as numbers of percent with one digit, rounded as in sentences: a table's column then agrees with them."""
    return shares.map(lambda share: float("nan") if pd.isna(share) else float(round_exactly(share, 1, 100)))


def plural(count: int, noun: str) -> str:
    """A count for a sentence: '1 round', '1,000 rounds'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
