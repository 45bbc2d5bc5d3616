"""What the tests of the page read it with, and what they record."""

import html.parser
import json

import minigrad as mg
from minigrad import viz
from minigrad.errors import MissingDependencyError


class Page(html.parser.HTMLParser):
    """The elements of a page as (tag, attributes, text directly in it), read as a browser reads them."""

    VOID = frozenset(("meta", "input", "br", "link", "img"))

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])
        if tag not in self.VOID:
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._open:
            self._open[-1][2] += data

    def by_id(self, name):
        (found,) = [e for e in self.elements if e[1].get("id") == name]
        return found

    def with_class(self, name):
        return [e for e in self.elements if name in (e[1].get("class") or "").split()]

    @property
    def data(self):
        """The story, with what is left out because it stands elsewhere filled in."""
        data = json.loads(self.by_id("data")[2])
        for node in data["nodes"]:
            node["title"], node["kind"] = node.get("t", node.get("op")), node.get("k", "op")
            node["where"], node["code"] = data["lines"][node["at"]] if "at" in node else ("", "")
        known = {node["id"]: node.get("g") for node in data["nodes"]}
        for step in data["steps"]:
            if "p" in step:
                step.setdefault("g", known[step["n"]])
            for part in step.get("p", ()):
                part.setdefault("v", known[part["t"]])
                if "of" in part:
                    part.setdefault("c", known[part["t"]])
        return data


def fan_out():
    """Return a recording of a net in which a value is used three times and a bias is broadcast, and its leaves."""
    w = mg.tensor([[0.5, -0.25], [1.5, 2.0]], requires_grad=True)
    b = mg.tensor([0.1, -0.3], requires_grad=True)
    x = mg.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
    with viz.record(names={"w": w, "b": b, "x": x}) as step:
        h = (x @ w + b).tanh()
        loss = (h * h + h.exp()).sum()
        loss.backward()
    return step, {"w": w, "b": b}


NASTY = [
    "a,a->a",
    "<lambda> <map>",
    "{x|y}",
    "back\\slash \\N",
    "quote \" and '",
    "two\nlines",
    "</script><script>document.title='hit'</script>",
    "<img src=x onerror=\"document.title='hit'\">",
    "{{title}} {{data}}",
    "&lt;b&gt; &amp;",
    "😀 神经网络",
    "tab\tand \x01",
]


def nasty():
    """Return a player in which every name that a user gives is one of the nasty ones."""
    leaves = [mg.tensor(float(i + 1), requires_grad=True) for i in range(len(NASTY))]
    with viz.record(names=dict(zip(NASTY, leaves, strict=True))) as step:
        total = leaves[0]
        for leaf in leaves[1:]:
            total = total * leaf
        total.backward()
    return viz.player(step, title=" ".join(NASTY))


def no_engine():
    raise MissingDependencyError("drawing a graph needs Graphviz: install it")
