"""What can be taken out of the tree to see a test fail is still there to be taken out."""

import pytest

from tests.system.faults.removals import REMOVALS, Removal
from tests.system.office import ROOT


@pytest.mark.parametrize("removal", REMOVALS, ids=[removal.what for removal in REMOVALS])
def test_every_removal_takes_something_out_and_leaves_a_program_and_its_test_exists(removal: Removal) -> None:
    text = (ROOT / removal.file).read_text(encoding="utf-8")
    without = removal.taken_from(text)
    assert without != text
    compile(without, removal.file, "exec")
    file, _, name = removal.noticed_by.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
