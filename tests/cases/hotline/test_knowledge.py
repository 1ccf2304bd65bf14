"""Articles: found by the words people use, in versions, for a period."""

from datetime import timedelta

import pytest

from cases.conftest import PARKS, WATER
from jingwei.access.policy import RefusedError
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline.errors import ArticleChangedError, UnknownArticleError
from jingwei.cases.hotline.knowledge import Draft, Library, get, history, write
from jingwei.records import now_utc

BODIES = {
    "路灯报修": ("拨打市政热线，报灯杆编号。", ("楼下路灯不亮找谁", "路灯坏了怎么办")),
    "居住证办理": ("带身份证到派出所，十五个工作日领取。", ("怎么办居住证",)),
    "犬只登记": ("到街道登记，接种狂犬疫苗。", ("养狗要办证吗",)),
    "停水通知": ("停水前二十四小时公告。", ("家里没水了",)),
}


@pytest.fixture
def shelf(hotline):
    return {
        title: hotline.article(title, body, questions=questions).id
        for title, (body, questions) in BODIES.items()
    }


def search(hotline, words, **more):
    library = Library()
    with hotline.records.read() as session:
        hits, _ = library.search(session, words, **{"at": now_utc(), **more})
    return [hit.article.title for hit in hits]


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("我家楼下的路灯好几天不亮了", "路灯报修"),
        ("请问居住证怎么办理", "居住证办理"),
        ("邻居养狗没有登记", "犬只登记"),
        ("小区突然没水了", "停水通知"),
    ],
)
def test_what_a_caller_says_finds_the_article_first(hotline, shelf, said, title):
    assert search(hotline, said)[0] == title


def test_what_nobody_wrote_about_finds_nothing(hotline, shelf):
    assert search(hotline, "xyzzy 量子") == []


def test_an_article_is_offered_only_while_it_holds(hotline):
    now = now_utc()
    hotline.article("旧规定路灯", since=now - timedelta(days=9), until=now - timedelta(days=1))
    hotline.article("新规定路灯", since=now + timedelta(days=1))
    assert search(hotline, "路灯") == []
    assert len(search(hotline, "路灯", at=None)) == 2


def test_versions_stay_and_the_second_of_two_writers_is_told(hotline, shelf):
    article, policies = shelf["路灯报修"], hotline.office.desk.policies()
    with hotline.records.write() as session:
        changed = write(
            session, policies, hotline.who("supervisor"), Draft("路灯报修", "新的答复", PARKS),
            article=article, seen=1, note="号码变了",
        )  # fmt: skip
    assert changed.version == 2
    with hotline.records.write() as session, pytest.raises(ArticleChangedError):
        write(session, policies, hotline.who("supervisor"), Draft("甲", "乙", PARKS), article=article, seen=1)
    with hotline.records.read() as session:
        assert [one.body for one in history(session, article)] == ["新的答复", BODIES["路灯报修"][0]]


def test_a_department_writes_its_own_articles_and_takes_none_of_another(hotline, shelf):
    policies = hotline.office.desk.policies()
    with hotline.records.write() as session:
        parks, water = hotline.who("parks"), hotline.who("water")
        assert write(session, policies, parks, Draft("绿化", "浇水", PARKS)).department == PARKS
        with pytest.raises(RefusedError):
            write(session, policies, water, Draft("绿化", "浇水", PARKS))
        with pytest.raises(RefusedError):
            write(session, policies, water, Draft("路灯", "改", WATER), article=shelf["路灯报修"], seen=1)


@pytest.mark.parametrize(
    "draft",
    [
        Draft("", "文", PARKS),
        Draft("题", "<b>文</b>", PARKS),
        Draft("题", "文", "nobody"),
        Draft("题", "文", PARKS, since=now_utc(), until=now_utc() - timedelta(days=1)),
    ],
)
def test_what_is_no_article_is_not_kept(hotline, draft):
    with hotline.records.write() as session, pytest.raises(BadFieldError):
        write(session, hotline.office.desk.policies(), hotline.who("supervisor"), draft)


def test_an_article_that_is_not_there(hotline):
    with hotline.records.read() as session, pytest.raises(UnknownArticleError):
        get(session, 99)
