"""What is never content of a package or an image, and which files look like credentials [ours]."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate

NEVER_CONTENT = (
    # Version control.
    *(".git", ".hg", ".svn"),
    # Made by Python, Node.js and their tools on each machine; a folder with pyvenv.cfg counts as ".venv".
    *("__pycache__", ".venv", "node_modules", ".ipynb_checkpoints"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".coverage"),
    # Settings of one machine or one person, often with credentials; those in KEPT_SETTINGS are content.
    *(".env", ".env.*", ".env-*", ".env_*", ".envrc", ".flaskenv", ".azure"),
    # State of deployment tools, this one included.
    *(".pulumi", ".terraform", ".foundry-agents"),
    # Editors and operating systems.
    *(".idea", ".vs", ".vscode", "*.swp", "*~", ".#*", ".DS_Store", "._*", "Thumbs.db", "desktop.ini"),
)
"""Names of files and folders, at any depth, that are left out unless an ignore file names them after a ``!``."""

KEPT_SETTINGS = (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults")
"""Templates of settings, by convention without values."""

VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
"""A folder with this file is a virtual environment, whatever its name is."""

OURS = ".foundry-agents"
"""What begins like this is this library's own, and nothing brings it back."""

_PROBE_BYTES = 1 << 16
"""How much of a file is searched for a credential: keys and settings are small."""

_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n)+[A-Za-z0-9+/=:,.\s\\-]{60}")
"""With a body: documents show the first line alone."""
_URL_PASSWORD = re.compile(rb"://[^/\s:@$]+:[^/\s@$]+@")
_CREDENTIAL_VARIABLE = re.compile(
    rb"(?im)^\s*(export\s+)?([a-z0-9]+_)*(key|token|secret|password|passwd|pwd|pat)[ \t]*=[ \t]*[\"']?[^\s\"'$<{#]{6}"
)
"""Of a file of variables; a reference to another variable and a placeholder in angle brackets are none."""
_SETTINGS_KEY = re.compile(rb'(?i)key=|(key|secret|password)"\s*:\s*"[^"]')
_KEY_SUFFIXES = (".pem", ".key", ".p8", ".p12", ".pfx", ".pkcs12", ".jks", ".keystore", ".kdbx", ".ppk", ".crt", ".cer")
"""An exception such as ``!**/*.pem`` names files of these kinds; any other credential is named by its whole name."""


@dataclass(frozen=True)
class _Form:
    """A kind of file that holds credentials.

    Attributes:
        path: Pattern of its name, or of its folder and name.
        what: What it is.
        content: What its bytes must contain; None for a file whose name is proof enough.
    """

    path: str
    what: str
    content: re.Pattern[bytes] | None = None


CREDENTIAL_FILES = (
    _Form(r"id_(rsa|dsa|ecdsa|ed25519)(_sk)?(\.bak|\.old)?", "an SSH private key"),
    _Form(r"id_(rsa|dsa|ecdsa|ed25519)[^/]*", "an SSH private key", _PRIVATE_KEY),
    _Form(r"[^/]+\.ppk", "a PuTTY private key"),
    _Form(r"[^/]+\.(p12|pfx|pkcs12)", "a certificate with its private key"),
    _Form(r"[^/]+\.(jks|keystore)", "a Java key store"),
    _Form(r"[^/]+\.kdbx", "a password database"),
    _Form(
        r"[^/]*(\.|_|-|^)(pem|key|p8|json|crt|cer|asc|ovpn)([._-](txt|bak|old|orig|save|copy|[0-9]+))?",
        "a private key",
        _PRIVATE_KEY,
    ),
    _Form(r"[^/]+\.env", "settings with a credential", _CREDENTIAL_VARIABLE),
    _Form(r"\.git-credentials", "Git's stored passwords"),
    _Form(r"[._]netrc", "passwords of hosts"),
    _Form(r"\.pgpass|pgpass\.conf|\.my\.cnf", "passwords of a database"),
    _Form(r"\.npmrc", "a token of a package registry", re.compile(rb"_(auth|authToken|password)\s*=\s*(?!\$\{)\S")),
    _Form(r"\.yarnrc\.yml", "a token of a package registry", re.compile(rb"npmAuth(Token|Ident):\s*(?!.?\$\{)\S")),
    _Form(r"\.pypirc", "a token of a package index", re.compile(rb"(?m)^\s*password\s*[=:]\s*\S")),
    _Form(r"\.?pip\.(conf|ini)|uv\.toml|pyproject\.toml", "a password of a package index", _URL_PASSWORD),
    _Form(r"[^/]*requirements[^/]*\.(txt|in)", "a password of a package index", _URL_PASSWORD),
    _Form(r"nuget\.config", "a password of a package feed", re.compile(rb'(?i)cleartextpassword"?\s+value="[^%"]')),
    _Form(r"\.cargo/credentials(\.toml)?", "a token of a package registry"),
    _Form(r"([^/]+\.)?tfstate(\.[^/]*)?", "Terraform's state, which holds secrets in the clear"),
    _Form(r"credentials\.tfrc\.json|\.vault-token|\.databrickscfg", "a token of a service"),
    _Form(r"kubeconfig|\.kube/config", "a login to a Kubernetes cluster"),
    _Form(r"\.aws/credentials", "keys of AWS"),
    _Form(r"gh/hosts\.yml", "a token of GitHub", re.compile(rb"oauth_token:\s*\S")),
    _Form(
        r"\.docker/config\.json|\.dockercfg", "logins to registries", re.compile(rb'"(auth|identitytoken)"\s*:\s*"[^"]')
    ),
    _Form(r"msal_token_cache[^/]*|token_cache[^/]*\.json|accesstokens\.json", "cached tokens of Azure"),
    _Form(r"service_principal_entries[^/]*", "cached credentials of Azure"),
    _Form(r"[^/]+\.publishsettings", "credentials for publishing to Azure"),
    _Form(r"application_default_credentials\.json", "credentials of Google Cloud"),
    _Form(r"local\.settings\.json", "keys of Azure Functions", _SETTINGS_KEY),
    _Form(r"\.dev\.vars|\.streamlit/secrets\.toml|\.secrets", "secrets of one machine"),
)
"""Files that stop a preview, unless an ignore file excludes them or names them after a ``!``."""

_FORMS = tuple((re.compile(rf"(?:[^/]*/)?(?:{form.path})", re.IGNORECASE), form) for form in CREDENTIAL_FILES)
_ANY_FORM = re.compile(rf"(?:[^/]*/)?(?:{'|'.join(form.path for form in CREDENTIAL_FILES)})", re.IGNORECASE)
"""One look that rules out almost every file."""


def _core(name: str) -> str:
    """Return the part of a name that makes it one of these: ``.env`` of ``.env-*``."""
    return re.sub(r"(?<=\w)[._-]$", "", name.strip("*"))


_NEVER = tuple((re.compile(translate(name), re.IGNORECASE), _core(name)) for name in NEVER_CONTENT)


def never_content(name: str) -> str | None:
    """Return what an exception must hold to bring a file or folder of this name back; None for usual content."""
    if name.lower() in KEPT_SETTINGS:
        return None
    return next((core for pattern, core in _NEVER if pattern.match(name)), None)


def name_of_exception(name: str) -> str:
    """Return what an exception must hold to name a file that looks like a credential."""
    return next((suffix for suffix in _KEY_SUFFIXES if name.lower().endswith(suffix)), name)


def credential_in(path: str, head: Callable[[int], bytes]) -> str | None:
    """Return what a file looks like if it looks like a credential; None otherwise.

    Args:
        path: Its path in the package or image, with slashes.
        head: Returns up to as many of its first bytes; called only for names that do not decide.
    """
    tail = "/".join(path.rsplit("/", 2)[-2:])
    if not _ANY_FORM.fullmatch(tail):
        return None
    for pattern, form in _FORMS:
        if pattern.fullmatch(tail) and (form.content is None or form.content.search(head(_PROBE_BYTES))):
            return form.what
    return None
