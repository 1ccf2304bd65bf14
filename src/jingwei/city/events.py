"""What happens to the city as a whole."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

declare(
    "city.founded",
    Text("城市建立", "The city was founded"),
    subject="city/<id>",
    fields={"adcode": Field(str, Text("行政区划代码", "the code of its division"))},
)
