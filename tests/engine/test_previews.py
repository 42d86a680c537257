"""A preview plans no replacement that an update would not make."""

from __future__ import annotations

import pytest

from tests.engine.shop import configure, planned_by
from tests.support.harness import Deployment

pytestmark = pytest.mark.engine


@pytest.mark.long
def test_a_tag_or_a_description_is_an_update_of_a_protected_stack(shop: Deployment) -> None:
    """Finding field-faults F1, case 90: pulumi-azure-native#1080, pulumi#15969. Azure assigns the principal."""
    project = shop.project
    configure(project, protect="true")
    project.up().succeeded()

    configure(project, displayName="Shop", description="All that sells.")
    assert planned_by(project) == {"shop-project": "update"}
    configure(project, registryTags={"team": "support"})
    assert planned_by(project) == {"images-registry": "update"}

    before = len(shop.writes())
    configure(project, displayName="Shop", tags={"team": "support"}, registryTags={"team": "support"})
    updated = project.run("up", "--yes", "--stack", project.stack).succeeded()
    assert "replace" not in updated.output
    written = {entry.method + " " + entry.path.rpartition("/providers/")[2] for entry in shop.writes()[before:]}
    assert len(written) == 7, written
    assert all(each.startswith("PUT ") and "roleAssignments" not in each for each in written), written
