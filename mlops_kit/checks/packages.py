"""The packages that a conda or requirements file asks for: named once, by names there are, and fit for each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlops_kit.checks import retired
from mlops_kit.checks.findings import Finding, error, warning
from mlops_kit.checks.versions import Span, span
from mlops_kit.documents import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_kit.documents import Node

Installer = Literal["conda", "pip"]
NAME = re.compile(r"[A-Za-z0-9_]+(?:[\w.-]*[A-Za-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Package:
    """One line of a list: as written, its name as all spellings of it have it, and what follows the name."""

    node: Scalar
    name: str
    rest: str
    installer: Installer

    @property
    def versions(self) -> Span:
        """Return the versions that the line allows."""
        return span(re.sub(r"^\s*\[[^\]]*\]", "", self.rest).partition(";")[0])


def packages(items: Iterable[Node], installer: Installer) -> Iterator[Package]:
    """Yield the packages of a list; options, addresses and what is no text are passed over."""
    for item in items:
        if not isinstance(item, Scalar) or item.text.startswith("-") or "://" in item.text.partition(" ")[0]:
            continue
        text = item.text.rpartition("::")[2]
        if found := NAME.match(text):
            yield Package(item, re.sub(r"[-_.]+", "-", found[0]).lower(), text[found.end() :], installer)


def check(found: list[Package], *, runs_batches: bool | None) -> list[Finding]:
    """Return what is wrong with the packages of one file; see ``retired.packages`` for ``runs_batches``."""
    return [
        *retired.packages(((each.node, each.name) for each in found), runs_batches=runs_batches),
        *_imported(found),
        *_twice(each for each in found if each.installer == "conda"),
        *_twice(each for each in found if each.installer == "pip"),
        *_in_both(found),
        *_quarrels(found),
    ]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A name that is not the package's: what pip and conda call it; ``stands_for`` where another package has it.

    ``conda`` is empty where conda has a package of the wrong name, too: a library in C, as a rule, which exported
    files list rightly.
    """

    pip: str
    conda: str = ""
    stands_for: str = ""


# Names that are imported -> what is installed. Those without ``stands_for`` cannot be installed from PyPI, or install
# nothing: the project is absent, empty, or made to fail with the advice.
IMPORTED = {
    "sklearn": Wrong("scikit-learn", "scikit-learn"),
    "skimage": Wrong("scikit-image", "scikit-image"),
    "cv2": Wrong("opencv-python", "opencv"),
    "pil": Wrong("pillow", "pillow"),
    "yaml": Wrong("pyyaml"),
    "dateutil": Wrong("python-dateutil", "python-dateutil"),
    "git": Wrong("gitpython"),
    "magic": Wrong("python-magic"),
    "openssl": Wrong("pyopenssl"),
    "mysqldb": Wrong("mysqlclient"),
    "pptx": Wrong("python-pptx", "python-pptx"),
    "mpl-toolkits": Wrong("matplotlib", "matplotlib"),
    "zmq": Wrong("pyzmq"),
    "pytorch": Wrong("torch"),
    "torch": Wrong("", "pytorch"),
    "tensorflow-gpu": Wrong("tensorflow"),
    "bs4": Wrong("beautifulsoup4", "", "an empty package that installs beautifulsoup4 in any version"),
    "dotenv": Wrong("python-dotenv", "", "a deprecated stand-in"),
    "jwt": Wrong("pyjwt", "", "another project"),
    "crypto": Wrong("pycryptodome", "", "another project"),
    "attr": Wrong("attrs", "", "another project"),
    "serial": Wrong("pyserial", "", "another project"),
    "github": Wrong("pygithub", "", "another project"),
    "usb": Wrong("pyusb", "", "another project"),
    "docx": Wrong("python-docx", "", "another project, of Python 2"),
    "fitz": Wrong("pymupdf", "", "another project"),
    "faiss": Wrong("faiss-cpu", "", "another project, without current versions"),
}


def _imported(found: Iterable[Package]) -> Iterator[Finding]:
    for each in found:
        wrong = IMPORTED.get(each.name)
        right = (wrong.pip if each.installer == "pip" else wrong.conda) if wrong else ""
        if wrong and right:
            hint = f"write `{right}{each.rest}`"
            if wrong.stands_for:
                yield warning("MK0508", each.node.place, f"`{each.name}` on PyPI is {wrong.stands_for}", hint)
            else:
                message = f"there is no package `{each.name}` for {each.installer}"
                yield error("MK0508", each.node.place, message, hint)


def _twice(found: Iterable[Package]) -> Iterator[Finding]:
    """Report packages that one list names again; with markers, each line may be for another machine."""
    seen: dict[str, Scalar] = {}
    for each in found:
        first = seen.setdefault(each.name, each.node)
        if first is not each.node and ";" not in first.text + each.node.text:
            message = f"`{each.node.text}` is there already, as `{first.text}` in line {first.place.line}"
            yield error("MK0504", each.node.place, message, "keep one of them")


def _in_both(found: Iterable[Package]) -> Iterator[Finding]:
    """Report packages that pip would install over what conda installed."""
    own: dict[str, Scalar] = {}
    for each in found:
        if each.installer == "conda":
            own.setdefault(each.name, each.node)
        elif each.name in own:
            first = own.pop(each.name)
            message = f"`{each.node.text}` is installed by conda already, as `{first.text}` in line {first.place.line}"
            yield error("MK0511", each.node.place, message, "keep one of them, with the version that is needed")


@dataclass(frozen=True, slots=True)
class Quarrel:
    """Versions of two packages that do not work together; the fault is shown at the second."""

    first: tuple[str, Span]
    second: tuple[str, Span]
    why: str
    instead: str


_AZUREML_MLFLOW = ("azureml-mlflow", Span(high=(1, 60, float("inf"))))
_AZUREML_MLFLOW_61 = ("azureml-mlflow", Span((1, 61), (1, 61, float("inf"))))
_MLFLOW_2 = Span((2,), (2, float("inf")))
_NUMPY_2 = ("numpy", Span(low=(2,)))
_OLD_NUMPY = "was built for NumPy 1 and cannot be imported with NumPy 2"
QUARRELS = (
    # Azure/azure-sdk-for-python#43661: artefacts are logged with an argument that the plugin does not know.
    *(
        Quarrel((name, Span(low=(3, 5))), _AZUREML_MLFLOW, "fails to log artifacts", f"{name}<3")
        for name in ("mlflow", "mlflow-skinny")
    ),
    # Azure/azure-sdk-for-python#44365: it calls what only MLflow 3 has.
    *(
        Quarrel((name, _MLFLOW_2), _AZUREML_MLFLOW_61, "fails to log artifacts", "azureml-mlflow<1.61")
        for name in ("mlflow", "mlflow-skinny")
    ),
    # Release notes: scikit-learn 1.4.2, pandas 2.2.2 and SciPy 1.13.0 are the first for NumPy 2; NumPy 1.26.0 is the
    # first for Python 3.12, which lacks the distutils that those before are built with.
    Quarrel(_NUMPY_2, ("scikit-learn", Span(high=(1, 4, 1, float("inf")))), _OLD_NUMPY, "scikit-learn>=1.4.2"),
    Quarrel(_NUMPY_2, ("pandas", Span(high=(2, 2, 1, float("inf")))), _OLD_NUMPY, "pandas>=2.2.2"),
    Quarrel(_NUMPY_2, ("scipy", Span(high=(1, 12, float("inf")))), _OLD_NUMPY, "scipy>=1.13"),
    Quarrel(
        ("python", Span(low=(3, 12))),
        ("numpy", Span(high=(1, 25, float("inf")))),
        "cannot be installed with Python 3.12 and above",
        "numpy>=1.26",
    ),
)  # fmt: skip


def _quarrels(found: Iterable[Package]) -> Iterator[Finding]:
    """Report packages whose pins are known not to work together."""
    by_name = {each.name: each for each in found}
    for quarrel in QUARRELS:
        first, second = (by_name.get(name) for name, _ in (quarrel.first, quarrel.second))
        if not first or not second:
            continue
        if first.versions.is_within(quarrel.first[1]) and second.versions.is_within(quarrel.second[1]):
            message = f"`{second.node.text}` beside `{first.node.text}` {quarrel.why}"
            yield error("MK0514", second.node.place, message, f"ask for `{quarrel.instead}`")
