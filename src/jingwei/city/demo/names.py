"""Invented names that sound Chinese: places, roads, people, firms."""

from __future__ import annotations

import re

import numpy as np

from jingwei.city.demo.arrays import Texts

# No city, county, town or village of these names is in the national list of divisions of 2016.
CITIES = ("澄川", "云汀", "望澜", "临澄", "锦汀", "平澜", "宁沅", "青汀")
CITIES_EN = ("Chengchuan", "Yunting", "Wanglan", "Lincheng", "Jinting", "Pinglan", "Ningyuan", "Qingting")
RIVERS = ("澄江", "汀水", "澜河", "沅溪江", "锦水", "清涟江")
STREAMS = ("小溪河", "柳叶河", "白鹭溪", "青石河", "桃花溪", "响水河")
DISTRICTS = ("临澜", "青屏", "望汀", "云麓", "东澄", "锦湖", "西岚")
AXES = ("人民路", "中山大道", "解放路", "建设路", "和平路", "长虹路")
FIRST = tuple("文武春秋东西南北明永安宁兴隆福泰康乐祥瑞金玉银翠青碧云星月晨霞松柏竹梅兰荷桂枫柳杏")
SECOND = tuple("昌华阳源湖山江林苑庭台桥园塘溪泉湾岭坪港渡浦洲屿川陵城岗峰")
COMPOUND_FIRST = (
    "锦绣", "翠湖", "阳光", "金色", "碧水", "滨江", "御景", "盛世", "书香", "东方",
    "水岸", "绿洲", "香樟", "天悦", "君悦", "云锦", "和谐", "龙泽", "凤凰", "紫薇",
    "丹桂", "海棠", "望江", "南湖", "星河", "时代", "尚品", "江畔", "枫林", "玉兰",
)  # fmt: skip
COMPOUND_LAST = (
    "花园",
    "家园",
    "雅苑",
    "华府",
    "名邸",
    "城",
    "公馆",
    "里",
    "新城",
    "佳园",
    "湾",
    "庭院",
    "嘉园",
    "府",
)
OLD_COMPOUND_FIRST = (
    "纺织厂", "机床厂", "化肥厂", "水泥厂", "粮食局", "邮电局", "百货公司", "汽运公司",
    "第一中学", "人民医院", "建设", "工人", "红旗", "东风", "胜利", "前进", "团结", "新华", "光明", "跃进",
)  # fmt: skip
OLD_COMPOUND_LAST = ("宿舍", "新村", "家属院", "小区", "一村", "二村", "三村", "大院")

# The twenty most frequent with their shares in per cent: census of 2010 (National Bureau of Statistics, as
# printed by news.hebei.com.cn on 2014-06-25). Assumption: everybody else, who in truth bears one of thousands
# of surnames, bears one of the eighty that follow, in an order from memory.
SURNAMES = tuple(
    "王李张刘陈杨黄赵周吴徐孙马胡朱郭何罗高林郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
SURNAME_SHARES = (
    7.10, 6.96, 6.42, 5.16, 4.26, 2.97, 2.16, 2.03, 1.88, 1.78,
    1.43, 1.39, 1.34, 1.16, 1.14, 1.09, 1.05, 1.00, 0.97, 0.96,
)  # fmt: skip
MALE = tuple("伟强磊军勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林晨轩泽博文昊睿翔峰志国建德成海山松柏")
FEMALE = tuple("芳娜敏静丽艳娟霞秀玲桂英兰梅红燕萍婷雪慧洁莹琳颖怡佳梦欣妍雨涵诗琪悦宁蓉薇倩瑶月云凤")
FIRM_FIRST = tuple("鼎盛华宏泰瑞恒信达丰源润嘉诚新创智博远宇锐联凯顺通捷旺隆")
FIRM_SECOND = tuple("辉泰和达业祥丰海天源元科成益昌美邦益力信安洋龙康博景")


def weights_by_rank(count: int, exponent: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return probabilities that fall with the rank as 1/rank**exponent."""
    weight = 1.0 / np.arange(1, count + 1) ** exponent
    return np.asarray(weight / weight.sum())


# Each character of the names of places above with its sound, for their English names.
_SOUNDS = dict(
    re.findall(
        r"(.)([a-z]+)",
        "文wen武wu春chun秋qiu东dong西xi南nan北bei明ming永yong安an宁ning兴xing隆long福fu泰tai康kang乐le"
        "祥xiang瑞rui金jin玉yu银yin翠cui青qing碧bi云yun星xing月yue晨chen霞xia松song柏bai竹zhu梅mei"
        "兰lan荷he桂gui枫feng柳liu杏xing昌chang华hua阳yang源yuan湖hu山shan江jiang林lin苑yuan庭ting"
        "台tai桥qiao园yuan塘tang溪xi泉quan湾wan岭ling坪ping港gang渡du浦pu洲zhou屿yu川chuan陵ling"
        "城cheng岗gang峰feng临lin澜lan屏ping望wang汀ting麓lu澄cheng锦jin岚lan一yi二er三san四si五wu"
        "六liu七qi八ba九jiu十shi",
    )
)
_KINDS = {
    "街道": "Subdistrict", "社区": "Community", "区": "District", "镇": "Town", "村": "Village",
}  # fmt: skip


def english_name(name: str) -> str:
    """Return the English name of a district, street, community, town or village of the demo city."""
    kind = next(one for one in _KINDS if name.endswith(one))
    sounds = [_SOUNDS[one] for one in name.removesuffix(kind)]
    joined = sounds[0] + "".join(f"'{sound}" if sound[0] in "aeo" else sound for sound in sounds[1:])
    return f"{joined.capitalize()} {_KINDS[kind]}"


def surname_weights() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the probability of each surname."""
    head = np.array(SURNAME_SHARES) / 100.0
    tail = weights_by_rank(len(SURNAMES), 0.3)[len(head) :]
    return np.concatenate([head, tail / tail.sum() * (1.0 - head.sum())])


def distinct(
    random: np.random.Generator, first: tuple[str, ...], second: tuple[str, ...], count: int
) -> Texts:
    """Return that many different names of two parts, numbered through where the pairs run out."""
    pairs = np.array([a + b for a in first for b in second if a != b], dtype=object)
    order = random.permutation(len(pairs))
    rounds = -(-count // len(pairs))
    names = np.concatenate(
        [pairs[order] + (chinese_number(turn + 1) if turn else "") for turn in range(max(rounds, 1))]
    )
    return names[:count]


def chinese_number(value: int) -> str:
    """Return a whole number from 1 to 99 in Chinese characters."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(value, 10)
    return ("" if tens == 0 else "十" if tens == 1 else digits[tens] + "十") + (
        digits[ones] if ones or not tens else ""
    )


def people_names(random: np.random.Generator, female: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Texts:
    """Return a name for each person: a surname by its frequency and a given name of one or two characters."""
    count = len(female)
    surname = np.array(SURNAMES, dtype=object)[random.choice(len(SURNAMES), count, p=surname_weights())]
    return np.asarray(surname + given_names(random, female), dtype=object)


def given_names(random: np.random.Generator, female: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Texts:
    """Return a given name for each person; about one in seven has a single character."""
    count = len(female)
    male, women = np.array(MALE, dtype=object), np.array(FEMALE, dtype=object)
    first = np.where(
        female, women[random.integers(0, len(women), count)], male[random.integers(0, len(male), count)]
    )
    second = np.where(
        female, women[random.integers(0, len(women), count)], male[random.integers(0, len(male), count)]
    )
    second = np.where(random.random(count) < 0.14, "", second)
    return np.asarray(first + second, dtype=object)
