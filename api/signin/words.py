"""What the pages of signing in say, zh_CN and en: they are shown before anybody's preferences are known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PAGE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "product": ("吹哨报到", "Whistle and report"),
        "purpose": ("学生危机个案协同", "students' cases, worked on together"),
        "skip": ("跳到主要内容", "Skip to the main content"),
        "other_language": ("English", "中文"),
        "sign_in": ("登录", "Sign in"),
        "login": ("登录名", "Login"),
        "password": ("口令", "Password"),
        "first_or_lost": (
            "首次登录，或忘了口令？用管理员给的一次性代码",
            "First time here, or password lost? Use a one-time code",
        ),
        "or": ("或者", "or"),
        "by_provider": ("用{name}登录", "Sign in with {name}"),
        "provider": ("统一身份认证", "the city's identity provider"),
        "code_title": ("动态验证码", "Second factor"),
        "code": ("验证码", "Code"),
        "code_hint": (
            "请输入手机验证器上的 6 位数字；手机不在身边时，可用一个恢复代码。",
            "The six digits that your authenticator shows, or one of your recovery codes.",
        ),
        "go_on": ("继续", "Go on"),
        "enrol_title": ("设置动态验证码", "Set up your second factor"),
        "enrol_why": (
            "您的职务能看到较多内容，因此登录时除口令外还要一个验证码。",
            "Your post sees more than others, so a code is asked for besides the password.",
        ),
        "enrol_scan": (
            "用验证器应用（如微信小程序“腾讯身份验证器”、Microsoft Authenticator）扫描：",
            "Scan this with an authenticator application:",
        ),
        "enrol_type": ("扫不了？手工输入这个密钥：", "Can't scan it? Type this key:"),
        "enrol_code": ("应用里现在显示的 6 位数字", "The six digits that it shows now"),
        "qr": ("二维码", "QR code"),
        "codes_title": ("请保存恢复代码", "Keep your recovery codes"),
        "codes_why": (
            "手机丢失时，每个代码可代替验证码用一次。这些代码只显示这一次，请打印或抄下，放在安全的地方。",
            "Each stands in for a code once, should your telephone get lost. Shown this once: print or note them.",
        ),
        "codes_kept": ("已保存，继续", "I have kept them: go on"),
        "first_title": ("设置口令", "Choose a password"),
        "first_hint": (
            "一次性代码由管理员当面给您，只能用一次。",
            "An administrator gives you the one-time code in person; it is good once.",
        ),
        "one_time": ("一次性代码", "One-time code"),
        "new_password": ("新口令", "New password"),
        "again": ("再输一遍新口令", "The new password once more"),
        "password_hint": (
            "至少 10 个字符；一句好记的话最好，不要用姓名、电话、生日。",
            "Ten characters at least; a sentence that is easy to remember is best, no names, numbers or birthdays.",
        ),
        "change_title": ("修改口令", "Change your password"),
        "elsewhere": (
            "您通过统一身份认证登录，口令和两步验证在那里设置。",
            "You sign in at your city's identity provider: password and second factor are set there.",
        ),
        "old_password": ("现在的口令", "Present password"),
        "save": ("保存", "Save"),
        "sign_out": ("退出", "Sign out"),
        "security": ("登录与安全", "Sign-in and security"),
        "sessions": ("现有登录", "Open sessions"),
        "this_one": ("当前", "this one"),
        "opened": ("登录于", "since"),
        "used": ("最近使用", "last used"),
        "end": ("结束", "End"),
        "end_others": ("结束其他全部登录", "End all others"),
        "change_ends": (
            "修改后，其他登录、您的全部令牌和日历订阅链接都会失效。",
            "Every other session, all of your API tokens and your calendar link end with it.",
        ),
        "tokens": ("令牌", "API tokens"),
        "no_tokens": ("您没有有效的令牌。", "You have no token that is good."),
        "good_until": ("有效期至", "good until"),
        "never_used": ("从未使用", "never used"),
        "by_other": ("由管理员发出", "drawn by an administrator"),
        "revoke": ("收回", "Revoke"),
        "factor": ("动态验证码", "Second factor"),
        "factor_on": ("已启用，剩余恢复代码 {count} 个", "in force; recovery codes left: {count}"),
        "factor_off": ("未启用", "not set up"),
        "set_up": ("现在设置", "Set it up now"),
        "new_codes": ("换一套恢复代码", "Draw new recovery codes"),
        "events": ("账号记录", "What was done to your account"),
        "by_admin": ("管理员操作", "by an administrator"),
        "problem": ("有一处需要改正", "Something needs to be put right"),
        "demo": ("演示环境，请勿录入真实信息", "A demonstration: enter nothing real"),
        "signed_out": ("您已退出。", "You have signed out."),
    }
)

EVENTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "account_opened": ("开通账号", "account opened"),
        "password_set": ("用一次性代码设置了口令", "password chosen with a one-time code"),
        "password_changed": ("修改口令", "password changed"),
        "enrolled": ("启用动态验证码", "second factor set up"),
        "recovery_codes": ("换了恢复代码", "new recovery codes"),
        "reset": ("管理员给了一次性代码", "one-time code given out"),
        "reset_with_totp": (
            "管理员给了一次性代码，动态验证码重设",
            "one-time code given out, second factor to be set up anew",
        ),
        "sessions_ended": ("结束全部登录", "all sessions ended"),
        "tokens_revoked": ("收回全部令牌", "all API tokens revoked"),
        "calendar_ended": ("停用日历订阅链接", "calendar link ended"),
        "token_drawn": ("发出令牌", "API token drawn"),
        "token_revoked": ("收回令牌", "API token revoked"),
        "linked": ("关联统一身份认证", "linked with the identity provider"),
    }
)
