"""Geocoding: addresses a second on one core, by the address table of the demo city.

Run: python bench/geocode.py [addresses]. Each is one of the table as people write it: city, district or
street left out, 栋 for 幢, a flat behind it; a fifth have one wrong character. None is asked twice.
"""

import json
import os
import re
import sys
import time

import numpy as np

from jingwei.city.demo import settings_of
from jingwei.city.demo.layout import lay_out
from jingwei.city.geocoding import Gazetteer, normal


def damaged(random: np.random.Generator, text: str) -> str:
    left_out = random.integers(3)
    if left_out:
        text = re.sub(r"^.*?[市区]", "", text, count=1)
    if left_out == 2:
        text = re.sub(r"^.*?(区|街道)", "", text, count=1)
    text = text.replace("幢", random.choice(["幢", "栋", "号楼"]))
    if random.random() < 0.2 and len(text) > 6:
        at = int(random.integers(1, 3))
        text = text[:at] + "某" + text[at + 1 :]
    return text + str(random.choice(["", "2单元301室", " 502室"]))


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    table = lay_out(settings_of("S", 1)).addresses.full.tolist()
    gazetteer = Gazetteer([(text, 114.0, 22.0) for text in table])
    random = np.random.default_rng(5)
    chosen = [table[n] for n in random.permutation(len(table))[:wanted]]
    texts = list(dict.fromkeys(damaged(random, text) for text in chosen))
    started, worked = time.perf_counter(), time.process_time()
    found = gazetteer.find_all(texts)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    known = {normal(text) for text in table}
    told = {
        "table": len(table),
        "addresses": len(texts),
        "per_s": round(len(texts) / seconds),
        "per_processor_s": round(len(texts) / processor),
        "to_the_building": round(float(np.mean([one.precision == "building" for one in found])), 4),
        "in_table": round(float(np.mean([one.address in known for one in found])), 4),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
