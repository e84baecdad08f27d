"""How far a partition is done, and what a restart knows of it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.notifier.offsets import MAX_METADATA, Offsets, read, write


def test_what_is_done_out_of_order_is_remembered_beyond_the_offset() -> None:
    offsets = Offsets(10)
    for offset in (10, 11, 12, 15, 16):
        assert offsets.begin(offset)
    for offset in (11, 12, 16):
        offsets.finish(offset)
    assert offsets.commit() == (10, "1-2,6")
    offsets.finish(10)
    assert offsets.commit() == (15, "1")
    offsets.finish(15)
    assert offsets.commit() == (17, "")


def test_the_next_life_takes_only_what_was_not_done() -> None:
    offsets = Offsets(10, read(10, "1-2,6"))
    assert [offset for offset in (10, 11, 12, 15, 16, 17) if offsets.begin(offset)] == [10, 15, 17]
    assert not offsets.begin(15)  # read again after a seek
    offsets.finish(10)
    assert offsets.commit() == (15, "1")


def test_what_does_not_fit_is_left_out() -> None:
    text = write(0, range(1, 10_000, 2))
    assert 3_900 < len(text) <= MAX_METADATA
    assert read(0, text) == set(range(1, max(read(0, text)) + 1, 2))


def test_foreign_metadata_say_nothing() -> None:
    for text in ("", "consumed by hand", "1-", "-3", "1,x", "0-99999999999999", "١"):
        assert read(5, text) == set()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_order_of_finishing_loses_and_doubles_nothing(data: st.DataObject) -> None:
    """A life that ends anywhere, 200 cases: the next one takes exactly what was not finished."""
    count = data.draw(st.integers(1, 30))
    begun = data.draw(st.integers(0, count))
    finished = data.draw(st.lists(st.sampled_from(range(begun)), unique=True)) if begun else []
    offsets = Offsets(0)
    assert all(offsets.begin(offset) for offset in range(begun))
    for offset in finished:
        offsets.finish(offset)
    first, metadata = offsets.commit()
    after = Offsets(first, read(first, metadata))
    taken = [offset for offset in range(first, count) if after.begin(offset)]
    assert sorted([*finished, *taken]) == list(range(count))
