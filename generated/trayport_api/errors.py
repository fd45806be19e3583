# Generated from openapi/. Do not edit: run ./codegen.sh.


class UnexpectedStatus(Exception):
    """The status of a response is not 200. Its content is a problem document, if anything."""

    def __init__(self, status_code: int, content: bytes) -> None:
        super().__init__(status_code, content)
        self.status_code = status_code
        self.content = content

    def __str__(self) -> str:
        return f"status {self.status_code}: {self.content.decode(errors='replace')}"
