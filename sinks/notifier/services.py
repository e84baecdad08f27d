"""URLs of channels → apprise services. Only schemes that do nothing but send, and no parameter that reads a file."""

import logging
import re
from collections.abc import Collection
from typing import Final

from apprise import Apprise, AppriseAsset
from apprise.plugins import NotifyBase

SCHEMES: Final = frozenset(
    (
        "apprise", "apprises", "bark", "barks", "dingtalk", "discord", "form", "forms", "gotify", "gotifys", "hassio",
        "hassios", "ifttt", "json", "jsons", "lark", "line", "mailto", "mailtos", "matrix", "matrixs", "mmost",
        "mmosts", "nctalk", "nctalks", "ntfy", "ntfys", "opsgenie", "pagerduty", "pbul", "pover", "prowl", "revolt",
        "rocket", "rockets", "schan", "signal", "signals", "simplepush", "slack", "spush", "tgram", "twilio",
        "workflows", "wxteams", "xml", "xmls", "zulip",
    )
)  # fmt: skip
"""Everything else must be allowed by name: other services write to this machine or open connections of their own."""
_FILES: Final = frozenset(
    {"template", "attach", "keyfile", "subfile", "pgpkey", "pgp", "smime", "cert", "key"}
)
"""Parameters by which a URL could make us read one of our files and send it out."""
_SCHEME: Final = re.compile(r"([a-z][a-z0-9]{1,31})://", re.IGNORECASE)

# It writes URLs, and with them passwords, into its log.
logging.getLogger("apprise").disabled = True


class Unusable(ValueError):
    """The URL is no channel. The message never repeats it: it holds secrets."""


def scheme_of(url: str) -> str:
    """The scheme of `url`. Raises Unusable."""
    found = _SCHEME.match(url.strip())
    if found is None:
        raise Unusable("expected a URL of apprise such as json://host/path or tgram://token/chat")
    return found[1].lower()


def service_of(url: str, also: Collection[str] = ()) -> NotifyBase:
    """The service that `url` names. Raises Unusable for what is no URL or not allowed; `also`: more allowed schemes."""
    scheme = scheme_of(url)
    if scheme not in SCHEMES and scheme not in also:
        raise Unusable(f"{scheme}:// is not among the allowed schemes; the operator may add it to `schemes`")
    # Read as apprise will: it splits at semicolons too.
    parsed = NotifyBase.parse_url(url, verify_host=False)
    if parsed is None:
        raise Unusable(f"apprise cannot read this {scheme}:// URL: a part is missing or wrong")
    if reading := sorted(_FILES.intersection(name.lower() for name in parsed["qsd"])):
        raise Unusable(f"parameter {reading[0]} names a file, which no channel may read")
    asset = AppriseAsset(
        secure_logging=True, http_redirects=False, app_id="Strikeline", app_desc="Strikeline"
    )
    service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(service, NotifyBase):
        raise Unusable(f"apprise cannot read this {scheme}:// URL: a part is missing or wrong")
    return service
