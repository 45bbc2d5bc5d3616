"""Helpers beside the framework proper: loading data."""
