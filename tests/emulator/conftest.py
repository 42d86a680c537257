"""A local Azure for each test module, and a project for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api

NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    with LocalAzure(tmp_path_factory.mktemp("azure")) as running:
        yield running


@pytest.fixture
def api(azure: LocalAzure) -> Iterator[Api]:
    project = azure.seed_project(f"project-{next(NAMES)}")
    image = azure.push_image(project)
    made = Api(azure, project, image)
    yield made
    made.http.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "azure"
