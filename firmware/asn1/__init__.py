"""ASN.1."""
from .declaration import Value
from .schema import Schema, Type

__all__ = ["Schema", "Type", "Value"]
