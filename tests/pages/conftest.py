"""The stores that screens are tested on."""

import shutil

import pytest

from core.runs.store import RunStore
from pages.app import shared
from support.servers import ROOT


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setattr(shared.STORE, "root", tmp_path / "none")


@pytest.fixture
def store(tmp_path, monkeypatch, trained_store):
    shutil.copytree(trained_store, tmp_path / "runs")
    monkeypatch.setattr(shared.STORE, "root", tmp_path / "runs")
    return RunStore(tmp_path / "runs")


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.setattr(shared.STORE, "root", ROOT / "cached_runs")
