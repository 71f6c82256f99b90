"""What can be wrong with a student's key or with the key store, said in both languages."""

from __future__ import annotations

from typing import ClassVar

from cases.vault import Unreadable, VaultFault


class Forgotten(Unreadable):
    """The student was forgotten: nobody can open this, whatever keys they hold."""

    code = "forgotten"
    texts = (
        "该学生的资料已按规定清除，任何人都无法再打开。",
        "this student was forgotten as the rules ask: nobody can open it any more.",
    )


class UnknownStudent(VaultFault):
    code = "no_key"
    texts = (
        "密钥库中没有学生 {student} 的密钥。请恢复密钥库的副本（whistle keys restore）。",
        "the key store holds no key for student {student}. Restore a copy of it (`whistle keys restore`).",
    )


class KeyStoreUnprepared(VaultFault):
    code = "key_store_unprepared"
    texts = (
        (
            "密钥库（{where}）尚未建立或已损坏：{why}。"
            "请先运行 whistle migrate，或恢复密钥库的副本（whistle keys restore）。"
        ),
        "the key store ({where}) isn't set up or is damaged: {why}. Run `whistle migrate`, or restore a copy.",
    )


class CopyFaulty(VaultFault):
    code: ClassVar[str] = "key_copy_faulty"
    texts: ClassVar[tuple[str, str]] = (
        "{path} 不是完整的密钥副本。没有改动任何数据。",
        "{path} isn't a whole copy of a key store. Nothing was changed.",
    )


class CopyUnwritten(VaultFault):
    code: ClassVar[str] = "key_copy_unwritten"
    texts: ClassVar[tuple[str, str]] = (
        "密钥副本写不进 {folder}：{why}。没有留下半份，以前的副本没有改动；请腾出空间或检查权限。",
        "No copy of the keys can be written to {folder}: {why}. No half of one is left; free some space there.",
    )


class CopiesElsewhere(VaultFault):
    """Copies were written to another folder than this one, and forgetting has to reach every copy."""

    code: ClassVar[str] = "key_copies_elsewhere"
    texts: ClassVar[tuple[str, str]] = (
        (
            "密钥副本写在另一个目录里，不在 {folder}。遗忘必须到达每一份副本，所以什么都没有改动。"
            "请用 WHISTLE_KEY_COPIES 指明那个目录；若它已不复存在，运行 whistle keys copy --here。"
        ),
        (
            "The copies of the keys were written to another folder than {folder}. Forgetting has to reach every copy, "
            "so nothing was changed. Name that folder (WHISTLE_KEY_COPIES); if it is gone, `whistle keys copy --here`."
        ),
    )
