"""Why somebody isn't let in, or a request isn't believed. Facts; `api.errors` knows what they are in HTTP."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "signed_out": ("请先登录", "please sign in first"),
    "code_needed": ("还需要动态验证码", "the second factor's code is still needed"),
    "enrolment_needed": ("您的职务须先设置动态验证码", "your post asks for a second factor: set it up first"),
    "change_needed": ("请先换一个新口令", "please choose a new password first"),
    "wrong_password": ("登录名或口令不对", "the name or the password isn't right"),
    "wrong_code": ("验证码不对，或者已经用过", "the code isn't right, or has been used already"),
    "wrong_one_time_code": (
        "登录名或一次性代码不对，或者代码已过期；请向管理员再要一个",
        "the name or the one-time code isn't right, or it has expired; ask an administrator for another one",
    ),
    "weak_password": ("这个口令不能用：{why_zh}", "this password can't be used: {why_en}"),
    "passwords_differ": ("两遍新口令不一样", "the new password was typed in two ways"),
    "too_many": ("失败次数太多，请 {minutes} 分钟后再试", "too many failed tries: try again in {minutes} min"),
    "forged": (
        "这个页面太旧了，或者不是从本系统打开的；请重新打开再试",
        "this page is too old, or wasn't opened here; open it again and try once more",
    ),
    "out_of_scope": ("这个令牌不包括 {scope}", "this token doesn't include {scope}"),
    "session_only": ("这里须本人登录，令牌不行", "this needs somebody signed in; a token won't do"),
    "login_taken": ("登录名“{login}”已经有人用了", "the login {login} is taken"),
    "bad_login": (
        "登录名须为 2 到 64 个字母、数字或 . _ @ -",
        "a login has 2 to 64 letters, digits or . _ @ -",
    ),
    "has_account": ("这名人员已经有账号", "this member has an account already"),
    "no_account": ("这名人员没有账号", "this member has no account"),
    "no_second_factor": ("还没有设置动态验证码", "no second factor is set up"),
    "unknown_scope": ("没有“{scope}”这种权限范围；可用：{known}", "there is no scope {scope}; known are: {known}"),
    "bad_expiry": ("有效期须在 1 到 {days} 天之间", "it has to be good for 1 to {days} days"),
    "oidc_off": ("没有启用统一身份认证", "no identity provider is set up"),
    "oidc_away": ("统一身份认证没有应答，请稍后再试", "the identity provider doesn't answer; try again later"),
    "oidc_refused": (
        "统一身份认证没有通过，请重新登录",
        "the identity provider didn't let you in, or its answer can't be believed; try again",
    ),
    "oidc_unknown": (
        "统一身份认证的这个身份在本系统没有账号；请联系管理员",
        "nobody here has that identity; ask an administrator",
    ),
}


class SignInFault(Exception):
    """Somebody isn't let in, or an account can't be changed so. Nothing of it was written but the failed try itself."""

    def __init__(self, code: str, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """One sentence in `zh_CN` or `en`."""
        return TEXTS[self.code][0 if language == "zh_CN" else 1].format(**self.facts)


class SignedOut(SignInFault):
    """Nobody is signed in, or not all the way: `code` says what is missing."""

    def __init__(self, code: str = "signed_out") -> None:
        super().__init__(code)
