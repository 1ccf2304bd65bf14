from hypothesis import given
from hypothesis import strategies as st

from jingwei.cases.traces import traces

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.lists(TEXT, min_size=1, max_size=6), st.data())
def test_a_text_bears_the_trace_of_each_of_its_parts(texts, data):
    found = traces(texts)
    assert found.shape == (len(texts), 4)
    for text, trace in zip(texts, found, strict=True):
        start = data.draw(st.integers(0, len(text)))
        part = text[start : data.draw(st.integers(start, len(text)))]
        (wanted,) = traces([part])
        assert ((trace & wanted) == wanted).all()


def test_texts_leave_no_trace_on_one_another():
    alone = [traces([text])[0].tolist() for text in ("井盖破损", "", "路", "路灯不亮")]
    assert traces(["井盖破损", "", "路", "路灯不亮"]).tolist() == alone
    assert alone[1] == alone[2] == [0, 0, 0, 0]
    assert traces([]).shape == (0, 4)
