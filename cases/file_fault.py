"""What can be wrong with a file that somebody gives, said in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cases.refusal import FieldFault, Refusal

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "file_empty": ("文件是空的", "the file is empty"),
    "file_too_large": ("文件超过 {limit} MB，请压缩或拆开后再传", "the file has more than {limit} MB: make it smaller"),
    "file_kind": (
        "不收这种文件（{found}）。可以传照片（JPEG、PNG、WebP）、扫描件（TIFF）和 PDF",
        "such a file ({found}) isn't taken: photos (JPEG, PNG, WebP), scans (TIFF) and PDF are",
    ),
    "file_heic": (
        "这是 HEIC 照片，别的单位多半打不开。请在手机的相机设置里选“兼容性最佳”，或另存为 JPEG 再传",
        "this is a HEIC photo that others can't open: set the camera to “most compatible”, or save it as JPEG",
    ),
    "file_damaged": (
        "文件不完整或已损坏，打不开。请重新保存后再传一次",
        "the file is cut short or damaged and can't be opened: save it again and send it once more",
    ),
    "file_moving": ("不收动图，请截取静止的画面", "moving pictures aren't taken: send a still one"),
    "file_pixels": (
        "图片太大（{found} 百万像素），最多 {limit} 百万",
        "the picture is too large ({found} million pixels): {limit} million at most",
    ),
    "file_pages": ("页数太多（{found} 页），最多 {limit} 页", "too many pages ({found}): {limit} at most"),
    "pdf_active": (
        "PDF 里有会自己运行或夹带的内容（{found}）。请“打印为 PDF”后再传",
        "the PDF holds something that runs or is carried inside ({found}): print it to a new PDF and send that",
    ),
    "pdf_locked": (
        "PDF 加了密码，无法检查。请取消密码，或“打印为 PDF”后再传",
        "the PDF is locked by a password and can't be checked: unlock it, or print it to a new PDF",
    ),
    "pdf_opaque": (
        "PDF 的结构无法检查（{found}）。请“打印为 PDF”后再传",
        "the PDF is built in a way that can't be checked ({found}): print it to a new PDF and send that",
    ),
    "file_name": ("请给文件一个名称", "the file needs a name"),
    "quota_of_case": (
        "这个个案的附件已满（{limit} MB 或 {count} 个）",
        "this case's files have reached their limit ({limit} MB, or {count} files)",
    ),
    "quota_of_day": (
        "您今天上传的附件已满（{limit} MB 或 {count} 个），明天再传",
        "your files have reached the day's limit ({limit} MB, or {count} files): go on tomorrow",
    ),
    "no_file": (
        "这个个案里没有这个附件（{reference}），请先上传",
        "this case has no such file ({reference}): upload it first",
    ),
}
"""The text of each fault of a file, in zh_CN and en, with the facts that it needs."""
UNRECOGNISED: Final = (
    "无法识别的文件。可以传照片（JPEG、PNG、WebP）、扫描件（TIFF）和 PDF",
    "this file can't be recognised: photos (JPEG, PNG, WebP), scans (TIFF) and PDF are taken",
)
"""Instead of `file_kind` where nobody can tell what the file is."""


def said(code: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """The text of a file's fault, in zh_CN and en. Raises KeyError for a code that is none."""
    if code == "file_kind" and not facts.get("found"):
        return UNRECOGNISED
    zh, en = TEXTS[code]
    return zh.format_map(facts), en.format_map(facts)


class FileFault(Refusal):
    """A file isn't taken; nothing of it was kept. It is the `invalid` of its field."""

    def __init__(self, code: str, /, *, field: str = "file", **facts: str) -> None:
        super().__init__("invalid", faults=(FieldFault(field, code, facts),))
