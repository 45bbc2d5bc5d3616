"""The child process that lays out: DOT text on standard input, a picture on standard output.

Run as `python layout.py ENGINE FORMAT`. It is a process of its own so that it can be given fonts and a time limit, and
so that a fault in the Graphviz libraries ends it and not the program.
"""

import sys

UNLOADABLE = 69  # the exit code that says: the libraries are installed, but something they need is not


def draw(engine: str, picture: str, source: str) -> bytes:
    """Return `source` laid out, by the `dot` program or by the libraries in the pygraphviz wheel."""
    if engine == "dot":
        import graphviz

        try:
            return bytes(graphviz.pipe("dot", picture, source.encode(), quiet=True))
        except graphviz.CalledProcessError as error:
            sys.stderr.buffer.write(error.stderr)
            sys.exit(1)
    try:
        import pygraphviz
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(UNLOADABLE)
    return bytes(pygraphviz.AGraph(string=source).draw(format=picture, prog="dot"))


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(sys.argv[1], sys.argv[2], sys.stdin.buffer.read().decode()))
