"""Where model weights come from, their licences and their hashes; see docs/models.md."""

from integrations.models.catalogue import CATALOGUE, DEMO, LITE, Model, needed
from integrations.models.fetching import DiskFull, FetchFailed, NoNetwork, NoPackage, WrongHash
from integrations.models.store import ModelStore, Report

__all__ = [
    "CATALOGUE",
    "DEMO",
    "LITE",
    "DiskFull",
    "FetchFailed",
    "Model",
    "ModelStore",
    "NoNetwork",
    "NoPackage",
    "Report",
    "WrongHash",
    "needed",
]
