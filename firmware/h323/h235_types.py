"""H.235.0's types: tokens, hashes and keys, as H.225.0 and H.245 carry them."""

from __future__ import annotations

from typing import Final

from .schema import load

SCHEMA: Final = load("h235")
CLEAR_TOKEN: Final = SCHEMA["ClearToken"]
H235_KEY: Final = SCHEMA["H235Key"]
"""What H.245's ``encryptionSync.h235Key`` holds, encoded."""
KEY_SYNC_MATERIAL: Final = SCHEMA["KeySyncMaterial"]
PWD_CERT_TOKEN: Final = SCHEMA["PwdCertToken"]
"""ClearToken under the name by which hashes and signatures contain it."""
