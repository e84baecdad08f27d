"""What others build on, generated from registry and messages: JSON Schemas, AsyncAPI, access rules."""

from topics.contracts.documents import documents, write

__all__ = ["documents", "write"]
