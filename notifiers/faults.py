"""What can be wrong with a channel or a template, said to a person in both languages."""

from __future__ import annotations

from typing import ClassVar, Final

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "no_address": (
        "这不是渠道地址。应当像 wecomx://机器人的key、mailtos://用户:口令@邮件服务器?to=收件人。",
        "This isn't a channel's address. It should look like wecomx://KEY or mailtos://user:password@host?to=ADDRESS.",
    ),
    "not_allowed": (
        "不允许使用 {schema}:// 这种渠道。可用：{known}。",
        "{schema}:// is not among the channels allowed here. Allowed are: {known}.",
    ),
    "faulty": (
        "{schema}:// 地址写法不对。应当像 {wanted}。",
        "The {schema}:// address is faulty. It should look like {wanted}.",
    ),
    "unknown_option": (
        "{schema}:// 地址里不能用选项“{what}”。可用：{known}。",
        "The option {what} can't be used in a {schema}:// address. Known are: {known}.",
    ),
    "several": (
        "一个渠道只能有一个收件地址；请为每个地址各设一个渠道。",
        "A channel has exactly one recipient; make a channel for each address.",
    ),
    "inside": (
        "{schema}:// 地址指向内部网络，不允许使用。管理员可以用 WHISTLE_CHANNELS_INSIDE 放行某个网段。",
        "The {schema}:// address leads inside, which isn't allowed. WHISTLE_CHANNELS_INSIDE may allow a network.",
    ),
    "no_port": (
        "{schema}:// 地址里的端口 {what} 不存在：端口只能是 1 到 65535。",
        "The {schema}:// address names port {what}, but ports are 1 to 65535.",
    ),
    "mail_gate": (
        "WHISTLE_MAIL 写法不对，应当像 mailtos://用户:口令@服务器?from=发信地址（用户名里的 @ 写作 %40）。",
        "WHISTLE_MAIL should look like mailtos://user:password@server?from=ADDRESS (an @ in the user is %40).",
    ),
    "no_mail_gate": (
        "还没有设置发信服务器（WHISTLE_MAIL），不能用邮件。",
        "No mail server is set (WHISTLE_MAIL), so mail can't be sent.",
    ),
    "no_sms_gate": (
        "还没有设置短信网关（WHISTLE_SMS），不能发短信。",
        "No SMS gateway is set (WHISTLE_SMS), so no text message can be sent.",
    ),
    "no_email": ("这个人没有登记邮箱。", "No mail address is registered for this person."),
    "no_phone": ("这个人没有登记手机号。", "No phone number is registered for this person."),
    "sms_template": (
        "短信网关的设置写法不对：{why}",
        "The setting of the SMS gateway is faulty: {why}",
    ),
    "no_bot": (
        "“{what}”写法不对，应当像 wecomx=https://wecom.example.cn。",
        "{what!r} should look like wecomx=https://wecom.example.cn.",
    ),
    "no_network": (
        "“{what}”不是网段。应当像 10.20.0.0/16。",
        "{what!r} isn't a network. It should look like 10.20.0.0/16.",
    ),
}

NO_GATE: Final = frozenset({"no_mail_gate", "no_sms_gate"})
"""What an installation hasn't set, whatever its members wish for."""

_FOR_MEMBERS: Final[dict[str, tuple[str, str]]] = {
    "no_mail_gate": (
        "本系统还不能发邮件。请联系管理员开通，或先用别的渠道。",
        "Mail can't be sent from here yet: ask the administrator, or use another channel for now.",
    ),
    "no_sms_gate": (
        "本系统还不能发短信。请联系管理员开通，或先用别的渠道。",
        "Text messages can't be sent from here yet: ask the administrator, or use another channel for now.",
    ),
    "inside": (
        "{schema}:// 地址指向内部网络，不允许使用。确需使用时请联系管理员。",
        "The {schema}:// address leads inside, which isn't allowed. Ask the administrator if you need it.",
    ),
}
"""Where the cure is a setting: whoever can't change it isn't told its name."""
_SPOKEN: Final[dict[str, tuple[str, str]]] = {
    "timed_out": ("对方在限定时间内没有答复", "no answer in time"),
    "unreachable": ("连接不上", "it can't be reached"),
    "broken": ("连接中断，或答复不是约定的格式", "the connection broke, or what came wasn't an answer"),
    "tls": ("证书或加密连接有问题", "the certificate or the encrypted connection is faulty"),
    "inside": ("地址指向内部网络，不允许使用", "it leads into an inner network, which isn't allowed"),
    "redirected": ("对方要求转到别处；我们不跟随转向", "it wants to send us elsewhere, and we don't follow"),
    "unreadable_answer": ("答复看不懂", "the answer can't be read"),
    "login": (
        "对方不接受本系统的账号或口令，或账号已欠费",
        "it doesn't take our account: its password, or its balance",
    ),
    "sender": ("对方不接受本系统的发信地址", "it doesn't take our sender's address"),
    "gateway_refused": ("短信网关没有接受", "the SMS gateway didn't take it"),
}


def spoken(fault: str, language: str) -> str:
    """Why a sending failed, in `zh_CN` or `en`, for the person who tries a channel out."""
    zh = language == "zh_CN"
    found = _SPOKEN.get(fault) or _SPOKEN.get(fault.partition("_")[0])
    if found is not None:
        return found[0 if zh else 1]
    return f"对方拒绝了（{fault}）" if zh else f"it was refused ({fault})"


class ChannelFault(ValueError):
    """A channel can't be opened; nothing was sent. Facts never hold the address, which is a secret."""

    exit_code: ClassVar[int] = 2

    def __init__(self, code: str, /, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The message in `zh_CN` or `en`; any other language is answered in English."""
        return _TEXTS[self.code][0 if language == "zh_CN" else 1].format_map(self.facts)

    def text_for_members(self, language: str) -> str:
        """The same for somebody who sets up their own channels and can't change a setting."""
        texts = _FOR_MEMBERS.get(self.code)
        return self.text(language) if texts is None else texts[0 if language == "zh_CN" else 1].format_map(self.facts)


class TemplateFault(ValueError):
    """One or more templates can't be used: all are named at once, each with its file and why."""

    exit_code: ClassVar[int] = 2

    def __init__(self, faults: list[tuple[str, str, str]]) -> None:
        self.faults = faults
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """A line for each faulty template, in `zh_CN` or `en`."""
        zh = language == "zh_CN"
        head = "消息模板有误，没有发送任何消息：" if zh else "Message templates are faulty; nothing was sent:"
        return "\n".join([head, *(f"{name}: {chinese if zh else english}" for name, chinese, english in self.faults)])
