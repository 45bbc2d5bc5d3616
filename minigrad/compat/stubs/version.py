"""torch.version: the version whose names and numbers minigrad follows."""

__version__ = "2.13.0+minigrad"
cuda = None
hip = None
git_version = "unknown"
debug = False
