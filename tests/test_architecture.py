"""The plan of the house: imports go down only, and each foreign library has one door."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (
    "errors exits floats patience verdict wide words",
    "claim contract domain expected form input_witness operation record",
    "backends calls contexts determined guard kernel oracle points regimes signatures spread state "
    "strategies tensors wide_rows",
    "accuracy adapters bounding bulk_judgement call_forms candidate cases confirmation consistency corpus "
    "display drawn_options elements entries evidence examination findings found hints judgement literals "
    "namesakes ordinary own planned profile proof prover reduction refuter related relations reproducer "
    "samples search side_effects simplex snapshots snippet sources standalone substitute tables tally "
    "targets trial",
    "catalogue forms operations",
    "assertions attempts audit_findings audit_report audit_words auditing autograd certificates checking "
    "facts known report results sweeps",
    "__main__ audit_commands audit_process check_commands claim_files cli commands isolation ledger output "
    "parallel places report_commands runs suites sweep_commands terminal testing worker",
)
"""The rooms of each floor, from the ground up; a package is one room."""

DOORS = {
    "sympy": {"verify.contexts.symbolic", "verify.contexts.latex"},
    "mpmath": {"verify.contexts.exact"},
    "flint": {"verify.contexts.ball", "verify.contexts.contents", "verify.contexts.series"},
    "torch": {"verify.backends"},
    "hypothesis": {"verify.calls", "verify.strategies", "verify.evidence"},
    "distributed": {"verify.sweeps.cluster"},
    "numpy": {"verify.adapters"},
    "jax": {"verify.adapters"},
    "jinja2": {"verify.report.html"},
    "markupsafe": {"verify.report.html"},
    "msgspec": {"verify.report.model"},
    "latex2mathml": {"verify.report.mathml"},
    "rich": {"verify.terminal"},
    "pytest": {"verify.suites", "verify.testing"},
}
"""The modules that may import a foreign library."""

WHOLE_ROOMS = {
    "torch": "verify.corpus",
    "numpy": "verify.corpus.right_elsewhere",
    "jax": "verify.corpus.right_elsewhere",
}
"""Packages of which every module may: the corpus consists of functions written in them."""


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "verify").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = _modules()


def _imports(path: Path) -> Iterator[str]:
    """Every module that the file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def _floor(module: str) -> int:
    room = module.split(".")[1]
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms.split()), -1)


INSIDE = [name for name in MODULES if name != "verify"]


@pytest.mark.parametrize("module", INSIDE)
def test_every_module_is_on_a_floor(module: str) -> None:
    """A new room is entered in the table before it is used."""
    assert _floor(module) >= 0


@pytest.mark.parametrize("module", INSIDE)
def test_imports_go_down_only(module: str) -> None:
    """A module imports from its own floor or from below."""
    upward = [name for name in _imports(MODULES[module]) if name in INSIDE and _floor(name) > _floor(module)]
    assert upward == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """The modules can be put in an order in which each comes after those that it imports."""
    graph = {name: {i for i in _imports(path) if i in INSIDE} - {name} for name, path in MODULES.items()}
    assert set(graphlib.TopologicalSorter(graph).static_order()) >= set(INSIDE)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_foreign_libraries_enter_by_their_door(module: str) -> None:
    """A foreign library is imported by the module that adapts it and by no other."""
    foreign = {name.split(".")[0] for name in _imports(MODULES[module])} & set(DOORS)
    allowed = {name for name, room in WHOLE_ROOMS.items() if f"{module}.".startswith(f"{room}.")}
    assert {name for name in foreign if module not in DOORS[name]} <= allowed


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_package_never_imports_the_proofs(module: str) -> None:
    """Claims are found as plug-ins, so that a user's claims stand on the same footing."""
    assert [name for name in _imports(MODULES[module]) if name.split(".")[0] == "proofs"] == []


def _loaded_by(statement: str) -> set[str]:
    """The top-level names of the modules that a fresh interpreter loads for the statement."""
    script = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in out.stdout.split()}


@pytest.mark.parametrize("statement", ["import verify", "import verify.cli"])
def test_importing_the_front_doors_loads_nothing_heavy(statement: str) -> None:
    """Help and tab completion do not wait for SymPy or torch."""
    assert _loaded_by(statement) & set(DOORS) == set()


@pytest.mark.parametrize("path", [str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("[pv]*/**/*.py"))])
def test_every_file_says_its_purpose_in_one_line(path: str) -> None:
    """The first line of a file tells what the room holds."""
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    assert len(docstring.partition("\n")[0]) > 5
