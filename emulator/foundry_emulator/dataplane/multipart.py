"""Multipart bodies (RFC 7578)."""

from email.message import Message
from email.parser import BytesHeaderParser

from foundry_emulator.dataplane.problem import invalid


def parts_of(content_type: str, body: bytes) -> dict[str, tuple[Message, bytes]]:
    """Parts by name: headers, read by the standard library, and content.

    Raises:
        ServiceProblem: 400 for a body that has no such form.
    """
    described = Message()
    described["content-type"] = content_type
    boundary = described.get_boundary()
    if boundary is None or not boundary.isascii():
        raise invalid("The multipart body's content-type has no boundary.")
    found: dict[str, tuple[Message, bytes]] = {}
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if piece.startswith(b"--"):
            return found
        head, gap, content = piece.partition(b"\r\n\r\n")
        if not gap:
            raise invalid("A part of the multipart body has no end of its headers.")
        headers = BytesHeaderParser().parsebytes(head.lstrip(b"\r\n"))
        name = headers.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise invalid("A part of the multipart body has no name.")
        found[name] = (headers, content)
    raise invalid("The multipart body has no end.")
