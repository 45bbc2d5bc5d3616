"""What training needs beside the model: loading data."""

from minigrad.utils import data

__all__ = ["data"]
