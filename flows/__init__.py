"""Prefect lives here, and only here: the flow, its tasks, the command line."""

from .prefect_setup import prepare

prepare()
