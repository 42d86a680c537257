r"""Which texts look like credentials: by their names, by their forms, or because they look random.

Standard library only, and nothing else of this package, so that the policy pack can import it alone. Each table is data
with a test for each row. A name is judged by its words, in any case and style: ``dbPassword``, ``DB_PASSWORD`` and
``db-password`` are one name.

It finds what a person would find, and proves nothing: a password under a harmless name is not found.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

BY_NAME = "by its name"
BY_FORM = "by the form of its value"
RANDOM = "its value looks random"

# --- Names -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NameForm:
    """Names of credentials.

    Attributes:
        ending: Expression for the last words of a name, in lower case with spaces between.
        unless: Endings that mean something else.
        numbers: A number can be the value.
        words: A plain word can be the value; otherwise it is taken for the name of something.
    """

    ending: str
    unless: str = r"(?!)"
    numbers: bool = False
    words: bool = True


NAMES: Mapping[str, NameForm] = {
    "password": NameForm(
        r"(password|passwd|passphrase|passcode|\bpwd|\bpass)s?$",
        unless=r"\b(low|high|multi|first|second|single|boarding) pass$",
        numbers=True,
    ),
    "secret": NameForm(r"secrets?$", numbers=True),
    "token": NameForm(
        r"token$",
        unless=r"\b(next|page|paging|pagination|continuation|cursor|skip|sync|delta|resume|stop|start|end|begin|eos|bos"
        r"|pad|unk|mask|sep|cls|eot|special|max|min|per|prompt|completion|input|output|cancellation|last|first)"
        r" (page )?token$",
    ),
    "key": NameForm(
        r"(api|access|account|admin|app|application|auth|client|consumer|cosmos|db|encryption|decryption|functions?|host"
        r"|hmac|jwt|license|master|openai|private|query|redis|search|secret|server|service|shared|signing|ssh|storage"
        r"|subscription|system|tls|webhook|ai|foundry|speech|translator|maps|bing|anthropic|gemini|google|stripe"
        r"|sendgrid|github) ?(primary |secondary )?keys?$",
        unless=r"(?!)",
    ),
    "key of something": NameForm(
        r"\bkey$",
        unless=r"\b(public|partition|sort|foreign|instrumentation|cache|idempotency|object|row|hash|range|lookup"
        r"|routing|group|message|feature|project|issue|config|settings?|json|field|document|index|natural|surrogate"
        r"|unique|composite|clustering|dedup|deduplication|correlation|translation|hot|blob|path|map|sort|order"
        r"|memory|input|output|state|context|history) key$",
        words=False,
    ),
    "credential": NameForm(
        r"\b(credentials?|creds|authorization|cookies?|bearer|jwt|sas|pat|basic auth|shared access signature)$",
        words=False,
    ),
    "connection string": NameForm(r"\b(connection ?strings?|conn ?strs?|conn strings?)$", words=False),
}
"""Endings of names of credentials; what only numbers a name, as in ``API_KEY_2``, is left out first."""

_TRAILING = frozenset(
    re.findall(
        r"\w+",
        "dev test tst qa uat stage staging prod production live sandbox local primary secondary old new current"
        " previous default backup main global value plain text base b v pem enc encoded ro rw",
    )
)
"""Last words that say which one it is, not what it is; and numbers."""

_SAYS_WHAT = re.compile(
    r"\b(ids?|guid|uuid|oid|commit|revision|rev|sha|digest|etag|checksum|crc|hash|md|fingerprint|thumbprint|trace"
    r"|traceparent|tracestate|span|parent|version|tag|ref|image|names?|host|hostname|account|group|registry"
    r"|public key|instrumentation key)$"
)
"""Names that say what their value is, so that a random one is no credential; a form of FORMS still is."""

_QUERY = {"code": "functions key", "key": "api key", "auth": "auth token", "sig": "shared access signature"}
"""Names that mean a credential in a URL's query only: `code` is how Azure Functions are called [docs]."""

# --- Values that are no credentials ----------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(
    r"(?:(?:bearer|basic|token|apikey)\s+)?(?:\$\{\{.+?\}\}|\$\{[^}]+\}|\$\([^)]+\)|\$[A-Z_][A-Z0-9_]*|\{\{.+?\}\}"
    r"|\{[A-Za-z_][\w. -]*\}|<[^<>]+>|%[A-Z_][A-Z0-9_]*%|\*{3,}|x{3,}|\.{3}|…|\[[A-Za-z][\w -]*\]|your[-_ ][\w -]+"
    r"|@Microsoft\.KeyVault\(.+\)|secretref:\S+|(?:op|env|vault|keyvault|kv|ssm)://\S+|env:\w+|#/\S*)",
    re.IGNORECASE,
)
"""References to a value that is elsewhere, and places to fill in."""

_SWITCH = re.compile(
    r"true|false|yes|no|on|off|y|n|none|null|nil|undefined|unset|n/?a|-|enabled?|disabled?|required|optional|auto"
    r"|default|managed[ _-]?identity|(?:system|user)[ _-]?assigned|entra([ _-]?id)?|aad|azure ?ad|anonymous",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?\d{1,12}(?:[.,_]\d{1,6})*\s?%?")
_WORDS = re.compile(r"[A-Za-z][a-z]*(?:[ _.:,-]?[A-Z]?[a-z]+)*|[A-Z]+(?:[_-][A-Z]+)*")
_LONGEST_WORDS, _LONGEST_PATH = 60, 260
_SCHEME = re.compile(r"(?:bearer|basic|digest|token|apikey|sharedkey)\s+\S+", re.IGNORECASE)
_FILE = re.compile(
    r"(?:~|\.{1,2}|file:/)?(?:/[\w.@ -]+){2,}/?|/[\w-]+\.[a-z]{2,5}|[A-Za-z]:\\.+"
    r"|(?:[\w-]+/)*[\w-]+\.(?:pem|json|key|txt|crt|cer|pfx|p12|ya?ml|env|toml|conf)"
)
_PLAIN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s?#@]+", re.IGNORECASE)
_WITHOUT_PASSWORD = re.compile(r"\s*[A-Za-z][\w .-]*=.*", re.DOTALL)
"""A connection string whose parts are no credentials: a passwordless one, or that of Application Insights."""

# --- Forms of values -------------------------------------------------------------------------------------------------

FORMS: Mapping[str, str] = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\bAGE-SECRET-KEY-1[A-Z0-9]{20}",
    "a password in a URL": r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s:@?#\"'<>]*:(?P<value>[^/\s@\"'<>]+|<[^>]*>)@",
    "a password on a command line": r"(?:^|\s)--(?:password|token|api-?key|(?:client-)?secret)[ =](?P<value>[^\s-]\S*)",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "an Authorization header": r"\b[Bb]earer\s+(?P<value>[A-Za-z0-9._~+/=-]{16,})",
    "an Entra client secret": r"(?<![\w~.-])[\w~.-]{3}[78]Q~[\w~.-]{31,34}(?![\w~-])",
    "a key of an Azure service": r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{30,120}"
    r"(?:JQQJ99|ACDb|AzCa|AzSe|AzFu|\+ASt|\+ARm|\+ACR|AIoT)[A-Za-z0-9+/=]{4,}",
    "a GitHub token": r"\bgh[oprsu]_[A-Za-z0-9_]{8,}|\bgithub_pat_\w{8,}",
    "a GitLab token": r"\bgl(?:pat|dt|rt|ptt|soat|cbt|agent|ft)-[\w.-]{8,}",
    "an OpenAI or Anthropic key": r"\bsk-(?:(?:proj|ant|svcacct|admin|or|lf)-)?(?=[\w-]*\d)[\w-]{16,}",
    "a Stripe key": r"\b(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{8,}",
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b",
    "a Google key": r"\bAIza[\w-]{20,}|\bya29\.[\w-]{16,}|\bGOCSPX-[\w-]{16,}",
    "a Slack token": r"\bxox[abeoprs]-[\w-]{8,}|\bxapp-\d-[\w-]{8,}",
    "a Hugging Face token": r"\b(?:hf|api_org)_[A-Za-z0-9]{12,}",
    "an npm or PyPI token": r"\bnpm_[A-Za-z0-9]{12,}|\bpypi-Ag[\w-]{16,}",
    "a key of a model or search service": r"\b(?:nvapi-|gsk_|xai-|pplx-|r8_|tvly-|fc-|pcsk_|jina_|lsv2_[a-z]{2}_|ls__)"
    r"(?=[\w-]*\d)[\w-]{20,}",
    "a token of a code or document service": r"\b(?:lin_api_|ntn_|dckr_[op]at_|figd_|ATATT3|ATBB)"
    r"(?=[\w=-]*\d)[\w=-]{16,}",
    "a token of an operations service": r"\b(?:dop_v1_|dapi|phx_|glc_|glsa_|sntry[su]_|NRAK-|hv[sb]\.|ops_eyJ)"
    r"(?=[\w+/=-]*\d)[\w+/=-]{16,}",
    "a token of a mail or shop service": r"\bSG\.[\w-]{16,}\.[\w-]{16,}|\bshp(?:at|ss|ca|pa)_[a-f0-9]{16,}"
    r"|\bkey-[a-f0-9]{32}|\bsq0(?:atp|csp)-[\w-]{16,}",
    "a Telegram token": r"(?<!\w)(?:bot)?\d{8,10}:AA[\w-]{30,}",
    "a chat webhook": r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/\w"
    r"|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d|webhook\.office\.com/webhook|outlook\.office(?:365)?\.com/webhook|hooks\.zapier\.com/hooks/catch/\d"
    r"|maker\.ifttt\.com/\S+/key/\w",
    "a password hash": r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{20,}|\$(?:argon2(?:id?|d)|scrypt|6|5)\$\S{16,}",
}
"""What makes a text a credential whatever it is called; ``value`` is the part that can be a placeholder instead."""

_FORMS = {what: re.compile(form) for what, form in FORMS.items()}

_SHORTEST = 6
"""No form is shorter; most texts in a document of an API are."""

_PAIR = re.compile(
    r"(?:^|[?;&,:\s{(\"'])(?P<name>[A-Za-z_][\w.-]{0,60})\s?=\s?[\"']?(?P<value><[^>]*>|\$?\{[^}]*\}|[^;&,\s\"'#)}]+)"
)
_QUERY_PAIR = re.compile(r"[?&](?P<name>[A-Za-z][\w.-]{0,60})=(?P<value>[^&\s\"'#]+)")
_LINE = re.compile(
    r"(?:^|[;,\n{])\s*[\"']?(?P<name>[A-Za-z][\w-]{0,60})[\"']?\s?:\s?[\"']?"
    r"(?P<value>(?i:(?:bearer|basic|token|apikey)\s)?[^\s,;\"'}]+)"
)

# --- Random values ---------------------------------------------------------------------------------------------------

_OBJECTS = (
    "agent|asst|assistant|batch|call|caresp|cassette|chatcmpl|cntr|conv|cus|dataset|eval|evalrun|fc|file|ft|ftjob|ig|in"
    "|item|mcp|mcpl|mem|msg|org|part|price|proj|prod|pi|req|resp|rs|run|sess|session|step|sub|thread|trace|upload|user"
    "|vs|vsfb|wf|ws|wfl"
)
_NAMED_INSIDE = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*(?:PUBLIC KEY|CERTIFICATE(?: REQUEST)?)-----[\s\S]*?-----END"
    r"|\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+) AAAA[A-Za-z0-9+/=]+"
    r"|\bdata:[\w.+-]+/[\w.+-]+;[^,\s]*,[A-Za-z0-9+/=%]+"
    r"|\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s?#\"'<>]+"
    r"|\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
    r"|\b[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b"
    r"|(?i:\b(?:sha-?(?:1|224|256|384|512)|md5|etag|blake3|crc32c?)[:=_-])[A-Za-z0-9+/=_-]+|\bv1k?:[0-9a-f]{64}"
    r"|(?i:\b(?:commit|git|rev|revision|sha|ctx|build|digest|checksum|version|tag|ref|image|trace|span|id))"
    r"[\"']?[:@= _/-]{1,3}[\"']?(?i:g?[0-9a-f]{7,64})\b"
    r"|@[0-9a-f]{40}\b|W/\"[^\"]*\"|\b0x8[A-F][0-9A-F]{12,}"
    rf"|(?<![\w-])(?:{_OBJECTS})[_-](?=[A-Za-z0-9]*\d)[A-Za-z0-9]{{8,}}(?![\w-])"
    r"|(?<![\w.-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}\.[a-z]{2,24}\b"
)
"""Parts of a text that look random and say themselves what they are."""

_RUN = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_PIECE = re.compile(r"[A-Za-z0-9]{20,}")
_HEX = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)
_LEAST_BITS, _LEAST_HEX_BITS, _LEAST_TURNS = 3.3, 3.0, 0.4
_DEEPEST = 8


def why_credential(name: str, value: str) -> str | None:
    """Return why a text looks like a credential, or None.

    Args:
        name: What it is called: an environment variable, an HTTP header, a query parameter, a JSON key.
        value: The text.

    Returns:
        The reason, as a phrase that never contains the value.
    """
    return _why(name, value, 0)


def is_credential_name(name: str) -> bool:
    """Return whether a name alone says that its value is a credential."""
    return any(_names(form, _words(name)) for form in NAMES.values())


def is_filled_in_later(value: str) -> bool:
    """Return whether a text can't be a credential: nothing, a placeholder or reference, a switch, a number."""
    text = value.strip()
    return not text or any(form.fullmatch(text) for form in (_PLACEHOLDER, _SWITCH, _NUMBER))


def why_form(value: str) -> str | None:
    """Return which form of a credential a text contains, or None; its name and its randomness do not count."""
    if len(value) < _SHORTEST:
        return None
    for what, form in _FORMS.items():
        for match in form.finditer(value):
            if "value" not in form.groupindex or not _PLACEHOLDER.fullmatch(unquote(match["value"])):
                return f"{BY_FORM}: {what}"
    if any(_in_query(match["name"], unquote(match["value"])) for match in _QUERY_PAIR.finditer(value)):
        return f"{BY_FORM}: a credential in a URL's query"
    return None


def _why(name: str, value: str, depth: int) -> str | None:
    text = value.strip()
    if not text or _PLACEHOLDER.fullmatch(text):
        return None
    if _named(name, text):
        return BY_NAME
    if found := why_form(text) or _why_pair(text):
        return found
    if text[0] in "{[" and depth < _DEEPEST and (inside := _json(text)) is not None:
        return next((why for key, leaf in leaves("", inside) if (why := _why(key, leaf, depth + 1))), None)
    says_what = _SAYS_WHAT.search(_words(name)) and not re.search(r"password|passwd|secret|token", _words(name))
    return None if says_what else _why_random(text, depth)


def _why_pair(text: str) -> str | None:
    """Judge `name=value` and `name: value` in a text: connection strings, headers, settings."""
    pairs = any(_named(match["name"], unquote(match["value"])) for match in _PAIR.finditer(text))
    if pairs or any(_named_on_a_line(match["name"], match["value"]) for match in _LINE.finditer(text)):
        return f"{BY_FORM}: a key or password in it"
    return None


def _in_query(name: str, value: str) -> bool:
    if name.lower() not in _QUERY:
        return _named(name, value)
    if name.lower() == "code" and re.fullmatch(r"[A-Za-z]{1,6}([_-][A-Za-z]{2,4})?", value):
        return False  # a country, a language, a currency
    return not _PLACEHOLDER.fullmatch(value) and _named(_QUERY[name.lower()], value)


def _named(name: str, value: str) -> bool:
    """Return whether the name is that of a credential, and the value can be one."""
    words = _words(name)
    form = next((form for form in NAMES.values() if _names(form, words)), None)
    if form is None or not value or _is_elsewhere(words, value) or _SWITCH.fullmatch(value):
        return False
    if _NUMBER.fullmatch(value):
        return form.numbers
    if form is NAMES["connection string"] and _WITHOUT_PASSWORD.fullmatch(value):
        return False
    is_word = len(value) <= _LONGEST_WORDS and _WORDS.fullmatch(value) and not _SCHEME.fullmatch(value)
    return form.words or not is_word


def _is_elsewhere(words: str, value: str) -> bool:
    """Return whether a value says where the credential is: a reference, a file, a URL; JSON is judged by parts."""
    return bool(
        _PLACEHOLDER.fullmatch(value)
        or (len(value) <= _LONGEST_PATH and _FILE.fullmatch(value))
        or _PLAIN_URL.fullmatch(value)
        or (words == "pwd" and value.startswith("/"))  # a shell's working directory
        or value[0] + value[-1] in {"{}", "[]"}
    )


def _named_on_a_line(name: str, value: str) -> bool:
    """Judge `name: value`, which prose has, too: only a value that is no word counts."""
    return any(character.isdigit() for character in value) and len(value) >= 8 and _named(name, value)  # noqa: PLR2004


def _names(form: NameForm, words: str) -> bool:
    return bool(re.search(form.ending, words)) and not re.search(form.unless, words)


def _words(name: str) -> str:
    """Return the words of a name, in lower case with spaces between, without those that only number it."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = re.findall(r"[a-z]+|\d+", apart.lower())
    while words and (words[-1].isdigit() or words[-1] in _TRAILING):
        words.pop()
    return " ".join(words)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Return each text in a JSON value with its name; in a list, that of the list."""
    waiting = [(name, value)]
    while waiting:
        here, found = waiting.pop()
        if isinstance(found, str):
            yield here, found
        elif isinstance(found, Mapping):
            waiting += [(str(key), inner) for key, inner in found.items()]
        elif isinstance(found, (list, tuple)):
            waiting += [(here, inner) for inner in found]


def _why_random(text: str, depth: int) -> str | None:
    rest = _NAMED_INSIDE.sub(" ", text)
    for match in _RUN.finditer(rest):
        decoded = _decoded(match[0])
        if decoded is not None and depth < _DEEPEST:
            if found := _why("", decoded, depth + 1):
                return found
        elif is_random(match[0]):
            return RANDOM
    return None


def _decoded(run: str) -> str | None:
    """Return the text that a run is base64 of; None where it is not the base64 of a text."""
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return text if all(character.isprintable() or character in "\r\n\t" for character in text) else None


def is_random(run: str) -> bool:
    """Return whether characters are random: they then change often between upper case, lower case and digits."""
    if any(_is_random_piece(piece) for piece in _PIECE.findall(run)):
        return True
    # Base64 has a separator among 32 characters, names have one among 4 to 12.
    joined = re.sub(r"[^A-Za-z0-9]", "", run)
    is_base64 = len(joined) >= 24 and len(run.rstrip("=")) - len(joined) <= len(run) / 8  # noqa: PLR2004
    return is_base64 and _is_random_piece(joined)


def _is_random_piece(piece: str) -> bool:
    if _HEX.fullmatch(piece):
        return _bits(piece.lower()) >= _LEAST_HEX_BITS
    kinds = ["digit" if each.isdigit() else "upper" if each.isupper() else "lower" for each in piece]
    turns = sum(one != other for one, other in itertools.pairwise(kinds)) / len(piece)
    return _bits(piece) >= _LEAST_BITS and turns >= _LEAST_TURNS


def _bits(text: str) -> float:
    """Return the Shannon entropy of a character, in bits."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)
