"""Numbers as pages write them: the number that is meant, or an error; never a third."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.profiles.functions import FUNCTIONS
from harness.profiles.numbers import grouped, number_in, whole_number

MEANT = [
    ("150.000 đ", 150_000), ("150.000đ", 150_000), ("150,000 VNĐ", 150_000), ("150,000 vnd", 150_000), ("1,250,000₫", 1_250_000),
    ("₫1,250,000", 1_250_000), ("150.000,00 đ", 150_000), ("150000.00", 150_000), ("150000,00 đồng", 150_000), ("150 000 đ", 150_000),
    ("150\u00a0000\u202fđ", 150_000), ("VND 50,000.00", 50_000), ("VNĐ: 50.000", 50_000), ("Lệ phí (đồng): 1.500", 1_500),
    ("150.000 VNÐ", 150_000), ("150.000 đo\u0302\u0300ng", 150_000),
    ("Số tiền: 1.250.000 đ", 1_250_000), ("1.250.000", 1_250_000), ("1,250,000.50", 1_250_000.5), ("1.250.000,5", 1_250_000.5),
    ("1 250 000", 1_250_000), ("1'250'000", 1_250_000), ("1'500", 1_500), ("150.000.đ", 150_000), ("150.000,- đ", 150_000),
    ("- 150.000 đ", 150_000), ("-5", -5), ("\u22125", -5), ("-150.000 đ", -150_000), ("67,9", 67.9), ("93.7 %", 93.7), ("0,125", 0.125),
    ("0.500", 0.5), ("1500.250", 1500.25), ("0", 0), ("0 đ", 0), ("00025", 25), ("12 ngày", 12), ("12ngày", 12), ("(150.000 đ)", 150_000),
    ("150.000 đ/hồ sơ", 150_000), (150_000, 150_000), (1.125, 1.125),
]  # fmt: skip
ERRORS = [
    ("Mức 2: 150.000 đ", "2 numbers"), ("150.000 - 200.000 đ", "2 numbers"), ("25/11/2026", "3 numbers"), ("150\n000", "2 numbers"),
    ("1.500", "two readings"), ("1,500", "two readings"), ("USD 1,500", "two readings"), ("1.500 điểm", "two readings"),
    ("1.250,000 đ", "two readings"), ("1 500", "one number or two"), ("25.11.2026", "no known way"), ("1,23,456", "no known way"),
    ("12.34.567 đ", "no known way"), ("1.234,567,890", "no known way"), ("150.000,50 đ", "part of a đồng"), ("1,5 đ", "part of a đồng"),
    ("2 triệu đồng", "in words"), ("1,5 tỷ", "in words"), ("150k", "in words"), ("150 nghìn", "in words"), ("H08", "within a word"),
    (".50", "after a"), ("Miễn phí", "no number"), ("", "no number"), ("1e5", "2 numbers"), ("٣", "no number"),
    ("5½", "before '½'"), ("10⁶", "before '⁶'"), ("–5", "may be a minus"), ("—5 đ", "may be a minus"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), MEANT)
def test_the_number_that_is_meant(text: object, meant: float) -> None:
    found = number_in(text)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(("text", "why"), ERRORS)
def test_an_error_instead_of_a_guess(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        number_in(text)


@pytest.mark.parametrize(
    ("text", "decimal", "meant"),
    [
        ("1,500", ",", 1.5),
        ("1,500", ".", 1500),
        ("1.500", ",", 1500),
        ("1.234.567,5", ",", 1234567.5),
        ("150.000", ".", 150),
        ("7", ",", 7),
    ],
)
def test_a_separator_that_is_named(text: str, decimal: str, meant: float) -> None:
    assert number_in(text, decimal) == meant == FUNCTIONS["number"](text, decimal)


@pytest.mark.parametrize(("text", "decimal"), [("1,5,0", ","), ("1.5", ","), ("1,500.5", ","), ("12.34", ",")])
def test_a_named_separator_that_does_not_fit(text: str, decimal: str) -> None:
    with pytest.raises(ValueError, match="grouped"):
        number_in(text, decimal)


@given(st.integers(0, 10**12), st.sampled_from([".", ",", " ", "\u00a0", ""]), st.sampled_from([" đ", "đ", " đồng", "₫", " VNĐ", " VND"]))
def test_money_is_read_as_it_was_written(amount: int, separator: str, mark: str) -> None:
    assert number_in(f"{amount:,}".replace(",", separator) + mark) == amount


@given(
    st.integers(0, 10**9),
    st.integers(0, 999),
    st.integers(0, 3),
    st.sampled_from([(".", ","), (",", "."), ("", "."), ("", ","), (" ", ",")]),
)
def test_a_number_is_read_as_it_was_written_or_not_at_all(whole: int, part: int, digits: int, separators: tuple[str, str]) -> None:
    thousands, decimal = separators
    fraction = f"{part:03d}"[:digits]
    written = f"{whole:,}".replace(",", thousands) + (decimal + fraction if fraction else "")
    try:
        found = number_in(written)
    except ValueError:
        return
    assert found == pytest.approx(float(f"{whole}.{fraction or 0}"), rel=1e-12) or (not thousands and found == whole)


@pytest.mark.parametrize(("value", "number"), [("7", 7), (" -7 ", -7), (7, 7), (7.0, 7), ("007", 7)])
def test_whole_numbers(value: object, number: int) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize("value", ["1_000", "1.5", 1.5, "٣", "", "7 đ", True])
def test_what_is_no_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match="whole number"):
        whole_number(value)


def test_amounts_as_pages_write_them() -> None:
    assert [grouped(amount) for amount in (0, 999, 1_000, 1_250_000)] == ["0", "999", "1.000", "1.250.000"]
    assert FUNCTIONS["grouped"](150_000) == "150.000"
