"""Where policy files lie: the library and a city's own folders. A published version never changes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NoReturn

from policies.faults import Fault, PolicyFaults, one_of, shown
from policies.reading import MOST_BYTES, digest_of, read
from policies.vocabulary import Words

LIBRARY: Final = Path(__file__).parent / "library"


def shelves(extra_dirs: Iterable[Path | str]) -> tuple[Path, ...]:
    """The library, then the folders of a city, in the order in which a version is looked for."""
    return (LIBRARY, *(Path(one) for one in extra_dirs))


def versions(extra_dirs: Iterable[Path | str] = ()) -> tuple[str, ...]:
    """The versions in the library and in `extra_dirs`, by name."""
    return tuple(sorted({path.stem for shelf in shelves(extra_dirs) for path in shelf.glob("*.yaml")}))


def find(path_or_name: Path | str, extra_dirs: Iterable[Path | str] = ()) -> Path:
    """The file of a version, or the path itself where one is given. PolicyFaults for an unknown version."""
    said = str(path_or_name)
    path = Path(path_or_name)
    if isinstance(path_or_name, Path) or path.suffix in {".yaml", ".yml"} or path.name != said:
        return path
    dirs = tuple(extra_dirs)
    for shelf in shelves(dirs):
        held = shelf / f"{said}.yaml"
        if held.is_file():
            return held
    why = Words(f"没有名为 {shown(said)} 的规则", f"there is no policy {shown(said)}")
    return _refuse(shown(said), why, one_of(versions(dirs), said))


def text_of(path: Path) -> str:
    """A policy file's text. Raises PolicyFaults when it can't be read, is far too large or isn't UTF-8."""
    try:
        if path.stat().st_size > MOST_BYTES:
            why = Words("文件太大，不像一份规则", "the file is too large to be a policy")
            _refuse(path.name, why, Words("应小于 1 MB", "less than 1 MB"))
        return path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        why = Words(f"打不开（{reason}）", f"it can't be opened ({reason})")
        _refuse(path.name, why, Words("请检查路径和权限", "check the path and your rights"))
    except ValueError:
        # Not UTF-8, or a path with a null byte in it.
        why = Words("不是 UTF-8 文字", "it isn't UTF-8 text")
        _refuse(path.name, why, Words("请以 UTF-8 编码保存", "save it in UTF-8"))


def registered(version: str, digest: str, path: Path, extra_dirs: Iterable[Path | str] = ()) -> None:
    """A version never changes.

    Raises PolicyFaults when the library or one of `extra_dirs` holds this version with another content, or
    when the file itself stands there under another name than its version's.
    """
    for shelf in shelves(extra_dirs):
        if path.parent.resolve() == shelf.resolve():
            if path.stem != version:
                why = Words(f"文件名与版本 {version} 不一致", f"its name doesn't fit its version {version}")
                right = Words(f"改名为 {version}.yaml", f"call it {version}.yaml")
                _refuse(path.name, why, right, "version")
            continue
        held = shelf / f"{version}.yaml"
        if held.is_file() and digest_of(read(text_of(held), held.name).tree) != digest:
            why = Words(f"版本 {version} 已经发布，内容不同", f"version {version} is published with another content")
            right = Words(
                "已发布的版本不能修改：请换一个新版本号",
                "a published version never changes: give this one a new version",
            )
            _refuse(path.name, why, right, "version")


def _refuse(file: str, why: Words, right: Words, where: str = "") -> NoReturn:
    raise PolicyFaults([Fault(file, 1, where, why, right)])
